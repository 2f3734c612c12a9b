"""The window as the model reads it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chatbridge.adapters.openai.messages import model_input
from chatbridge.adapters.openai.names import short_id
from chatbridge.adapters.openai.readable import OUTCOME_UNKNOWN
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Kind, Message
from chatbridge.domain.model.tool_call import CallState, ToolCall
from tests.contracts.agent_runner import said
from tests.unit.adapters.openai.spoken import spoken

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def call(id: str, state: CallState, arguments: str = "{}", output: str | None = None) -> ToolCall:
    return ToolCall(
        id=CallId(id), name="f", arguments=arguments, started_at=NOW, state=state, output=output
    )


def step(*calls: ToolCall) -> Message:
    return replace(said("", "assistant"), kind="tools", tool_calls=calls)


def test_texts_are_read_by_role() -> None:
    cut_off = replace(said("Hel", "assistant"), kind="partial")
    assert spoken(model_input([said("hi"), cut_off])) == [("user", "hi"), ("assistant", "Hel")]


@pytest.mark.parametrize("kind", ["shown", "note"])
def test_what_is_shown_or_noted_is_read_as_it_is_worded_and_of_many_the_newest(kind: Kind) -> None:
    beside = [replace(said(f"{n}", "assistant"), kind=kind) for n in range(100)]
    assert spoken(model_input(beside[:1], lambda _: "")) == []
    for many, first in ((1, 0), (29, 0), (30, 15), (44, 15), (100, 75)):
        told = spoken(model_input([*beside[:many], said("hi")]))
        assert told == [("user", "\n\n".join([*(f"{n}" for n in range(first, many)), "hi"]))]


def test_what_was_shown_comes_where_a_person_has_the_word() -> None:
    def note(words: str) -> Message:
        return replace(said(words, "assistant"), kind="note")

    turn = [
        said("q1"),
        step(call("1", "succeeded", output="o")),
        note("n1"),
        said("a1", "assistant"),
    ]
    told = spoken(model_input([*turn, said("q2")]))
    assert [words for role, words in told if role in ("user", "assistant")] == [
        "q1",
        "a1",
        "n1\n\nq2",
    ]
    pressed = [*turn, note("n2"), said("a2", "assistant"), note("n3")]
    told = spoken(model_input(pressed))
    assert [words for role, words in told if role in ("user", "assistant")] == [
        "q1",
        "a1",
        "n1\n\nn2",
        "a2",
        "n3",
    ]


def test_an_empty_text_is_left_out() -> None:
    assert model_input([said("", "assistant"), said(" ", "assistant")]) == []


def test_every_call_stands_next_to_its_output_under_a_short_id_that_stays() -> None:
    window = [step(call("a", "succeeded", output="1"), call("b", "failed", output="no"))]
    read = model_input(window)
    assert spoken(read) == [("call", "f"), ("call", "f"), ("output", "1"), ("output", "no")]
    ids = [item.get("call_id") for item in read]
    assert ids == [short_id("a"), short_id("b")] * 2
    assert ids == [item.get("call_id") for item in model_input(window)]


@pytest.mark.parametrize("state", ["unknown", "cancelled", "running"])
def test_a_call_that_nobody_saw_end_says_so(state: CallState) -> None:
    output = model_input([step(call("a", state, output="half"))])[1]
    assert output.get("output") == OUTCOME_UNKNOWN


def test_what_a_provider_ran_itself_is_text_in_front_of_the_answer() -> None:
    search = replace(call("a", "succeeded", '{"query": "oats"}', "example.com"), hosted=True)
    window = [said("?"), step(search), said("Oats.", "assistant"), said("thanks")]
    told = '[The tool f was used with {"query": "oats"}. It answered: example.com]'
    assert spoken(model_input(window)) == [
        ("user", "?"),
        ("assistant", f"{told}\n\nOats."),
        ("user", "thanks"),
    ]


def test_one_that_brought_nothing_says_only_that_it_was_used() -> None:
    search = replace(call("a", "succeeded", output=""), hosted=True)
    told = "[The tool f was used with {}. It answered.]"
    assert spoken(model_input([step(search)])) == [("assistant", told)]
