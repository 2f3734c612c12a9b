"""Several servers behind one PgBouncer in transaction mode: nobody gets what is another's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.adapters.postgres.migrate import require_current, upgrade
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from tests.black_hole import survives_a_black_hole
from tests.chatkit_client import add, create, frames, shown, text_of
from tests.postgres import engine_on
from tests.round_trips import Trips, asked, described, whole_turns
from tests.serving import SECRET, Spawned, served, settings_for
from tests.system.certificate import self_signed
from tests.system.conftest import Start
from tests.system.pgbouncer import SERVER_CONNECTIONS, Pooler, pooled, tracks_statements
from tests.tcp_proxy import proxied

USERS = ("ann", "ben", "cem")
CONVERSATIONS = 2
TURNS = 3
PATIENCE = 60.0

TRACKING = [False, True] if tracks_statements() else [False]

# what PgBouncer itself sets on a server's connection, to what its client asked for
_POOLERS_OWN = {
    "application_name",
    "client_encoding",
    "DateStyle",
    "IntervalStyle",
    "standard_conforming_strings",
    "TimeZone",
}
_SESSION = text(
    "select pg_backend_pid() as pid,"
    " (select array_agg(name order by name) from pg_prepared_statements where name <> ''"
    "   and name !~ '^PGBOUNCER_') as prepared,"
    " (select array_agg(name order by name) from pg_settings where source = 'session'"
    "   and name not like 'transaction%') as settings,"
    " (select array_agg(c) from pg_listening_channels() c) as channels,"
    " (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory')"
    "   as locks,"
    " pg_my_temp_schema() as temporary"
)
_OPEN = text(
    "select pid, state from pg_stat_activity where datname = current_database()"
    " and state like 'idle in transaction%'"
)


@asynccontextmanager
async def signed_in(server: Spawned, user: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of this server that is signed in as `user`."""
    issued = JwtTokenIssuer(SECRET.encode()).issue(
        Caller(user_id=UserId(user)), audience=DEVELOPMENT, lifetime=timedelta(hours=1)
    )
    headers = {"Authorization": f"Bearer {issued.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as client:
        yield client


async def say(client: httpx.AsyncClient, request: dict[str, Any], thing: str) -> str:
    """Ask for a task to be added: the answer names it. Returns the conversation's id."""
    response = await client.post("/chatkit", json=request)
    assert response.status_code == 200, response.text
    told = frames(response.text)
    assert not [event for event in told if event["type"] == "error"]
    assert f"Added **{thing}** as task" in text_of(shown(told)[-1])
    return response.headers["x-conversation-id"]


async def items(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    response = await client.get(path, params={"limit": 100})
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def converse(
    user: str, number: int, clients: list[httpx.AsyncClient]
) -> tuple[str, set[str]]:
    """One conversation, each turn on the next server; what was said is all that is read.

    Returns its id and what was added.
    """
    turns = cycle(clients)
    said = [f"{user}'s thing {number}.{n}" for n in range(TURNS)]
    id = await say(next(turns), create(f"add a task: {said[0]}"), said[0])
    for n, thing in enumerate(said[1:], 1):
        await say(next(turns), add(id, f"add a task: {thing}"), thing)
        kept = await items(next(turns), f"/api/{user}/conversations/{id}/messages")
        asked_for = [m["content"] for m in kept if m["role"] == "user"]
        assert asked_for == [f"add a task: {each}" for each in said[: n + 1]]
        answers = [m["content"] for m in kept if m["role"] == "assistant" and m["kind"] == "text"]
        assert all(f"**{each}**" in a for each, a in zip(said, answers, strict=False))
        assert len(answers) == n + 1
    return id, set(said)


async def live(user: str, servers: list[Spawned]) -> None:
    """All of one user's conversations at once, and that nothing else is theirs."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(signed_in(s, user)) for s in servers]
        chats = await asyncio.gather(
            *(converse(user, n, clients[n % 2 :] + clients[: n % 2]) for n in range(CONVERSATIONS))
        )
        for client in clients:
            listed = await items(client, f"/api/{user}/conversations")
            assert {each["id"] for each in listed} == {id for id, _ in chats}
            tasks = await items(client, f"/api/{user}/tasks")
            assert {each["title"] for each in tasks} == set().union(*(said for _, said in chats))


async def leftovers(engine: AsyncEngine) -> dict[int, dict[str, Any]]:
    """The state of every session that the pooler shares out, but for its own settings."""
    async with AsyncExitStack() as stack:
        found: dict[int, dict[str, Any]] = {}
        for _ in range(SERVER_CONNECTIONS):
            connection = await stack.enter_async_context(engine.connect())
            # in a transaction that stays open, so that the next one gets another session
            await connection.execution_options(isolation_level="READ COMMITTED")
            row = (await connection.execute(_SESSION)).mappings().one()
            found[row["pid"]] = {
                "prepared": row["prepared"],
                "settings": sorted({*(row["settings"] or ())} - _POOLERS_OWN),
                "channels": row["channels"],
                "locks": row["locks"],
                "temporary": row["temporary"],
            }
    return found


async def lived_through(servers: list[Spawned]) -> None:
    """Everybody chats; every answer is right, nothing is logged, and no session keeps anything."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(live(user, servers) for user in USERS))
    for server in servers:
        logged = server.log.read_text()
        assert "database" not in logged
        assert "ERROR" not in logged
        assert "Traceback" not in logged


NOTHING = {"prepared": None, "settings": [], "channels": None, "locks": 0, "temporary": 0}


async def nothing_left(pooler: Pooler, database_url: str) -> None:
    through = engine_on(pooler.at(pgbouncer="true"))
    direct = engine_on(database_url)
    try:
        sessions = await leftovers(through)
        assert len(sessions) == SERVER_CONNECTIONS
        assert [*sessions.values()] == [NOTHING] * SERVER_CONNECTIONS
        async with direct.connect() as connection:
            assert (await connection.execute(_OPEN)).all() == []
    finally:
        await through.dispose()
        await direct.dispose()


@pytest.mark.parametrize("tracking", TRACKING, ids=lambda on: "tracked" if on else "untracked")
@pytest.mark.parametrize("query", [{"pgbouncer": "true"}, {}], ids=["marked", "unmarked"])
async def test_servers_that_share_a_pooler_never_get_what_is_anothers(
    fresh_database: str, start: Start, tracking: bool, query: dict[str, str]
) -> None:
    async with pooled(fresh_database, tracking=tracking) as pooler:
        servers = [await start(pooler.at(**query)) for _ in range(2)]
        await lived_through(servers)
        await nothing_left(pooler, fresh_database)


async def test_a_url_as_neon_shows_it_is_used_as_it_is(
    fresh_database: str, start: Start, tmp_path: Path
) -> None:
    """TLS with a verified certificate, and a pooler that takes nothing else."""
    files = self_signed(tmp_path)
    async with pooled(fresh_database, certificate=files) as pooler:
        as_pasted = {"sslmode": "require", "channel_binding": "require"}
        url = pooler.at("localhost", **as_pasted, sslrootcert=str(files[0]), pgbouncer="true")
        server = await start(url)
        await lived_through([server])


async def test_migrations_may_go_through_a_pooler(fresh_database: str) -> None:
    async with pooled(fresh_database) as pooler:
        await asyncio.to_thread(upgrade, pooler.at(), "another_one", "head")
        engine = engine_on(pooler.at())
        try:
            await require_current(engine, "another_one")
        finally:
            await engine.dispose()
        await nothing_left(pooler, fresh_database)


async def test_the_round_trips_of_a_plain_turn_to_the_pooler_are_as_few(
    fresh_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the socket between chatbridge and PgBouncer, with all that the driver asks by itself."""
    async with pooled(fresh_database) as pooler, proxied(pooler.at(pgbouncer="true")) as line:
        proxy, url = line
        counted = await whole_turns(Trips(proxy), url)
    for name, turns in counted.items():
        with capsys.disabled():
            print(f"\nthrough PgBouncer, {name}: {described([whole for _, whole in turns])}")
        for before, whole in turns:
            assert asked(before) == {"begin": 1}
            assert asked(whole) == {"begin": 1, "finish": 1}
            # begin, finish and a tick are each described once on a connection
            assert whole["first use"] <= 3


async def test_every_request_ends_in_time_while_packets_to_the_pooler_vanish(
    fresh_database: str,
) -> None:
    async with (
        pooled(fresh_database) as pooler,
        proxied(pooler.at()) as (proxy, url),
        served(settings_for(url)) as service,
    ):
        await survives_a_black_hole(service, proxy, USERS[0])
