"""The store in memory: for demonstrations and tests, gone when the process ends."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chatbridge.adapters.memory.attachment_repository import MemoryAttachmentRepository
from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.counterpart_repository import MemoryCounterpartRepository
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.ports.store import Store, StoreSettings


class MemoryStore(Store):
    """Always there."""

    def __init__(self, settings: StoreSettings) -> None:
        memory = Memory()
        self.kept = "kept in memory until it stops"
        self.conversations = MemoryConversationRepository(memory)
        self.turns = MemoryTurnRepository(memory, lease=settings.lease)
        self.journal = MemoryTurnJournal(memory, lease=settings.lease)
        self.tasks = MemoryTaskRepository()
        self.counterparts = MemoryCounterpartRepository(memory)
        self.attachments = MemoryAttachmentRepository(memory)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        yield

    async def require_ready(self) -> None: ...

    def migrate(self) -> str:
        raise ValueError("Set DATABASE_URL: what is kept in memory needs no migration.")

    def grants(self, role: str) -> str:
        raise ValueError("Set DATABASE_URL: what is kept in memory knows no roles.")
