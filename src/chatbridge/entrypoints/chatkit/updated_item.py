"""The item that an action is answered with: kept, and told with its time and its files."""

from collections.abc import Sequence
from typing import Any

from chatbridge.adapters.chatkit.items.inline import addressed
from chatbridge.adapters.chatkit.items.mapping import Display
from chatbridge.adapters.chatkit.items.wire import lifted, wire_time
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import AgentFailed, NotFound
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn_event import Shown, TurnEvent
from chatbridge.domain.services.conversation_history import ConversationHistory

Json = dict[str, Any]


async def with_updated(
    history: ConversationHistory, where: Conversation, updated: Json, events: Sequence[TurnEvent]
) -> Sequence[TurnEvent]:
    """With the item that was answered, which the host may have kept itself; what is told of it
    gets its time. Raises AgentFailed for one that the conversation does not have."""
    id = MessageId(updated["id"])
    if kept := _kept(id, events):
        updated["created_at"] = wire_time(kept[-1].at)
        return events
    try:
        known = await history.message(where.user_id, where.id, id)
    except NotFound as error:
        sentence = "The action was answered with an item that the conversation does not have."
        raise AgentFailed(sentence, code="host_failed") from error
    updated["created_at"] = wire_time(known.created_at)
    return [*events, _replaced(updated)]


def with_addresses(answer: Json, events: Sequence[TurnEvent], display: Display) -> Json:
    """The answer with the item as it is kept, and the addresses of its files."""
    updated = answer.get("updated_item")
    kept = _kept(updated["id"], events) if updated else []
    if not updated or not kept or not kept[-1].attachments:
        return answer
    now = addressed(kept[-1].payload, kept[-1].attachments, display.address)
    return {**answer, "updated_item": {**updated, **now}}


def _kept(id: str, events: Sequence[TurnEvent]) -> list[Shown]:
    return [each for each in events if isinstance(each, Shown) and each.message_id == id]


def _replaced(item: Json) -> TurnEvent:
    at, payload = lifted(item)
    return Shown(
        message_id=MessageId(item["id"]),
        at=at,
        how="replaced",
        kind="shown",
        content=item.get("copy_text") or "",
        payload=payload,
        earlier=True,
    )
