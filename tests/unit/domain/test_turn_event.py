import json
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.turn_event import (
    TextStarted,
    ToolCallStarted,
    TurnEvent,
    call_from_record,
    call_to_record,
    from_record,
    to_record,
)
from tests.contracts.store import NOON, call

KINDS = get_args(TurnEvent)
NAMES = {
    "TextStarted": "text.started",
    "TextDelta": "text.delta",
    "Cited": "text.cited",
    "TextFinished": "text.finished",
    "ToolCallStarted": "tool_call.started",
    "ToolCallFinished": "tool_call.finished",
    "TokensUsed": "tokens.used",
    "Titled": "titled",
    "TurnFailed": "turn.failed",
    "TurnEnded": "turn.ended",
    "Unreadable": "unreadable",
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Every value of a type, all fields of a dataclass included."""
    if hint is datetime:
        return st.datetimes(timezones=st.just(UTC))
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{n: values(h) for n, h in get_type_hints(hint).items()})
    if isinstance(hint, UnionType):
        return st.one_of([values(member) for member in get_args(hint)])
    return st.from_type(hint)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_survives_json(kind: type[TurnEvent], data: st.DataObject) -> None:
    event = data.draw(values(kind))
    written = json.dumps(to_record(event))
    assert from_record(json.loads(written)) == event


@given(values(ToolCall))
def test_every_call_survives_json(call: ToolCall) -> None:
    assert call_from_record(json.loads(json.dumps(call_to_record(call)))) == call


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
        },
    }


def test_reading_leaves_the_record_as_it_is() -> None:
    record = to_record(ToolCallStarted(message_id=MessageId("msg_1"), call=call()))
    before = json.dumps(record)
    from_record(record)
    assert json.dumps(record) == before


def test_a_moment_is_the_same_whatever_its_zone() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    read = from_record(to_record(TextStarted(message_id=MessageId("msg_1"), at=east)))
    assert read == TextStarted(message_id=MessageId("msg_1"), at=NOON)


def test_a_name_that_nobody_wrote_is_no_event() -> None:
    with pytest.raises(KeyError):
        from_record({"type": "text.invented"})
