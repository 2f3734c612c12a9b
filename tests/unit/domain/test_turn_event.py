from dataclasses import is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.records import to_record
from chatbridge.domain.model.turn_event import (
    TextDelta,
    ToolCallStarted,
    TurnEvent,
)
from tests.contracts.store import call

KINDS = get_args(TurnEvent)
NAMES = {
    "TextStarted": "text.started",
    "TextDelta": "text.delta",
    "Cited": "text.cited",
    "TextFinished": "text.finished",
    "ToolCallStarted": "tool_call.started",
    "ToolCallFinished": "tool_call.finished",
    "ToolCallAsked": "tool_call.asked",
    "ToolCallAnswered": "tool_call.answered",
    "TurnWaiting": "turn.waiting",
    "TurnResumed": "turn.resumed",
    "Shown": "shown",
    "Changed": "changed",
    "Removed": "removed",
    "Progressed": "progressed",
    "Told": "told",
    "Revised": "revised",
    "TokensUsed": "tokens.used",
    "Titled": "titled",
    "TurnFailed": "turn.failed",
    "TurnEnded": "turn.ended",
    "Unreadable": "unreadable",
}


# what is no number has no JSON
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Every value of a type, all fields of a dataclass included."""
    if hint is datetime:
        return st.datetimes(timezones=st.just(UTC))
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{n: values(h) for n, h in get_type_hints(hint).items()})
    if hint == Payload:
        nested = st.recursive(st.text() | st.none(), st.lists, max_leaves=5)
        return st.dictionaries(st.text(), nested)
    if isinstance(hint, UnionType):
        return st.one_of([values(member) for member in get_args(hint)])
    return st.from_type(hint)


@given(st.one_of([values(kind) for kind in KINDS]))
def test_a_record_has_the_name_that_earlier_records_have(event: TurnEvent) -> None:
    assert to_record(event)["type"] == NAMES[type(event).__name__]


def test_a_record_is_flat_and_its_call_is_whole() -> None:
    event = ToolCallStarted(message_id=MessageId("msg_1"), call=call("call_1", "running"))
    assert to_record(event) == {
        "type": "tool_call.started",
        "message_id": "msg_1",
        "call": {
            "id": "call_1",
            "name": "add_task",
            "arguments": '{"title": "milk"}',
            "started_at": "2020-01-01T12:00:00+00:00",
            "output": None,
            "state": "running",
            "ended_at": None,
            "hosted": False,
            "source": "",
            "asks": None,
            "proposal": None,
        },
    }


def test_a_record_says_nothing_that_goes_without_saying() -> None:
    delta = TextDelta(message_id=MessageId("msg_1"), text="Hi")
    assert to_record(delta) == {"type": "text.delta", "message_id": "msg_1", "text": "Hi"}
    assert to_record(replace(delta, part=1))["part"] == 1
