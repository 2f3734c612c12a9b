"""Rows of the database as values of the domain, and back."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from chatbridge.adapters.postgres.tables import ConversationRow
from chatbridge.domain.model import refusals
from chatbridge.domain.model.conversation import Conversation, Status
from chatbridge.domain.model.errors import ChatbridgeError, Forbidden, NotFound
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import Message, unreadable
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.records import call_to_record, name_of, to_record
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import Numbered, TurnEvent, Unreadable
from chatbridge.domain.model.usage import Usage

Columns = Mapping[str, Any]

_log = logging.getLogger(__name__)
_REVISED = ("title", "status", "status_reason", "metadata", "agent", "pictures")
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
_EVENTS: dict[str, TypeAdapter[TurnEvent]] = {
    name_of(kind): TypeAdapter(kind) for kind in get_args(TurnEvent)
}

_REFUSALS: dict[str, Callable[[], ChatbridgeError]] = {
    "closed": refusals.closed,
    "busy": refusals.turn_running,
    "stale": refusals.stale_turn,
    "waiting": refusals.turn_waiting,
    "expired": refusals.question_expired,
    "gone": refusals.turn_gone,
    "ended": refusals.turn_ended,
    "reused": refusals.key_reused,
    "attachment_gone": refusals.attachment_sent,
    "known_message": refusals.message_exists,
    "no_message": refusals.no_message,
    "not_retryable": refusals.not_retryable,
}


def to_conversation(row: ConversationRow) -> Conversation:
    """A status that this version does not know lets it be read, and not be gone on with."""
    return Conversation(
        id=ConversationId(row.id),
        user_id=UserId(row.user_id),
        title=row.title,
        status=row.status if row.status in get_args(Status) else "locked",
        status_reason=row.status_reason,
        metadata=_object_or_empty(row.meta),
        agent=row.agent,
        pictures=row.pictures,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def conversation_row(columns: Columns, user_id: UserId) -> ConversationRow:
    """The conversation among the columns that a function answers."""
    return ConversationRow(
        user_id=user_id,
        id=columns["conversation_id"],
        title=columns["title"],
        status=columns["status"],
        status_reason=columns["status_reason"],
        meta=columns["metadata"],
        agent=columns["agent"],
        pictures=columns["pictures"],
        created_at=columns["conversation_created_at"],
        updated_at=columns["conversation_updated_at"],
    )


def to_message(columns: Columns) -> Message:
    """The message with its position; one that can't be read is shown as such and hides no other."""
    try:
        return _MESSAGE.validate_python({**columns})
    except ValidationError:
        id = MessageId(columns["id"])
        _log.warning("message %s: its row can't be read", id)
        where = ConversationId(columns["conversation_id"])
        return unreadable(id, where, columns["created_at"], position=columns["position"])


def to_event(turn_id: str, number: int, record: Any) -> TurnEvent:
    """Event `number` of a turn; one that can't be read keeps its place among the others.

    A newer version may have written it. Of a kind that is not known here nothing is shown.
    """
    try:
        return _EVENTS[record["type"]].validate_python(record)
    except (ValidationError, KeyError, TypeError) as error:
        _log.warning("turn %s: event %d can't be read", turn_id, number)
        id = MessageId(f"{turn_id}_{number}")
        return Unreadable(
            message_id=id, at=datetime.now(UTC), shown=not isinstance(error, KeyError)
        )


def message_to_json(message: Message) -> str:
    """A message as begin_turn_1 and finish_turn_1 read it."""
    return json.dumps(_message_record(message))


def messages_to_json(messages: tuple[Message, ...]) -> str:
    """Several messages, in order."""
    return json.dumps([_message_record(m) for m in messages])


def changes_to_json(changes: Changes) -> str | None:
    """What was changed as change_conversation_1 reads it; None where nothing was."""
    if not changes:
        return None
    revised = {name: getattr(changes.revised, name) for name in _REVISED}
    return json.dumps(
        {
            "replaced": [_message_record(m) for m in changes.replaced],
            "removed": changes.removed,
            **{name: value for name, value in revised.items() if value is not None},
        }
    )


def events_to_json(events: Iterable[TurnEvent]) -> str:
    """Events as answer_turn_1 keeps them, in order."""
    return json.dumps([to_record(event) for event in events])


def tail_to_json(events: Iterable[Numbered]) -> str:
    """Events with their numbers, as finish_turn_1 and wait_turn_1 keep them."""
    return json.dumps([{"number": number, "event": to_record(event)} for number, event in events])


def usage_to_json(usage: Usage | None) -> str | None:
    """What a turn has cost as finish_turn_1 keeps it; None where nobody has counted."""
    return json.dumps(asdict(usage)) if usage else None


def missing(somebody_elses: bool) -> Forbidden | NotFound:
    """What to raise when the owner has no such conversation."""
    if somebody_elses:
        return refusals.not_yours()
    return refusals.no_conversation()


def refusal_of(outcome: str) -> ChatbridgeError:
    """Why begin_turn_1 has not begun a turn, or answer_turn_1 has kept no answer."""
    match outcome:
        case "missing" | "forbidden":
            return missing(somebody_elses=outcome == "forbidden")
        case _:
            return _REFUSALS[outcome]()


def _message_record(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "role": message.role,
        "kind": message.kind,
        "content": message.content,
        "tool_calls": [call_to_record(c) for c in message.tool_calls],
        "citations": [asdict(c) for c in message.citations],
        "attachments": [asdict(a) for a in message.attachments],
        "payload": _payload_text(message.payload),
        "created_at": message.created_at.isoformat(),
    }


def _payload_text(payload: Payload | None) -> str | None:
    """Kept as text inside the JSON, so that Postgres stores it as it was written."""
    return None if payload is None else json.dumps(payload)


def _object_or_empty(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]
