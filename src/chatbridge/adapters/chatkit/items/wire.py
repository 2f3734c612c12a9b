"""Items as they go over the wire: what was shown comes back as it was shown.

Through the SDK's types a widget would come back with other defaults and in another order, and an
item of a newer SDK not at all.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from chatkit.types import ThreadItem
from pydantic import BaseModel, RootModel

from chatbridge.adapters.chatkit.items.inline import addressed
from chatbridge.adapters.chatkit.items.updates import cut_off, updated
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.message import Message

Json = dict[str, Any]

_LIFTED = frozenset({"id", "thread_id", "created_at"})
# as ChatKitServer writes its own; it hides what a host keeps with an attachment
_CONTEXT = {"exclude_metadata": True}


class Verbatim(RootModel[Json]):
    """An event of the protocol as somebody else has said it: nothing of it is read or left out."""


def payload_of(item: ThreadItem) -> Json:
    """What is kept of an item besides its envelope, as a client gets it."""
    return item.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={*_LIFTED}, context=_CONTEXT
    )


def lifted(item: Mapping[str, Any]) -> tuple[datetime, Json]:
    """The time of an item on the wire, and what is kept of it besides its envelope.

    ChatKit stamps items with naive local time.
    """
    at = datetime.fromisoformat(item["created_at"]).astimezone(UTC)
    return at, {name: value for name, value in item.items() if name not in _LIFTED}


def wire_item(
    id: MessageId, conversation_id: ConversationId, at: datetime, payload: Mapping[str, Any]
) -> Json:
    """The item with its envelope."""
    head = {"id": id, "thread_id": conversation_id, "created_at": wire_time(at)}
    return {**head, **payload}


def wire_time(at: datetime) -> str:
    """A time as pydantic writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def wire_json(told: BaseModel) -> str:
    """Anything of the protocol's as ChatKitServer writes it."""
    return told.model_dump_json(by_alias=True, exclude_none=True, context=_CONTEXT)


def wire_dict(told: BaseModel) -> Json:
    """The same before it is text, which what it says may not fit: a lone surrogate has no bytes."""
    return told.model_dump(mode="json", by_alias=True, exclude_none=True, context=_CONTEXT)


def as_shown(
    message: Message, *, ended: bool = False, address: Callable[[Attached], str] | None = None
) -> Json | None:
    """The item as it was shown, or, where it was cut off, as it was seen last; with the addresses
    at which its files are got now.

    What is kept is told no further, and so is a turn's that has `ended`.

    None where the message has no such form: it is made of its envelope, or a person has sent it,
    whose attachments hold what no client may see.
    """
    if message.payload is None or message.role == "user":
        return None
    payload = {name: value for name, value in message.payload.items() if name != "updates"}
    item = wire_item(message.id, message.conversation_id, message.created_at, payload)
    updates = message.payload.get("updates", ())
    seen = {**addressed(updated(item, updates), message.attachments, address)}
    return cut_off(seen) if updates and (ended or message.position) else seen
