"""What a request meets when the link to the database is slow, cut or silent."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.database_url import COMMAND_SECONDS
from tests.black_hole import WITHIN, survives_a_black_hole
from tests.chatkit_client import add, items, say
from tests.integration.http.asking import a_conversation, require_refused
from tests.postgres import engine_on
from tests.round_trips import fill
from tests.serving import Served, served, settings_for
from tests.tcp_proxy import TcpProxy, proxied

USER = "alice"

_LOCK = text("select id from chatbridge.conversations where id = :id for update")
_WAITING = text(
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)


@dataclass
class Line:
    """A service, the line between it and its database, and one conversation that is kept."""

    service: Served
    proxy: TcpProxy
    database: str
    conversation: str

    @property
    def client(self) -> httpx.AsyncClient:
        return self.service.as_user(USER)

    async def read(self) -> int:
        """Read the conversation; the answer's status."""
        answer = await self.client.post("/chatkit", json=items(self.conversation))
        return answer.status_code


@pytest.fixture
async def line(fresh_database: str) -> AsyncIterator[Line]:
    async with proxied(fresh_database) as (proxy, url), served(settings_for(url)) as service:
        conversation = await a_conversation(service, USER)
        await fill(service.container.store().engine)
        yield Line(service, proxy, fresh_database, conversation)


async def nobody_waits(engine: AsyncEngine) -> None:
    """Returns when no statement waits for a lock any more."""
    async with engine.connect() as looking:
        while True:
            if not (await looking.execute(_WAITING)).scalar():
                return
            await asyncio.sleep(0.05)


async def test_every_request_ends_in_time_while_packets_vanish_and_all_heals(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    timed = await survives_a_black_hole(line.service, line.proxy, USER)
    with capsys.disabled():
        slowest = max(timed, key=lambda each: each.seconds)
        print(f"\nblack hole: {len(timed)} requests, {slowest.seconds:.1f} s the slowest")


@pytest.mark.alone
async def test_a_pool_of_forgotten_connections_costs_one_wait_and_no_refusal(line: Line) -> None:
    line.proxy.forget()
    began = time.perf_counter()
    statuses = [await line.read() for _ in range(8)]
    seconds = time.perf_counter() - began
    assert statuses == [200] * 8
    assert COMMAND_SECONDS <= seconds < 2 * COMMAND_SECONDS


async def test_dropped_connections_are_noticed_by_nobody(line: Line) -> None:
    await line.proxy.cut()
    assert [await line.read() for _ in range(8)] == [200] * 8
    await say(line.client, add(line.conversation, "hello"))


async def test_a_connection_that_is_dropped_under_a_request_is_tried_again(line: Line) -> None:
    line.proxy.hold()
    reading = asyncio.gather(*(line.read() for _ in range(4)))
    await asyncio.sleep(0.3)
    await line.proxy.cut()
    line.proxy.release()
    assert await reading == [200] * 4


async def test_a_database_that_wakes_up_is_waited_for(line: Line) -> None:
    await line.proxy.cut()
    line.proxy.hold()
    reading = asyncio.gather(*(line.read() for _ in range(4)))
    await asyncio.sleep(2.0)
    line.proxy.release()
    assert await reading == [200] * 4


async def test_a_database_that_refuses_connections_is_a_refusal_at_once(line: Line) -> None:
    await line.proxy.stop()
    began = time.perf_counter()
    answer = await line.client.post("/chatkit", json=items(line.conversation))
    require_refused(answer, 503, "database_unavailable")
    assert time.perf_counter() - began < COMMAND_SECONDS
    await line.proxy.start()
    assert await line.read() == 200


@asynccontextmanager
async def locked(line: Line) -> AsyncGenerator[AsyncEngine]:
    """Somebody else holds the conversation's row."""
    elsewhere = engine_on(line.database)
    try:
        async with elsewhere.connect() as holder:
            await holder.execution_options(isolation_level="READ COMMITTED")
            await holder.execute(_LOCK, {"id": line.conversation})
            yield elsewhere
            await holder.rollback()
    finally:
        await elsewhere.dispose()


async def test_who_waits_for_a_lock_is_told_in_time_and_leaves_nothing_waiting(line: Line) -> None:
    request = add(line.conversation, "hello")
    async with locked(line) as elsewhere:
        async with asyncio.timeout(WITHIN):
            answers = await asyncio.gather(
                *(line.client.post("/chatkit", json=request) for _ in range(3))
            )
        for answer in answers:
            require_refused(answer, 503, "database_unavailable")
        async with asyncio.timeout(WITHIN):
            await nobody_waits(elsewhere)
    await say(line.client, request)


@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
async def test_a_limit_of_the_database_itself_is_a_refusal_too(line: Line, setting: str) -> None:
    async with locked(line) as elsewhere:
        async with elsewhere.connect() as connection:
            name = elsewhere.url.database
            await connection.execute(text(f"alter database {name} set {setting} = '200ms'"))
        await line.proxy.cut()
        began = time.perf_counter()
        answer = await line.client.post("/chatkit", json=add(line.conversation, "hello"))
        require_refused(answer, 503, "database_unavailable")
        assert time.perf_counter() - began < COMMAND_SECONDS
