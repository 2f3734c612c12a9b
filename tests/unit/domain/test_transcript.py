from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Changed,
    Cited,
    Removed,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TokensUsed,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    Unreadable,
)
from chatbridge.domain.model.usage import Usage
from tests.contracts.store import C1, NOON, call, said

LATER = NOON + timedelta(seconds=3)


def started(id: str = "call_1", message_id: str = "tools_1") -> ToolCallStarted:
    return ToolCallStarted(message_id=MessageId(message_id), call=call(id, "running"))


def finished(
    id: str = "call_1",
    state: CallState = "succeeded",
    output: str = "ok",
    message_id: str = "tools_1",
) -> ToolCallFinished:
    return ToolCallFinished(
        message_id=MessageId(message_id),
        call_id=CallId(id),
        state=state,
        output=output,
        at=LATER,
    )


def folded(*events: TurnEvent) -> Transcript:
    return Transcript(C1, events)


def test_deltas_add_up_to_a_message() -> None:
    (told,) = folded(*said("says_1", "Hel", "lo", " 👋")).messages
    assert told == Message(
        id=MessageId("says_1"),
        conversation_id=C1,
        role="assistant",
        kind="text",
        created_at=NOON,
        content="Hello 👋",
    )


def test_a_message_that_was_cut_off_is_partial() -> None:
    assert [m.kind for m in folded(*said("says_1", "Hel", finished=False)).closed()] == ["partial"]


def test_two_texts_that_mix_are_kept_apart() -> None:
    a, b = said("a", "1", "2"), said("b", "x", "y")
    mixed = [event for pair in zip(a, b, strict=True) for event in pair]
    assert [(m.id, m.content) for m in folded(*mixed).closed()] == [("a", "12"), ("b", "xy")]


def test_messages_are_in_the_order_in_which_they_began() -> None:
    events = (*said("a", "1", finished=False), started(), finished(), *said("b", "2"))
    transcript = folded(*events, TextFinished(message_id=MessageId("a")))
    assert [m.id for m in transcript.messages] == ["a", "tools_1", "b"]


def test_the_calls_of_one_step_share_a_message() -> None:
    (step,) = folded(started("call_1"), started("call_2")).messages
    assert (step.role, step.kind, step.content) == ("assistant", "tools", "")
    assert [c.id for c in step.tool_calls] == ["call_1", "call_2"]
    assert step.created_at == step.tool_calls[0].started_at


def test_the_calls_of_two_steps_do_not() -> None:
    steps = folded(started("call_1", "tools_1"), started("call_2", "tools_2")).messages
    assert [[c.id for c in m.tool_calls] for m in steps] == [["call_1"], ["call_2"]]


@pytest.mark.parametrize("state", get_args(CallState))
def test_an_answer_ends_its_own_call_and_no_other(state: CallState) -> None:
    (step,) = folded(started("call_1"), started("call_2"), finished("call_2", state, "")).messages
    assert step.tool_calls == (
        call("call_1", "running"),
        call("call_2", state, output="", ended_at=LATER),
    )


def test_a_message_can_be_read_at_each_moment() -> None:
    transcript = folded()
    read: list[str | None] = []
    for event in said("a", "1", "2", "3"):
        transcript.apply(event)
        message = transcript.message(MessageId("a"))
        read.append(message and message.content)
    assert read == ["", "1", "12", "123", "123"]
    assert transcript.message(MessageId("b")) is None


@pytest.mark.parametrize(
    "event",
    [
        Titled(title="T"),
        TokensUsed(input_tokens=1, output_tokens=1),
        TurnFailed(code="c", detail="d"),
        TurnEnded(state="failed"),
    ],
)
def test_what_is_no_message_changes_none(event: TurnEvent) -> None:
    transcript = folded(*said("a", "1"))
    before = transcript.messages
    transcript.apply(event)
    assert transcript.messages == before


def test_the_costs_of_all_responses_add_up() -> None:
    assert folded(*said("a", "1")).usage is None
    costs = [TokensUsed(input_tokens=n, output_tokens=n + 1) for n in (1, 10)]
    assert folded(*costs).usage == Usage(input_tokens=11, output_tokens=13)


def test_a_source_belongs_to_the_message_that_names_it() -> None:
    oats, rye = Citation(title="Oats", url="https://example.com", index=1), Citation(title="rye")
    a, b = MessageId("a"), MessageId("b")
    cited = Cited(message_id=a, citation=oats), Cited(message_id=a, citation=rye)
    events = (*said("a", "1", finished=False), *said("b", "2"), *cited, TextFinished(message_id=a))
    assert [(m.id, m.citations) for m in folded(*events).closed()] == [(a, (oats, rye)), (b, ())]


