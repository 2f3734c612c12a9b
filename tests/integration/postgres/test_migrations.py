"""The schema: every way up and down, what the tables refuse, and what holds under concurrency."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.postgres.conversation_repository import PostgresConversationRepository
from chatbridge.adapters.postgres.database_url import parse
from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.migrate import (
    Migrated,
    downgrade,
    require_current,
    upgrade,
)
from chatbridge.adapters.postgres.revisions import REVISIONS
from chatbridge.adapters.postgres.scripts import migration_config
from chatbridge.adapters.postgres.tables import Row
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model.errors import Conflict, Unavailable
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.tool_call import CallState
from chatbridge.ports.turn_repository import Begun, TurnRepository
from tests.contracts.steps import ending
from tests.contracts.store import ALICE, C1, ask, conversation, said
from tests.integration.postgres.stores import SCHEMA, postgres_replica

PATIENCE = 60.0

_TABLES = text(
    "select tablename from pg_catalog.pg_tables where schemaname = :schema order by tablename"
)
_FUNCTIONS = text(
    "select proname from pg_catalog.pg_proc p"
    " join pg_catalog.pg_namespace n on n.oid = p.pronamespace"
    " where nspname = :schema order by proname"
)
_FIRST_KEYS = text(
    "select c.relname, a.attname from pg_catalog.pg_index i"
    " join pg_catalog.pg_class c on c.oid = i.indrelid"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
    " where n.nspname = :schema and i.indisprimary and c.relname <> 'alembic_version'"
)


async def migrated(
    act: Callable[[str, str, str], Migrated], url: str, schema: str, revision: str
) -> Migrated:
    """Migrations block and have a loop of their own."""
    return await asyncio.to_thread(act, url, schema, revision)


async def found(url: str, schema: str) -> tuple[list[str], list[str]]:
    """The tables and the functions of a schema."""
    engine = postgres_engine(url, 1)
    try:
        async with engine.connect() as connection:
            tables = await connection.scalars(_TABLES, {"schema": schema})
            functions = await connection.scalars(_FUNCTIONS, {"schema": schema})
            return list(tables), list(functions)
    finally:
        await engine.dispose()


async def with_alembic(url: str, schema: str, act: Callable[[Config], None]) -> None:
    """Like the adapter's own way, but in a session whose search_path names no schema of ours:
    Alembic takes tables of the default schema for tables without one, and "$user" may be it."""
    target = parse(url)
    arguments = dict(target.connect_args)
    arguments["server_settings"] = {
        **arguments.get("server_settings", {}),
        "search_path": "pg_catalog",
    }
    engine = create_async_engine(target.url, connect_args=arguments, poolclass=NullPool)

    def run(connection: Connection) -> None:
        act(migration_config(connection, schema))

    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_each_revision_goes_up_down_and_up_again(fresh_database: str, revision: str) -> None:
    schema = "stairway"
    before = REVISIONS[: REVISIONS.index(revision)]
    below = before[-1] if before else "base"
    await migrated(upgrade, fresh_database, schema, revision)
    up = await found(fresh_database, schema)
    assert "conversations" in up[0]
    await migrated(downgrade, fresh_database, schema, below)
    down = await found(fresh_database, schema)
    assert down != up
    if below == "base":
        assert down == (["alembic_version"], [])
    await migrated(upgrade, fresh_database, schema, revision)
    assert await found(fresh_database, schema) == up


async def test_an_upgrade_that_has_nothing_to_do_changes_nothing(fresh_database: str) -> None:
    before = await found(fresh_database, SCHEMA)
    await migrated(upgrade, fresh_database, SCHEMA, "head")
    assert await found(fresh_database, SCHEMA) == before


async def test_servers_that_start_together_migrate_once(fresh_database: str) -> None:
    results = await asyncio.gather(
        *(migrated(upgrade, fresh_database, "together", "head") for _ in range(3)),
        return_exceptions=True,
    )
    assert sorted(map(str, results)) == ["at 0001, nothing to do"] * 2 + ["none -> 0001"]
    assert await found(fresh_database, "together") == await found(fresh_database, SCHEMA)


async def test_the_tables_are_what_the_migrations_make(fresh_database: str) -> None:
    await with_alembic(fresh_database, SCHEMA, command.check)


async def test_a_difference_between_tables_and_migrations_would_be_seen(
    fresh_database: str,
) -> None:
    engine = postgres_engine(fresh_database, 1)
    async with engine.connect() as connection:
        await connection.execute(text(f"alter table {SCHEMA}.messages add column extra text"))
    await engine.dispose()
    with pytest.raises(Exception, match="New upgrade operations detected"):
        await with_alembic(fresh_database, SCHEMA, command.check)


async def test_everything_lives_in_the_schema_that_was_asked_for(fresh_database: str) -> None:
    await migrated(upgrade, fresh_database, "another_one", "head")
    assert await found(fresh_database, "another_one") == await found(fresh_database, SCHEMA)
    assert await found(fresh_database, "public") == ([], [])
    engine = postgres_engine(fresh_database, 2)
    try:
        await require_current(engine, "another_one")
        elsewhere = PostgresTurnRepository(engine, "another_one")
        begun = await elsewhere.begin(ask(new=True), 15)
        end = ending(begun.turn, said("says", "Hello"))
        assert await elsewhere.finish(begun.turn, end) == "completed"
        conversations = PostgresConversationRepository(engine, "another_one")
        assert len((await conversations.messages(ALICE, C1, PageRequest())).items) == 2
        tasks = PostgresTaskRepository(engine, "another_one")
        task = await tasks.add(ALICE, "milk", key="call_1")
        assert await tasks.list(ALICE) == (task,)
        async with engine.connect() as connection:
            left_over = [
                await connection.scalar(text(f'select count(*) from "{SCHEMA}"."{table.name}"'))  # noqa: S608
                for table in Row.metadata.tables.values()
            ]
        assert set(left_over) == {0}
    finally:
        await engine.dispose()


@pytest.mark.parametrize("schema", ["", "Mixed", "with space", 'a"b', "a.b", "1st", "x" * 64])
async def test_a_schema_whose_name_needs_quoting_is_refused(postgres_url: str, schema: str) -> None:
    with pytest.raises(ValueError, match="no plain name"):
        await migrated(upgrade, postgres_url, schema, "head")


async def test_a_database_without_the_schema_is_not_ready(fresh_database: str) -> None:
    engine = postgres_engine(fresh_database, 1)
    try:
        await require_current(engine, SCHEMA)
        with pytest.raises(Unavailable) as raised:
            await require_current(engine, "missing")
        assert raised.value.code == "schema_missing"
        await migrated(downgrade, fresh_database, SCHEMA, "base")
        with pytest.raises(Unavailable) as raised:
            await require_current(engine, SCHEMA)
        assert raised.value.code == "schema_missing"
    finally:
        await engine.dispose()


# --- what the tables refuse


async def test_every_key_begins_with_the_owner(clean_engine: AsyncEngine) -> None:
    async with clean_engine.connect() as connection:
        rows = await connection.execute(_FIRST_KEYS, {"schema": SCHEMA})
        keys = {row.relname: row.attname for row in rows}
    assert {table.name for table in Row.metadata.tables.values()} == {*keys}
    assert set(keys.values()) == {"user_id"}


async def insert_message(engine: AsyncEngine, **columns: Any) -> None:
    kept = {"role": "assistant", "kind": "text", "tool_calls": "[]", "citations": "[]"} | columns
    statement = text(
        f"insert into {SCHEMA}.messages"  # noqa: S608
        " (user_id, conversation_id, position, id, role, kind, tool_calls, citations)"
        " values (:user_id, :conversation_id, 1, 'msg_1', :role, :kind,"
        " cast(:tool_calls as jsonb), cast(:citations as jsonb))"
    )
    async with engine.connect() as connection:
        await connection.execute(statement, {"user_id": ALICE, "conversation_id": C1, **kept})


A_CALL = {
    "id": "call_1",
    "name": "add_task",
    "arguments": "{}",
    "output": None,
    "state": "running",
    "started_at": "2020-01-01T12:00:00+00:00",
    "ended_at": None,
}


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"role": "system"}, "messages_role"),
        ({"role": "tool"}, "messages_role"),
        ({"kind": "thought"}, "messages_kind"),
        ({"kind": "tools"}, "messages_tool_calls"),
        ({"tool_calls": json.dumps([A_CALL])}, "messages_tool_calls"),
        ({"citations": "{}"}, "messages_citations"),
        ({"kind": "tools", "tool_calls": json.dumps(A_CALL)}, "messages_tool_calls"),
        *(
            (
                {
                    "kind": "tools",
                    "tool_calls": json.dumps([{k: v for k, v in A_CALL.items() if k != name}]),
                },
                "messages_tool_calls",
            )
            for name in A_CALL
        ),
        (
            {"kind": "tools", "tool_calls": json.dumps([A_CALL | {"state": "dreaming"}])},
            "messages_tool_calls",
        ),
        ({"kind": "tools", "tool_calls": json.dumps([A_CALL, 7])}, "messages_tool_calls"),
    ],
)
async def test_a_message_of_another_shape_is_refused(
    clean_engine: AsyncEngine, columns: dict[str, Any], constraint: str
) -> None:
    await postgres_replica(clean_engine)(5.0).seed(conversation())
    with pytest.raises(IntegrityError, match=constraint):
        await insert_message(clean_engine, **columns)


@pytest.mark.parametrize("state", get_args(CallState))
async def test_a_tool_call_in_each_of_its_states_is_kept(
    clean_engine: AsyncEngine, state: str
) -> None:
    await postgres_replica(clean_engine)(5.0).seed(conversation())
    await insert_message(
        clean_engine, kind="tools", tool_calls=json.dumps([A_CALL | {"state": state}])
    )


async def test_a_message_needs_its_conversation(clean_engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError, match="foreign key"):
        await insert_message(clean_engine)


# --- under concurrency


async def test_begin_and_finish_at_once_block_nobody_and_leave_no_hole_in_a_window(
    clean_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Each finish races with the next begin of its conversation, with a rename and a stop."""
    raced = 0
    caplog.set_level("INFO", "chatbridge")
    store = postgres_replica(clean_engine)(5.0)
    begun = await store.turns.begin(ask("turn_0", new=True), 15)
    async with asyncio.timeout(PATIENCE):
        for n in range(1, 201):
            finishing = finished(store.turns, begun, f"says_{n}")
            request = ask(f"turn_{n}")
            _, first, _, _ = await asyncio.gather(
                finishing,
                refused_or(store.turns.begin(request, 15)),
                store.turns.ask_cancel(ALICE, C1),
                store.conversations.rename(ALICE, C1, f"Title {n}"),
            )
            raced += first is not None
            begun = first or await store.turns.begin(request, 15)
            positions = [m.position for m in begun.newest]
            assert positions == [*range(positions[0], 2 * n + 2)]
            assert [m.id for m in begun.newest[-2:]] == [f"says_{n}", f"turn_{n}_asks"]
    assert raced, "no begin waited for a finish"
    assert "deadlock" not in caplog.text.lower()
    assert "trying again" not in caplog.text
    counts = await counted(clean_engine)
    assert counts == {"messages": 401, "last_position": 401, "deadlocks": 0}


async def finished(turns: TurnRepository, begun: Begun, id: str) -> None:
    assert await turns.finish(begun.turn, ending(begun.turn, said(id, "Hello"))) == "completed"


async def refused_or(answer: Awaitable[Begun]) -> Begun | None:
    """The answer, or None where the turn before was still running."""
    try:
        return await answer
    except Conflict:
        return None


async def counted(engine: AsyncEngine) -> dict[str, int]:
    query = text(
        f"select (select count(*) from {SCHEMA}.messages) as messages,"  # noqa: S608
        f" (select last_position from {SCHEMA}.conversations) as last_position,"
        " (select deadlocks from pg_catalog.pg_stat_database where datname = current_database())"
        " as deadlocks"
    )
    async with engine.connect() as connection:
        return dict((await connection.execute(query)).mappings().one())
