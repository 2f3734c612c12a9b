"""What tests need that use programs from elsewhere; a run says which ones it has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.serving import SECRET, Spawned, spawn
from tests.system import nginx, pgbouncer
from tests.system.seaweedfs import SeaweedFS, seaweedfs

Start = Callable[[str], Awaitable[Spawned]]


def pytest_report_header() -> list[str]:
    """Which nginx; which PgBouncer, and what it can't do."""
    said = ".".join(map(str, pgbouncer.version()))
    can = "tracks" if pgbouncer.tracks_statements() else "can't track"
    return [f"nginx: {nginx.version()}", f"pgbouncer: {said} ({can} prepared statements)"]


@pytest.fixture(scope="session")
async def seaweed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SeaweedFS]:
    """An S3-compatible server with a bucket."""
    async with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server
        # its threads may still call into this interpreter, which must not end just now
        await asyncio.sleep(0.1)


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts chatbridge as a process on a database; at the end of the test they are killed."""
    started: list[Spawned] = []

    async def start(database_url: str) -> Spawned:
        directory = tmp_path / f"server-{len(started)}"
        directory.mkdir()
        server = await spawn(directory, DATABASE_URL=database_url, CHATBRIDGE_SECRET=SECRET)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()
