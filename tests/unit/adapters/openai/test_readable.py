"""Whatever is kept and whatever a model says, the strictest reader takes the next request."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from agents.models.chatcmpl_converter import Converter
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.adapters.openai.messages import model_input
from chatbridge.adapters.openai.readable import (
    NO_OUTPUT,
    OUTCOME_UNKNOWN,
    UNANSWERED,
    instructed,
    readable,
)
from chatbridge.domain.model.identifiers import new_call_id
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import CallState, ToolCall
from tests.contracts.agent_runner import said
from tests.strict_reader import complaint, is_strict_object
from tests.unit.adapters.openai.spoken import spoken

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATES: tuple[CallState, ...] = ("running", "succeeded", "failed", "cancelled", "unknown")

names = st.sampled_from(["add_task", "", "tasks.add task!", "添加", "a" * 100]) | st.text()
blank_or_not = st.sampled_from(["", " \n", "Hello."]) | st.text()
arguments = st.sampled_from(
    [
        *("", "{}", "{oops", "[]", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": 1e999}'),
        *('{"a": "\\ud800"}', '{"a":' * 300 + "1" + "}" * 300),
    ]
)


@st.composite
def calls(draw: st.DrawFn) -> ToolCall:
    return ToolCall(
        id=new_call_id(),
        name=draw(names),
        arguments=draw(arguments),
        started_at=NOW,
        state=draw(st.sampled_from(STATES)),
        output=draw(st.none() | blank_or_not),
        hosted=draw(st.booleans()),
    )


steps = st.builds(
    lambda calls: replace(said("", "assistant"), kind="tools", tool_calls=tuple(calls)),
    st.lists(calls(), max_size=3),
)
texts = st.builds(said, blank_or_not, st.just("assistant"))
partials = st.builds(lambda message: replace(message, kind="partial"), texts)
questions = st.builds(said, st.text(min_size=1).filter(str.strip))
windows = st.builds(
    lambda first, between, last: [first, *between, last],
    questions,
    st.lists(questions | texts | partials | steps, max_size=12),
    questions,
)


@st.composite
def running_turns(draw: st.DrawFn) -> list[Any]:
    """The items that the SDK has gathered in a turn, each call with its output behind the step."""
    items: list[Any] = []
    for step in range(draw(st.integers(0, 3))):
        asked = [_asked(draw, f"their0{step}{n}x") for n in range(draw(st.integers(1, 3)))]
        spoken = [_theirs(text) for text in draw(st.lists(blank_or_not, max_size=2))]
        thought = {"type": "reasoning", "id": "rs_1", "summary": []}
        items += [thought] if draw(st.booleans()) and len(spoken) < 2 else []
        items += spoken[:1] + asked + spoken[1:]
        outputs = [_brought(call["call_id"], draw(blank_or_not)) for call in asked]
        items += [each for each in outputs if draw(st.integers(0, 9))]
        items += draw(st.lists(STRAYS, max_size=2))
    return items


def _brought(id: str, output: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": output}


# what a host's own code puts in: by a filter of a handoff, say
STRAYS: st.SearchStrategy[dict[str, Any]] = blank_or_not.flatmap(
    lambda text: st.sampled_from(
        [
            _brought("of_no_call", text),
            {"role": "system", "content": text},
            {"type": "message", "role": "developer", "content": [{"text": text}]},
            {"role": "assistant", "content": text},
            {"role": "user", "content": text},
            {"role": "user", "content": [{"type": "input_text", "text": text}]},
        ]
    )
)


def _theirs(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    said = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    return {"id": "msg_theirs", **said}


def _asked(draw: st.DrawFn, id: str) -> dict[str, Any]:
    written = {"name": draw(names), "arguments": draw(arguments)}
    return {"type": "function_call", "id": "fc_theirs", "call_id": id, **written}


@given(windows, running_turns())
def test_the_strictest_reader_takes_every_request(window: list[Message], turn: list[Any]) -> None:
    items = readable([*model_input(window), *turn])
    assert complaint({"input": items}) is None
    assert complaint({"messages": Converter.items_to_messages(items)}) is None
    assert readable(items) == items


@given(windows, questions)
def test_what_was_sent_once_begins_the_next_request(window: list[Message], next: Message) -> None:
    before, after = model_input(window), model_input([*window, next])
    assert after[: len(before)] == before


def test_instructions_amid_a_history_go_to_the_top() -> None:
    items: list[Any] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"},
        {"role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
        {"role": "system", "content": " "},
    ]
    assert instructed(items) == ["Be brief.", "Be kind."]
    assert spoken(readable(items)) == [("user", "hello")]


def test_a_question_without_an_answer_is_followed_by_a_line_that_says_so() -> None:
    assert spoken(model_input([said("one"), said("two")])) == [
        ("user", "one"),
        ("assistant", UNANSWERED),
        ("user", "two"),
    ]


def test_so_is_a_tools_output() -> None:
    call = ToolCall(id=new_call_id(), name="f", arguments="{}", started_at=NOW, state="failed")
    step = replace(said("", "assistant"), kind="tools", tool_calls=(call,))
    read = spoken(model_input([said("one"), step, said("two")]))
    assert read[1:] == [
        ("call", "f"),
        ("output", NO_OUTPUT),
        *[("assistant", UNANSWERED)],
        read[-1],
    ]


def test_text_around_calls_is_one_message_in_front_of_them() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    items: list[Any] = [_theirs("Let me"), call, _theirs("look."), output]
    assert spoken(readable(items)) == [
        ("assistant", "Let me\n\nlook."),
        ("call", "f"),
        ("output", "1"),
    ]


def test_what_was_thought_beside_a_call_stays_where_it_stood() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    items: list[Any] = [_theirs("Let me look."), thought, call, output]
    assert [item.get("type") for item in readable(items)] == [item["type"] for item in items]


def test_a_call_whose_output_is_missing_gets_one_and_an_output_without_a_call_goes() -> None:
    items: list[Any] = [
        {"type": "function_call_output", "call_id": "x", "output": "1"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    assert spoken(readable(items)) == [("call", "f"), ("output", OUTCOME_UNKNOWN)]


def test_a_refusal_is_read_as_what_was_said() -> None:
    refusal: Any = {**_theirs(""), "content": [{"type": "refusal", "refusal": "I won't."}]}
    assert spoken(readable([refusal])) == [("assistant", "I won't.")]


def test_pictures_of_a_tool_stay_beside_its_words() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,"}
    parts = [{"type": "input_text", "text": " "}, picture]
    items: list[Any] = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": parts},
    ]
    assert readable(items)[-1].get("output") == [picture]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"a": [1, null, "é"]}', '{"a": [1, null, "é"]}'),
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ('{"a": NaN, "b": [Infinity, -1e999]}', '{"a": null, "b": [null, null]}'),
        ('{"a": "\\ud800"}', '{"a": "\ufffd"}'),
        ("null", "{}"),
        ("{'a': 1}", "{}"),
    ],
)
def test_arguments_are_read_as_strict_json(written: str, read: str) -> None:
    call: Any = {"type": "function_call", "call_id": "c", "name": "f", "arguments": written}
    found = str(readable([call])[0].get("arguments"))
    assert (found, is_strict_object(found)) == (read, True)
    assert json.loads(found) is not None
