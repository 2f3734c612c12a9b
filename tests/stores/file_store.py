"""A store in one file, as somebody else may write one: installed, it serves `file:/a/path`.

Nothing is kept between calls: each one reads the file into a memory, has the adapters of
chatbridge's memory do their work there, and puts it back unless they raise. For one process.
"""

import asyncio
import pickle
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatbridge.adapters.memory.attachment_repository import MemoryAttachmentRepository
from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.counterpart_repository import MemoryCounterpartRepository
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.store import StoreSettings

Content = tuple[Memory, MemoryTaskRepository]

_locks: defaultdict[Path, asyncio.Lock] = defaultdict(asyncio.Lock)


class FileStore:
    """See chatbridge's port `Store`."""

    def __init__(self, settings: StoreSettings) -> None:
        self._file = Path(settings.url.removeprefix("file:"))
        self.kept = f"kept in the file {self._file}"
        lease = settings.lease
        self.conversations = _Calls(self, lambda c: MemoryConversationRepository(c[0]))
        self.turns = _Calls(self, lambda c: MemoryTurnRepository(c[0], lease=lease))
        self.journal = _Calls(self, lambda c: MemoryTurnJournal(c[0], lease=lease))
        self.tasks = _Calls(self, lambda c: c[1])
        self.counterparts = _Calls(self, lambda c: MemoryCounterpartRepository(c[0]))
        self.attachments = _Calls(self, lambda c: MemoryAttachmentRepository(c[0]))

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        await self.turns.abandon_running()
        yield

    async def require_ready(self) -> None:
        if not self._file.parent.is_dir():
            raise Unavailable(f"There is no folder {self._file.parent}.")

    def migrate(self) -> str:
        return "A file is what it is."

    def grants(self, role: str) -> str:
        raise ValueError("A file knows no roles.")

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Content]:
        """What the file holds, and will hold unless an error ends the context."""
        async with _locks[self._file]:
            file, draft = self._file, self._file.with_suffix(".draft")
            content: Content = (Memory(), MemoryTaskRepository())
            if file.exists():
                content = pickle.loads(file.read_bytes())  # noqa: S301 - our own
            yield content
            draft.write_bytes(pickle.dumps(content))
            draft.replace(file)


class _Calls:
    """An adapter each of whose calls is a transaction."""

    def __init__(self, store: FileStore, adapter: Callable[[Content], Any]) -> None:
        self._store, self._adapter = store, adapter

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            async with self._store.transaction() as content:
                return await getattr(self._adapter(content), name)(*arguments, **named)

        return call
