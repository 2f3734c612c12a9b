"""What somebody without a token can cost: a huge body, and connections that say nothing more."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving import Spawned, spawn

MEBI = 2**20
HALF_OPEN = 500
TRIES = 50


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Spawned]:
    spawned = await spawn(tmp_path, CHATBRIDGE_DATABASE__URL="memory:")
    yield spawned
    spawned.kill()


async def connected(server: Spawned) -> tuple[StreamReader, StreamWriter]:
    url = httpx.URL(server.url)
    return await asyncio.open_connection(url.host, url.port)


async def pushed(server: Spawned, size: int) -> bytes:
    """The first line of the answer to a body of this size without a token."""
    reader, writer = await connected(server)
    head = "POST /chatkit HTTP/1.1\r\nHost: a\r\nContent-Type: application/json"
    writer.write(f"{head}\r\nContent-Length: {size}\r\n\r\n".encode())
    for _ in range(size // 65_536):
        writer.write(b"x" * 65_536)
        await writer.drain()
    line = await reader.readline()
    writer.close()
    return line


async def test_a_huge_body_without_a_token_takes_no_memory(server: Spawned) -> None:
    # what any first requests take is not what is measured
    for _ in range(3):
        await pushed(server, 8 * MEBI)
    before = server.peak()
    line = await pushed(server, 300 * MEBI)

    assert line == b"HTTP/1.1 401 Unauthorized\r\n"
    assert server.peak() - before <= 1024


async def seconds_of(client: httpx.AsyncClient, url: str) -> float:
    answers = [await client.get(url) for _ in range(TRIES)]
    assert all(answer.status_code == 200 for answer in answers)
    return sum(answer.elapsed.total_seconds() for answer in answers)


@pytest.mark.alone
async def test_half_open_connections_keep_nobody_waiting(server: Spawned) -> None:
    url = f"{server.url}/healthz"
    async with httpx.AsyncClient() as client, AsyncExitStack() as open_ones:
        alone = await seconds_of(client, url)
        for _ in range(HALF_OPEN):
            _, writer = await connected(server)
            open_ones.callback(writer.close)
            writer.write(b"POST /chatkit HTTP/1.1\r\nHost: a\r\nContent-Le")
        among_them = await seconds_of(client, url)

    assert among_them < 10 * alone + 1, f"{alone:.3f} s alone, {among_them:.3f} s among them"
