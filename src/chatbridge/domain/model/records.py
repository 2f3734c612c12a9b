"""Turn events and tool calls as JSON can hold them: what is kept, and what REST shows."""

from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any, cast

from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.attachment import Attached, Link
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.question import Form
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.turn_event import (
    Changed,
    Cited,
    Progressed,
    Removed,
    Revised,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TokensUsed,
    Told,
    ToolCallAnswered,
    ToolCallAsked,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnResumed,
    TurnWaiting,
    Unreadable,
)

_NAMES: dict[type[TurnEvent], str] = {
    TextStarted: "text.started",
    TextDelta: "text.delta",
    Cited: "text.cited",
    TextFinished: "text.finished",
    ToolCallStarted: "tool_call.started",
    ToolCallFinished: "tool_call.finished",
    ToolCallAsked: "tool_call.asked",
    ToolCallAnswered: "tool_call.answered",
    TurnWaiting: "turn.waiting",
    TurnResumed: "turn.resumed",
    Shown: "shown",
    Changed: "changed",
    Removed: "removed",
    Progressed: "progressed",
    Told: "told",
    Revised: "revised",
    TokensUsed: "tokens.used",
    Titled: "titled",
    TurnFailed: "turn.failed",
    TurnEnded: "turn.ended",
    Unreadable: "unreadable",
}


def name_of(kind: type[TurnEvent]) -> str:
    """The `type` of such an event's record."""
    return _NAMES[kind]


def to_record(event: TurnEvent) -> dict[str, Any]:
    """The event as JSON can hold it: `type`, and the event's own fields but for what goes without
    saying. Payloads go in as they are."""
    said: dict[str, Any] = {"type": _NAMES[type(event)]}
    for name, usual in _FIELDS[type(event)]:
        value = getattr(event, name)
        if usual is MISSING or value != usual:
            said[name] = _written(value)
    return said


def call_to_record(call: ToolCall) -> dict[str, Any]:
    """A tool call as JSON can hold it."""
    told = {field.name: _written(getattr(call, field.name)) for field in fields(call)}
    # most calls ask no questions, and bring nothing but text
    return {n: value for n, value in told.items() if value not in (None, []) or n not in _RARE}


_RARE = ("form", "answers", "files", "links")
_FIELDS = {kind: [(field.name, field.default) for field in fields(kind)] for kind in _NAMES}


def _written(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case ToolCall():
            return call_to_record(value)
        case Citation() | Form() | Proposal() | Attached() | Link():
            return asdict(value)
        case tuple():
            return [_written(each) for each in cast(tuple[Any, ...], value)]
        case _:
            return value
