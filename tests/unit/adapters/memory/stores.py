"""Replicas on one shared memory."""

from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.store import KeptConversation, MemoryStore, conversation_copy
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.domain.model.usage import Usage
from tests.contracts.store import Replica, Store


def memory_replica() -> Replica:
    memory = MemoryStore()

    async def seed(conversation: Conversation) -> None:
        memory.keep(KeptConversation(conversation=conversation_copy(conversation)))

    async def kept_events(turn: Turn) -> list[TurnEvent]:
        known = memory.turn(turn.conversation.user_id, turn.id)
        return list(known[1].events.values()) if known else []

    async def kept_usage(turn: Turn) -> Usage | None:
        known = memory.turn(turn.conversation.user_id, turn.id)
        return known[1].usage if known else None

    async def verdicts(user_id: UserId, id: ConversationId) -> dict[str, str]:
        kept = memory.conversations.get((user_id, id))
        return {**kept.feedback} if kept else {}

    return lambda lease: Store(
        conversations=MemoryConversationRepository(memory),
        turns=MemoryTurnRepository(memory, lease=lease),
        journal=MemoryTurnJournal(memory, lease=lease),
        seed=seed,
        kept_events=kept_events,
        kept_usage=kept_usage,
        verdicts=verdicts,
    )
