"""Thinking in a text is parted from the answer, wherever the text is cut."""

import pytest

from chatbridge.adapters.openai.thinking import Thinking, without_thinking

HELLO = ("Hello <b>", "a plan")


def parted(text: str, size: int, *, unopened: bool = False) -> tuple[str, str]:
    parts = Thinking(unopened=unopened)
    said = [s for n in range(0, len(text), size) for s in parts.take(text[n : n + size])]
    said += parts.end()
    kinds = ("answer", "thinking")
    answer, thought = ("".join(s.text for s in said if s.kind == kind) for kind in kinds)
    return answer, thought


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a plan</think>\n\nHello <b>", HELLO),
        ("\n<thinking>a plan</thinking>Hello <b>", HELLO),
        ("<seed:think>a plan</seed:think>Hello <b>", HELLO),
        ("[THINK]a plan[/THINK]Hello <b>", HELLO),
        ("◁think▷a plan◁/think▷Hello <b>", HELLO),
        ("<think>a </think><think>plan</think>Hello <b>", HELLO),
        (
            "<|channel|>analysis<|message|>a plan<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Hello <b><|return|>",
            HELLO,
        ),
        ("<think>never ended", ("", "never ended")),
        ("The mark is <think>, its end </think>.", ("The mark is <think>, its end </think>.", "")),
        ("`</think>` ends it", ("`</think>` ends it", "")),
        ("<div>a < b</div> [1]", ("<div>a < b</div> [1]", "")),
        ("  indented", ("  indented", "")),
        ("<", ("<", "")),
        ("", ("", "")),
    ],
)
def test_an_answer_is_parted_from_its_thinking(
    text: str, expected: tuple[str, str], size: int
) -> None:
    assert parted(text, size) == expected
    assert without_thinking(text) == expected[0]


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_of_a_model_whose_template_opens_the_thinking_only_its_end_is_seen(size: int) -> None:
    text = "a plan</think>\n\nHello <b>"
    assert parted(text, size, unopened=True) == HELLO
    assert parted("no end at all", size, unopened=True)[0] == "no end at all"
    assert without_thinking(text) == "Hello <b>"
    channels = "<|channel|>analysis<|message|>a plan<|end|><|channel|>final<|message|>Hello <b>"
    assert parted(channels, size, unopened=True) == HELLO


def test_thinking_that_only_ends_is_noticed() -> None:
    noticed: list[str] = []
    for text in ("a plan</think>\n\nHello", "The end of <think> is </think> here", "`</think>`"):
        Thinking(when_unopened=lambda text=text: noticed.append(text)).take(text)
    assert noticed == ["a plan</think>\n\nHello"]
