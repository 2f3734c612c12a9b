"""A database that people already have: an application's own tables and an Alembic of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.postgres.database_url import parse
from chatbridge.adapters.postgres.migrate import downgrade, upgrade
from tests.chatkit_client import add, create, say, shown, text_of
from tests.integration.postgres.stores import SCHEMA
from tests.serving import served, settings_for

THEIRS = """
create table "user" (id text primary key, email text not null unique);
create table conversations (id bigserial primary key, subject text not null);
create table messages (id bigserial primary key, body text not null,
  conversation_id bigint not null references conversations (id));
create table tasks (id uuid primary key, title varchar(40) not null, done boolean not null);
create table alembic_version (version_num varchar(32) primary key);
create index messages_by_conversation on messages (conversation_id);
insert into "user" values ('u1', 'ann@example.com'), ('u2', 'ben@example.com');
insert into conversations (subject) values ('Invoices'), ('Holidays');
insert into messages (body, conversation_id) values ('Paid.', 1), ('When?', 2), ('Soon.', 2);
insert into tasks values ('00000000-0000-0000-0000-000000000001', 'Call the bank', false);
insert into alembic_version values ('9f3c1d2e4b5a');
"""
TABLES = ("user", "conversations", "messages", "tasks", "alembic_version")

# what there is outside chatbridge's schema, to the last column, constraint, index and privilege
_FOUND = """
select c.relkind::text, n.nspname, c.relname, c.oid, c.relacl::text,
  (select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and not a.attisdropped and a.attnum > 0),
  (select array_agg(conname || ' ' || pg_get_constraintdef(k.oid) order by conname)
    from pg_constraint k where k.conrelid = c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema', '{schema}')
order by n.nspname, c.relname"""
_ELSEWHERE = """
select nspname, nspacl::text, (select count(*) from pg_proc where pronamespace = n.oid) from
pg_namespace n where nspname not in ('{schema}', 'pg_catalog', 'information_schema')
and nspname !~ '^pg_(toast|temp)' order by 1"""


@pytest.fixture
async def crowded(fresh_database: str) -> AsyncIterator[AsyncEngine]:
    """A database of theirs, without a trace of chatbridge.

    Its search_path leads to their tables, whatever the role of the tests is called.
    """
    target = parse(fresh_database)
    engine = create_async_engine(
        target.url,
        connect_args=target.connect_args,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
    )
    database = target.url.database
    async with engine.connect() as connection:
        await connection.execute(text(f"drop schema {SCHEMA} cascade"))
        await connection.execute(text(f"alter database {database} set search_path = public"))
    async with engine.connect() as connection:
        for statement in filter(str.strip, THEIRS.split(";")):
            await connection.execute(text(statement))
    yield engine
    await engine.dispose()


async def theirs(engine: AsyncEngine, schema: str = SCHEMA) -> list[Any]:
    """All that is outside chatbridge's schema: what it is like, and every row."""
    statements = [
        _FOUND.format(schema=schema),
        _ELSEWHERE.format(schema=schema),
        "select * from pg_sequences order by sequencename",
        *(f'select xmin, * from public."{table}" order by 2' for table in TABLES),  # noqa: S608
    ]
    async with engine.connect() as connection:
        return [
            [tuple(row) for row in await connection.execute(text(statement))]
            for statement in statements
        ]


async def test_migrations_leave_the_tables_of_others_as_they_were(
    crowded: AsyncEngine, fresh_database: str
) -> None:
    before = await theirs(crowded)
    for act, revision in ((upgrade, "head"), (upgrade, "head"), (downgrade, "base")):
        await asyncio.to_thread(act, fresh_database, SCHEMA, revision)
        assert await theirs(crowded) == before


@pytest.mark.parametrize("suffix", ["", "?pgbouncer=true"], ids=["direct", "pooled"])
async def test_a_chat_with_tasks_leaves_the_tables_of_others_as_they_were(
    crowded: AsyncEngine, fresh_database: str, suffix: str
) -> None:
    before = await theirs(crowded, "our_chats")
    await asyncio.to_thread(upgrade, fresh_database, "our_chats", "head")
    settings = settings_for(fresh_database + suffix)
    database = settings.database.model_copy(update={"schema_name": "our_chats"})
    async with served(settings.model_copy(update={"database": database})) as service:
        alice = service.as_user("alice")
        conversation, _ = await say(alice, create("add a task: buy oat milk"))
        _, told = await say(alice, add(conversation, "what are my tasks?"))
        assert "buy oat milk" in text_of(shown(told)[-1])
        listed = await alice.get("/api/alice/conversations")
        assert [each["id"] for each in listed.json()["items"]] == [conversation]
        assert (await alice.delete(f"/api/alice/conversations/{conversation}")).is_success
    assert await theirs(crowded, "our_chats") == before
