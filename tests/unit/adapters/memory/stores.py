"""Replicas on one shared memory."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from chatbridge.adapters.memory.attachment_repository import MemoryAttachmentRepository
from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.counterpart_repository import MemoryCounterpartRepository
from chatbridge.adapters.memory.memory import KeptConversation, Memory, conversation_copy
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import TurnEvent
from tests.contracts.store import Replica, Report, Store


def memory_replica() -> Replica:
    memory = Memory()
    return lambda lease: Store(
        conversations=MemoryConversationRepository(memory),
        turns=MemoryTurnRepository(memory, lease=lease),
        journal=MemoryTurnJournal(memory, lease=lease),
        counterparts=MemoryCounterpartRepository(memory),
        attachments=MemoryAttachmentRepository(memory),
        **looks_into(lambda: nullcontext(memory)),
    )


def looks_into(opened: Callable[[], AbstractAsyncContextManager[Memory]]) -> dict[str, Any]:
    """What no port does, done in a memory."""

    async def seed(conversation: Conversation) -> None:
        async with opened() as memory:
            memory.keep(KeptConversation(conversation=conversation_copy(conversation)))

    async def kept_events(turn: Turn) -> list[TurnEvent]:
        async with opened() as memory:
            known = memory.turn(turn.conversation.user_id, turn.id)
            return list(known[1].events.values()) if known else []

    async def kept_report(turn: Turn) -> Report:
        async with opened() as memory:
            known = memory.turn(turn.conversation.user_id, turn.id)
            assert known
            return Report(usage=known[1].usage, code=known[1].code, model=known[1].model)

    async def verdicts(user_id: UserId, id: ConversationId) -> dict[str, str]:
        async with opened() as memory:
            kept = memory.conversations.get((user_id, id))
            return {**kept.feedback} if kept else {}

    return {
        "seed": seed,
        "kept_events": kept_events,
        "kept_report": kept_report,
        "verdicts": verdicts,
    }
