"""Thinking in a text is parted from the answer, wherever the text is cut."""

import pytest

from chatbridge.adapters.openai.thinking import Thinking, without_thinking

HELLO = ("Hello <b>", "a plan")


def parted(text: str, size: int) -> tuple[str, str]:
    parts = Thinking()
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
        ("<THINK >a plan</ Think>Hello <b>", HELLO),
        ('<thinking lang="en">a plan</thinking>\nHello <b>', HELLO),
        ("<think>a <think>pl</think>an</think>Hello <b>", HELLO),
        ("<think><think>a plan</think></think>Hello <b>", HELLO),
        ("<think><think>a plan</think>Hello <b>", HELLO),
        (
            "<|START_THINKING|>a plan<|END_THINKING|><|START_RESPONSE|>Hello <b><|END_RESPONSE|>",
            HELLO,
        ),
        (
            "<|begin_of_thought|>\na plan<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\n\nHello <b>\n\n<|end_of_solution|>",
            ("Hello <b>", "\na plan"),
        ),
        ("<think>a plan</think>\n<answer>Hello <b></answer>", HELLO),
        ("<|start|>assistant<|message|>Hello <b>", ("Hello <b>", "")),
        (
            "<|channel|>analysis<|message|>a plan<|end|><|start|>assistant<|message|>Hello <b>",
            HELLO,
        ),
        ("<|channel>thought\na plan<channel|>Hello <b>", HELLO),
        ("<|channel>thought\n<channel|>Hello <b>", ("Hello <b>", "")),
        ("<|channel>thought<channel|>Hello <b>", ("Hello <b>", "")),
        ("<|thinking|>a plan<|/thinking|>Hello <b>", HELLO),
        ("\ufeff<think>a plan</think>\u200bHello <b>", HELLO),
        ("\u200b \u2060<think>a plan</think>Hello <b>", HELLO),
        ("<think>a plan</think>Hello <b><|im_end|>\n<|endoftext|>", HELLO),
        ("Hello <b></s>", ("Hello <b>", "")),
        ("Hello <b><|eot_id|>", ("Hello <b>", "")),
        ("Hello <b><|end|>", ("Hello <b>", "")),
        ("Hello <b><end_of_turn>\n", ("Hello <b>", "")),
        ("<|im_end|>", ("", "")),
        ("A turn </s> ends so: <|im_end", ("A turn </s> ends so: <|im_end", "")),
        ("<s>old</s>", ("<s>old</s>", "")),
        ("was <s>old</s>", ("was <s>old</s>", "")),
        ("\ufeffHello", ("\ufeffHello", "")),
        ("<answer>Hello</answer>", ("<answer>Hello</answer>", "")),
        ("<5 apples, <b>", ("<5 apples, <b>", "")),
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


def test_thinking_that_only_ends_is_not_sent_back() -> None:
    assert without_thinking("a plan</think>\n\nHello <b>") == "Hello <b>"


@pytest.mark.parametrize(
    "text", ["You end it with </think> and go on.", "Its end is </think>", "`</think>` ends it"]
)
def test_an_answer_about_the_mark_is_sent_back_whole(text: str) -> None:
    assert without_thinking(text) == text
