"""A turn's beginning and end are kept whole or not at all, whatever dies in their midst."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.chatkit_client import Json, add, create, say
from tests.integration.test_process import alice_at
from tests.postgres import engine_on
from tests.serving import SECRET, Spawned, served, settings_for, spawn
from tests.tcp_proxy import proxied

Start = Callable[[], Awaitable[Spawned]]

PATIENCE = 30.0
EXECUTE = b"E\x00\x00\x00\x09\x00"
"""The message of Postgres' protocol with which a statement is run."""

# what the function writes last of all is what it is held at
HELD_AT = {"begin_turn": "turns", "finish_turn": "messages"}
ENDINGS = {
    "goes through": "select cast(:pid as integer)",
    "is broken off": "select pg_terminate_backend(:pid)",
}

_INSIDE = text(
    "select pid from pg_stat_activity where datname = current_database()"
    " and wait_event_type = 'Lock' and query like :function"
)
_ALIVE = text("select count(*) from pg_stat_activity where pid = :pid and state = 'active'")
_KEPT = text(
    "select (select count(*) from chatbridge.conversations) as conversations,"
    " (select count(*) from chatbridge.messages where role = 'user') as questions,"
    " (select count(*) from chatbridge.messages where role = 'assistant') as answers,"
    " (select count(*) from chatbridge.turns) as turns,"
    " (select count(*) from chatbridge.turns where state = 'running') as running,"
    " (select count(*) from chatbridge.conversations where title is not null) as titles,"
    " (select max(last_position) from chatbridge.conversations) as last_position"
)
NOTHING = {"conversations": 0, "questions": 0, "answers": 0, "turns": 0, "running": 0, "titles": 0}
BEGUN = {**NOTHING, "conversations": 1, "questions": 1, "turns": 1, "running": 1}
FINISHED = {**BEGUN, "answers": 1, "running": 0, "titles": 1}
OUTCOMES = {
    ("begin_turn", "goes through"): {**BEGUN, "last_position": 1},
    ("begin_turn", "is broken off"): {**NOTHING, "last_position": None},
    ("finish_turn", "goes through"): {**FINISHED, "last_position": 2},
    ("finish_turn", "is broken off"): {**BEGUN, "last_position": 1},
}


@dataclass
class Database:
    """The tests' own way into it."""

    engine: AsyncEngine

    async def one(self, statement: Any, **parameters: Any) -> Any:
        async with self.engine.connect() as connection:
            return (await connection.execute(statement, parameters)).mappings().first()

    async def kept(self) -> dict[str, Any]:
        return dict(await self.one(_KEPT))

    @asynccontextmanager
    async def held(self, table: str) -> AsyncGenerator[None]:
        """Nobody can write to this table of chatbridge's."""
        async with self.engine.connect() as holder:
            await holder.execution_options(isolation_level="READ COMMITTED")
            await holder.execute(text(f"lock table chatbridge.{table} in exclusive mode"))
            yield
            await holder.rollback()

    async def inside(self, function: str) -> int:
        """The process of the server that is held inside of this function."""
        while True:
            if found := await self.one(_INSIDE, function=f"%{function}%"):
                return found["pid"]
            await asyncio.sleep(0.02)

    async def begun(self) -> None:
        """Returns when a turn has begun."""
        while True:
            if (await self.kept())["turns"]:
                return
            await asyncio.sleep(0.02)

    async def done(self, pid: int) -> None:
        """Returns when that process of the server does nothing more."""
        while True:
            if not (await self.one(_ALIVE, pid=pid))["count"]:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    engine = engine_on(fresh_database)
    yield Database(engine)
    await engine.dispose()


@pytest.fixture
async def start(fresh_database: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts servers on the database; those that still run at the end of the test are killed."""
    started: list[Spawned] = []

    async def start() -> Spawned:
        started.append(await spawn(tmp_path, DATABASE_URL=fresh_database, CHATBRIDGE_SECRET=SECRET))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


async def _send(client: httpx.AsyncClient, request: Json) -> None:
    with suppress(httpx.TransportError):
        await client.post("/chatkit", json=request)


async def killed_inside(server: Spawned, database: Database, function: str, ending: str) -> None:
    """Kill the server while its statement is held, and let that statement end so."""
    async with alice_at(server) as alice, AsyncExitStack() as held:
        if function == "begin_turn":
            await held.enter_async_context(database.held(HELD_AT[function]))
        request = create("rehearse a long answer of 30 words")
        sending = asyncio.create_task(_send(alice, request))
        if function == "finish_turn":
            await database.begun()
            await held.enter_async_context(database.held(HELD_AT[function]))
        pid = await database.inside(function)
        server.kill()
        await database.one(text(ENDINGS[ending]), pid=pid)
        await held.aclose()
        await database.done(pid)
        await sending


async def go_on(client: httpx.AsyncClient) -> bool:
    """Say something in the conversation, if it was kept, as soon as its lost turn is let go."""
    listed = (await client.get("/api/alice/conversations")).json()["items"]
    request = add(listed[0]["id"], "hello") if listed else create("hello")
    while True:
        answer = await client.post("/chatkit", json=request)
        if answer.status_code != 409:
            assert answer.status_code == 200, answer.text
            return bool(listed)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("function", HELD_AT)
async def test_a_server_killed_inside_leaves_all_or_nothing(
    database: Database, start: Start, function: str, ending: str
) -> None:
    server = await start()
    async with asyncio.timeout(PATIENCE):
        await killed_inside(server, database, function, ending)
    assert await database.kept() == OUTCOMES[function, ending]

    async with alice_at(await start()) as alice, asyncio.timeout(PATIENCE):
        earlier = await go_on(alice)
    kept = await database.kept()
    assert kept["running"] == 0
    assert kept["turns"] == kept["questions"] == 1 + earlier


@pytest.mark.parametrize("function", HELD_AT)
async def test_a_connection_lost_at_commit_repeats_nothing(
    fresh_database: str, database: Database, function: str
) -> None:
    async with proxied(fresh_database) as (proxy, url), served(settings_for(url)) as service:
        alice = service.as_user("alice")
        conversation, _ = await say(alice, create("hello"))
        said = 1
        proxy.lose_the_answer(function.encode(), EXECUTE)
        # the first use of a statement on a connection is not yet its execution
        while not proxy.answers_lost:
            await say(alice, add(conversation, "hello"))
            said += 1
            assert said < 30
    kept = await database.kept()
    assert (kept["turns"], kept["questions"], kept["answers"]) == (said, said, said)
    assert (kept["running"], kept["last_position"]) == (0, 2 * said)
