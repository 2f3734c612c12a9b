"""What happens while a turn runs. Every surface translates from this union."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.tool_call import CallState, ToolCall

EndState = Literal["completed", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStarted:
    """The assistant begins a message."""

    message_id: MessageId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """Some more of it."""

    message_id: MessageId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """The message names a source for what it says."""

    message_id: MessageId
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFinished:
    """The message is whole."""

    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStarted:
    """A tool is about to run; the calls of one model step share one message."""

    message_id: MessageId
    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallFinished:
    """A tool has answered, or is known not to.

    `arguments` is given where they were not known when the call started.
    """

    message_id: MessageId
    call_id: CallId
    state: CallState
    output: str
    at: datetime
    arguments: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensUsed:
    """One response of the model has cost this, says its provider."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """The conversation has got a title."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed:
    """The turn can't go on: a stable code and a sentence for the person."""

    code: str
    detail: str

    @classmethod
    def because(cls, error: ChatbridgeError) -> "TurnFailed":
        """What stopped it."""
        return cls(code=error.code, detail=error.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The last event of every turn."""

    state: EndState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that this version can't read; it stands in its place, as a message of its own."""

    message_id: MessageId
    at: datetime


TurnEvent = (
    TextStarted
    | TextDelta
    | Cited
    | TextFinished
    | ToolCallStarted
    | ToolCallFinished
    | TokensUsed
    | Titled
    | TurnFailed
    | TurnEnded
    | Unreadable
)

Numbered = tuple[int, TurnEvent]
"""An event and its place in its turn, counted from 1."""

_NAMES: dict[type[TurnEvent], str] = {
    TextStarted: "text.started",
    TextDelta: "text.delta",
    Cited: "text.cited",
    TextFinished: "text.finished",
    ToolCallStarted: "tool_call.started",
    ToolCallFinished: "tool_call.finished",
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
    """The event as JSON can hold it: `type`, and the event's own fields."""
    return {"type": _NAMES[type(event)], **_written(asdict(event))}


def call_to_record(call: ToolCall) -> dict[str, Any]:
    """A tool call as JSON can hold it."""
    return _written(asdict(call))


def _written(value: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v.isoformat()
        if isinstance(v, datetime)
        else _written(v)  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(v, dict)
        else v
        for k, v in value.items()
    }
