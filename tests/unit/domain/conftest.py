"""The fixtures of all that is about turns."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatbridge.adapters.memory.memory import Memory
from chatbridge.domain.model.identifiers import (
    new_conversation_id,
)
from tests.unit.domain.worlds import Server, World, open_world


@pytest.fixture
def store() -> Memory:
    return Memory()


@pytest.fixture
async def server(store: Memory) -> AsyncGenerator[Server]:
    """Makes servers that share a store; each ends with the test."""
    conversation = new_conversation_id()
    async with AsyncExitStack() as servers:

        async def make(**options: Any) -> World:
            return await servers.enter_async_context(open_world(store, conversation, **options))

        yield make


@pytest.fixture
async def world(server: Server) -> World:
    return await server()
