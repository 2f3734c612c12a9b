"""Rows and events as they come back from JSON."""

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.adapters.postgres.rows import to_event
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.records import to_record
from chatbridge.domain.model.turn_event import (
    TextDelta,
    TextStarted,
    ToolCallStarted,
    TurnEvent,
    Unreadable,
)
from tests.contracts.store import NOON, call
from tests.unit.domain.test_turn_event import KINDS, values


def read(record: Any) -> TurnEvent:
    """The third event of a turn."""
    return to_event("turn_1", 3, record)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_survives_json(kind: type[TurnEvent], data: st.DataObject) -> None:
    event = data.draw(values(kind))
    assert read(json.loads(json.dumps(to_record(event)))) == event


def test_reading_leaves_the_record_as_it_is() -> None:
    record = to_record(ToolCallStarted(message_id=MessageId("msg_1"), call=call()))
    before = json.dumps(record)
    read(record)
    assert json.dumps(record) == before


def test_a_moment_is_the_same_whatever_its_zone() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    record = to_record(TextStarted(message_id=MessageId("msg_1"), at=east))
    assert read(record) == TextStarted(message_id=MessageId("msg_1"), at=NOON)


def test_what_a_newer_version_adds_to_an_event_is_passed_over() -> None:
    record = {"type": "text.delta", "message_id": "msg_1", "text": "Hi", "tone": "warm"}
    assert read(record) == TextDelta(message_id=MessageId("msg_1"), text="Hi")


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text.delta",
        {},
        {"type": None},
        {"type": "text.invented"},
        {"type": "text.delta", "message_id": "msg_1"},
        {"type": "text.delta", "message_id": "msg_1", "text": 5},
        {"type": "turn.ended", "state": "paused"},
        {"type": "tool_call.started", "message_id": "msg_1", "call": {"id": "call_1"}},
    ],
    ids=str,
)
def test_what_can_not_be_read_stands_in_its_place(record: Any) -> None:
    event = read(record)
    assert isinstance(event, Unreadable)
    assert event.message_id == "turn_1_3"
