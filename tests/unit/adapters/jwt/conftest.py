"""A key server, and an HTTP client that is closed again."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from tests.unit.adapters.jwt.key_server import KeyServer, running_key_server


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    with running_key_server() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client