def test_arguments_that_come_with_the_end_replace_those_of_the_start() -> None:
    end = replace(finished(), arguments='{"query": "oats"}')
    (step,) = folded(started(), end).messages
    assert step.tool_calls[0].arguments == '{"query": "oats"}'


def test_the_last_title_counts() -> None:
    assert folded().title is None
    assert folded(Titled(title="One"), Titled(title="Two")).title == "Two"


def test_a_call_that_nobody_saw_end_is_closed_as_unknown() -> None:
    transcript = folded(started("call_1"), started("call_2"), finished("call_1"))
    assert _states(transcript.closed()[0].tool_calls) == ["succeeded", "unknown"]
    assert _states(transcript.closed("cancelled")[0].tool_calls) == ["succeeded", "cancelled"]
    assert _states(transcript.messages[0].tool_calls) == ["succeeded", "running"]


def test_a_message_without_a_word_is_not_kept() -> None:
    events = (*said("a"), *said("b", "", finished=False), *said("c", " "))
    transcript = folded(*events)
    assert [m.id for m in transcript.messages] == ["a", "b", "c"]
    assert [m.id for m in transcript.closed()] == ["c"]


def test_it_makes_no_difference_where_it_is_split() -> None:
    events = (*said("a", "1", "2"), started(), *said("b", "3"), finished(), Titled(title="T"))
    whole = folded(*events)
    for cut in range(len(events) + 1):
        rest = folded(*events[:cut])
        for event in events[cut:]:
            rest.apply(event)
        assert (rest.messages, rest.title) == (whole.messages, whole.title)


def test_a_message_that_was_handed_out_does_not_change() -> None:
    transcript = folded(TextStarted(message_id=MessageId("a"), at=NOON))
    before = transcript.messages
    transcript.apply(TextDelta(message_id=MessageId("a"), text="more"))
    assert before[0].content == ""


def _states(calls: tuple[ToolCall, ...]) -> list[str]:
    return [c.state for c in calls]


# --- what a surface shows


def shown(id: str = "w_1", how: str = "added", **fields: Any) -> Shown:
    given = {"kind": "shown", "content": "", "payload": {"type": "widget"}, "at": NOON, **fields}
    return Shown(message_id=MessageId(id), how=how, **given)  # pyright: ignore


def changed(n: int) -> Changed:
    return Changed(message_id=MessageId("w_1"), payload={"n": n})


def test_what_has_changed_of_an_entry_is_put_beside_it_until_it_is_whole() -> None:
    transcript = folded(shown(), changed(1), changed(2))
    assert transcript.said[0].payload == {"type": "widget", "updates": [{"n": 1}, {"n": 2}]}
    transcript.apply(changed(3))
    assert transcript.said[0].payload["updates"][2:] == [{"n": 3}]  # pyright: ignore
    transcript.apply(shown(how="done", payload={"type": "widget", "whole": 1}))
    assert transcript.said[0].payload == {"type": "widget", "whole": 1}


def test_what_is_taken_back_leaves_nothing() -> None:
    gone = Removed(message_id=MessageId("says_1"))
    transcript = folded(*said("says_1", "Hi", finished=False), gone, *said("says_2", "Ho"))
    assert [m.id for m in transcript.said] == ["says_2"]
    assert transcript.removed == set()


def test_a_text_in_a_surfaces_own_form_is_that_when_it_is_whole() -> None:
    start = TextStarted(message_id=MessageId("says_1"), at=NOON, content="A ", payload={"p": 1})
    _, more, _ = said("says_1", "word")
    end = TextFinished(message_id=MessageId("says_1"), content="All", payload={"p": 2}, at=LATER)
    (cut_off,) = folded(start, more).said
    assert (cut_off.kind, cut_off.content, cut_off.payload) == ("partial", "A word", None)
    (whole,) = folded(start, more, end).said
    assert (whole.kind, whole.content, whole.payload) == ("text", "All", {"p": 2})
    assert whole.created_at == LATER


def test_what_an_earlier_turn_has_shown_is_replaced_or_removed_by_its_last_word() -> None:
    replaced = shown("w_0", "replaced", earlier=True)
    removed = Removed(message_id=MessageId("w_0"), earlier=True)
    assert list(folded(removed, replaced).replaced) == ["w_0"]
    assert folded(removed, replaced).removed == set()
    assert folded(replaced, removed).removed == {"w_0"}
    assert folded(replaced, removed).replaced == {}


def test_what_this_version_does_not_know_is_not_shown() -> None:
    unknown = Unreadable(message_id=MessageId("turn_1_3"), at=NOON, shown=False)
    assert folded(unknown).messages == ()
