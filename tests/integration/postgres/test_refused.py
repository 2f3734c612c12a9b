"""Whatever the database refuses is a sentence with the statement that mends it, at `migrate` and at
`serve`; and once that was run, both go on by themselves."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import make_url

from chatbridge.adapters.postgres.migrate import grants_for, upgrade
from chatbridge.adapters.postgres.standing import Standing, require_servable
from chatbridge.adapters.postgres.store import PostgresStore
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.store import StoreSettings
from tests.integration.postgres.company import Company, company, psql
from tests.ports import free_port

SCHEMA = "chatbridge"

OWNED = "create schema chatbridge authorization {owner}"
CLOSED = "update pg_database set datallowconn = false where datname = current_database()"
THEIRS = (
    "create table chatbridge.messages (id integer)",
    "alter table chatbridge.messages owner to {owner}",
)
ALEMBIC = (
    "create table chatbridge.alembic_version (version_num text)",
    "insert into chatbridge.alembic_version values ('9f3c1d2e4b5a')",
    "grant select on chatbridge.alembic_version to {owner}",
)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Company]:
    async with company(fresh_database) as made:
        await made.run(OWNED)
        yield made


@asynccontextmanager
async def store(url: str) -> AsyncGenerator[PostgresStore]:
    """As `serve` opens it, whatever the database says."""
    settings = StoreSettings(url=url, directory=Path(), lease=5.0, schema=SCHEMA, pool_size=2)
    made = PostgresStore(settings)
    async with made.opened():
        yield made


async def refused_twice(url: str, served: PostgresStore) -> list[Unavailable]:
    """What `migrate` says, and what `/readyz` does."""
    with pytest.raises(Unavailable) as migrating:
        await asyncio.to_thread(upgrade, url, SCHEMA)
    with pytest.raises(Unavailable) as serving:
        await served.require_ready()
    for refusal in (migrating.value, serving.value):
        assert refusal.detail.endswith(".")
        assert "\n" not in refusal.detail
        assert "of a role of the tests" not in refusal.detail
    return [migrating.value, serving.value]


BROKEN = [
    ("alter role {owner} nologin", "28000", "database_refused"),
    (CLOSED, "55000", "database_refused"),
    ("revoke connect on database {database} from public", "42501", "database_refused"),
    ("alter role {owner} set default_transaction_read_only = on", "25006", "database_refused"),
    ("alter role {owner} connection limit 0", "53300", "database_unavailable"),
]


async def test_the_statement_that_a_refusal_names_mends_it(shop: Company) -> None:
    url = shop.url_of(shop.owner)
    async with store(url) as served:
        for broken, state, code in BROKEN:
            await shop.run("drop schema chatbridge cascade", OWNED, broken)
            await served.engine.dispose()
            for refusal in await refused_twice(url, served):
                assert state in refusal.detail
                assert refusal.code == code
            await shop.mend(refusal.detail)
            await asyncio.to_thread(upgrade, url, SCHEMA)
            await served.require_ready()


@pytest.mark.parametrize(
    "broken",
    [("alter schema chatbridge owner to {app}",), ("drop schema chatbridge",)],
    ids=["may not make tables", "may not make the schema"],
)
async def test_who_may_not_migrate_is_told_what_would_let_it(
    shop: Company, broken: tuple[str, ...]
) -> None:
    url = shop.url_of(shop.owner)
    await shop.run(*broken)
    with pytest.raises(Unavailable) as refused:
        await asyncio.to_thread(upgrade, url, SCHEMA)
    assert "42501" in refused.value.detail
    await shop.mend(refused.value.detail)
    assert str(await asyncio.to_thread(upgrade, url, SCHEMA)) == "none -> 0001"


@dataclass(frozen=True)
class Elsewhere:
    """A URL that leads nowhere, by what is changed in a good one."""

    says: str
    password: str = "of a role of the tests"
    host: str | None = None
    database: str | None = None
    port: int | None = None
    query: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, shop: Company) -> str:
        url = make_url(shop.url_of(shop.owner, self.password)).update_query_dict(self.query)
        url = url.set(host=self.host, database=self.database, port=self.port)
        return url.render_as_string(hide_password=False)


ELSEWHERE = [
    Elsewhere("with this password: mend DATABASE_URL, or `create role", password="wrong"),
    Elsewhere("`create database nothing encoding 'UTF8' template", database="nothing"),
    Elsewhere("Nobody knows the name db.invalid", host="db.invalid"),
    Elsewhere("Nobody listens at 127.0.0.1:", port=free_port()),
    Elsewhere("has no TLS, which DATABASE_URL asks for", query={"sslmode": "require"}),
    Elsewhere("42704: unrecognized configuration", query={"options": "-cnonsense=1"}),
]


async def test_a_url_that_leads_nowhere_says_where_it_ends(shop: Company) -> None:
    for wrong in ELSEWHERE:
        url = wrong.of(shop)
        async with store(url) as served:
            migrating, serving = await refused_twice(url, served)
        assert wrong.says in migrating.detail
        assert migrating.code == serving.code


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (THEIRS, "already has messages, made by somebody else"),
        (ALEMBIC, "another application's Alembic has made it"),
    ],
    ids=["tables", "Alembic"],
)
async def test_a_schema_of_somebody_elses_is_left_to_them(
    shop: Company, made: tuple[str, ...], says: str
) -> None:
    await shop.run(*made)
    url = shop.url_of(shop.owner)
    async with store(url) as served:
        migrating, serving = await refused_twice(url, served)
    assert says in migrating.detail
    assert "CHATBRIDGE_DATABASE__SCHEMA" in migrating.detail
    assert serving.code == "schema_missing"


async def test_a_newer_schema_is_served_and_not_migrated(shop: Company) -> None:
    url = shop.url_of(shop.owner)
    await asyncio.to_thread(upgrade, url, SCHEMA)
    await shop.run("update chatbridge.alembic_version set version_num = '0099'")
    async with store(url) as served:
        await served.require_ready()
        await shop.run("alter function chatbridge.begin_turn_1 rename to begin_turn_2")
        with pytest.raises(Unavailable, match=r"has no begin_turn_1: this version .* is too old"):
            await served.require_ready()
    with pytest.raises(Unavailable, match=r"revision 0099, .* a newer one has migrated it"):
        await asyncio.to_thread(upgrade, url, SCHEMA)


async def test_row_level_security_without_a_policy_is_told_until_it_lets_us_in(
    shop: Company,
) -> None:
    await asyncio.to_thread(upgrade, shop.url_of(shop.owner), SCHEMA)
    psql(shop.url, await asyncio.to_thread(grants_for, shop.url, SCHEMA, shop.app))
    tables = ("tasks", "messages", "alembic_version")
    async with store(shop.url_of(shop.app)) as served:
        for table in tables:
            await shop.run(f"alter table chatbridge.{table} enable row level security")
        with pytest.raises(Unavailable, match="Row level security") as refused:
            await served.require_ready()
        assert refused.value.code == "database_refused"
        assert all(f"chatbridge.{table} disable" in refused.value.detail for table in tables)
        await shop.mend(refused.value.detail)
        await served.require_ready()
        await shop.run(
            "alter table chatbridge.tasks enable row level security",
            "create policy reads on chatbridge.tasks for select using (true)",
        )
        with pytest.raises(Unavailable, match=r"`alter table chatbridge\.tasks disable"):
            await served.require_ready()
        await shop.run("create policy ours on chatbridge.tasks to {app} using (true)")
        await served.require_ready()


async def test_row_level_security_is_nothing_to_the_owner_unless_it_is_forced(
    shop: Company,
) -> None:
    url = shop.url_of(shop.owner)
    await asyncio.to_thread(upgrade, url, SCHEMA)
    await shop.run("alter table chatbridge.alembic_version enable row level security")
    async with store(url) as served:
        await served.require_ready()
        await shop.run("alter table chatbridge.alembic_version force row level security")
        for refusal in await refused_twice(url, served):
            assert "chatbridge.alembic_version disable row level security" in refusal.detail


async def test_a_table_that_is_lost_is_no_other_version(shop: Company) -> None:
    url = shop.url_of(shop.owner)
    await asyncio.to_thread(upgrade, url, SCHEMA)
    async with store(url) as served:
        await shop.run("alter table chatbridge.tasks rename to tasks_before")
        for refusal in await refused_twice(url, served):
            assert "at the revision 0001 and has lost tasks: restore it" in refusal.detail
        await shop.run("alter table chatbridge.tasks_before rename to tasks")
        await served.require_ready()
    for statement, lost in (
        ("drop function chatbridge.keep_turns_1", "at the revision 0001 and has lost keep_turns_1"),
        ("drop view chatbridge.answers", "has lost keep_turns_1, answers: restore it"),
        ("delete from chatbridge.alembic_version", "has lost its revision, the row of alembic"),
        ("drop table chatbridge.alembic_version", "has lost its revision, the row of alembic"),
    ):
        await shop.run(statement)
        with pytest.raises(Unavailable) as raised:
            await asyncio.to_thread(upgrade, url, SCHEMA)
        assert lost in raised.value.detail


async def test_a_database_in_another_encoding_is_refused(shop: Company) -> None:
    name = f"{shop.database}_latin1"
    await shop.run(f"create database {name} encoding 'LATIN1' locale 'C' template template0")
    try:
        url = make_url(shop.url).set(database=name).render_as_string(hide_password=False)
        async with store(url) as served:
            migrating, serving = await refused_twice(url, served)
    finally:
        await shop.run(f"drop database {name} with (force)")
    assert migrating.detail == serving.detail
    assert "encoded in LATIN1" in migrating.detail


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("major", 13, "The server is Postgres 13.9; chatbridge needs 15 or later."),
        ("is_standby", True, "name the primary in DATABASE_URL"),
    ],
)
def test_a_server_that_can_not_do_is_refused(column: str, value: object, says: str) -> None:
    fit = {
        "schema": SCHEMA,
        "role": "app",
        "database": "shop",
        "server": "13.9",
        "major": 18,
        "encoding": "UTF8",
        "is_standby": False,
        "only_reads": False,
    }
    may = dict.fromkeys(
        ("may_make_schemas", "has_plpgsql", "has_schema", "may_use", "may_make"), True
    )
    known = Standing(**{**fit, **may, column: value})  # pyright: ignore
    with pytest.raises(Unavailable) as refused:
        require_servable(known, older=set(), own=None)
    assert says in refused.value.detail
