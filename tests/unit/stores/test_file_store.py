"""A third store keeps the contracts of the ports, and is found by the registry alone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chatbridge.adapters.memory.memory import Memory
from chatbridge.ports.store import StoreSettings
from chatbridge.stores import registered
from tests.contracts.attachment_repository import AttachmentRepositoryContract
from tests.contracts.conversation_repository import ConversationRepositoryContract
from tests.contracts.counterpart_repository import CounterpartRepositoryContract
from tests.contracts.store import Replica, Store
from tests.contracts.task_repository import TaskRepositoryContract
from tests.contracts.turn_journal import TurnJournalContract
from tests.contracts.turn_repository import TurnRepositoryContract
from tests.unit.adapters.memory.stores import looks_into


def file_store(url: str, lease: float = 5.0) -> Any:
    settings = StoreSettings(url=url, directory=Path(), lease=lease, schema="", pool_size=0)
    return registered(url)(settings)


class InFile:
    @pytest.fixture
    def replica(self, file_url: str) -> Replica:
        @asynccontextmanager
        async def memory() -> AsyncGenerator[Memory]:
            async with file_store(file_url).transaction() as (kept, _):
                yield kept

        def made(lease: float) -> Store:
            store = file_store(file_url, lease)
            names = ("conversations", "turns", "journal", "counterparts", "attachments")
            ports = {name: getattr(store, name) for name in names}
            return Store(**ports, **looks_into(memory))

        return made


class TestConversationsInAFile(InFile, ConversationRepositoryContract):
    pass


class TestTurnsInAFile(InFile, TurnRepositoryContract):
    pass


class TestJournalInAFile(InFile, TurnJournalContract):
    pass


class TestAttachmentsInAFile(InFile, AttachmentRepositoryContract):
    pass


class TestCounterpartsInAFile(InFile, CounterpartRepositoryContract):
    pass


class TestTasksInAFile(TaskRepositoryContract):
    @pytest.fixture
    def repository(self, file_url: str) -> Any:
        return file_store(file_url).tasks
