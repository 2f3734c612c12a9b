"""One role migrates and another serves, in a database that a company's DBA has made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.migrate import grants_for, require_current, upgrade
from chatbridge.adapters.postgres.rights import (
    FUNCTIONS,
    RIGHTS,
    TABLES,
    VERSION,
    grants,
    on_function,
    on_table,
)
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.counterpart import CounterpartId
from chatbridge.domain.model.errors import Conflict, Unavailable
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Changes, Rest
from chatbridge.ports.turn_repository import Begun
from tests.chatkit_client import add, create, items, retry, say, shown, text_of
from tests.contracts.attachment_repository import MUCH, ONE, brought
from tests.contracts.steps import begin, entry, finish, refused
from tests.contracts.store import ALICE, C1, NOON, ask, message, said
from tests.contracts.turn_showing import press
from tests.contracts.turn_waiting import approval, asked
from tests.integration.http.asking import require_refused
from tests.integration.postgres.company import Company, company, psql
from tests.integration.postgres.stores import postgres_replica
from tests.postgres import engine_on
from tests.serving import served, settings_for
from tests.unit.test_docs import ROOT, blocks, section
from tests.waiting import PATIENCE

_EMPTIED = ("delete from chatbridge.conversations", "delete from chatbridge.task_calls")

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

SCHEMA = "chatbridge"
STANDING = StandingApproval(
    id=ApprovalId("appr_1"), source="tasks", tool="delete_task", fingerprint="v1", created_at=NOON
)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Company]:
    async with company(fresh_database) as made:
        yield made


@pytest.fixture
async def serving(shop: Company) -> AsyncIterator[AsyncEngine]:
    """As the role that serves."""
    engine = engine_on(shop.url_of(shop.app))
    yield engine
    await engine.dispose()


async def migrated(shop: Company) -> str:
    """Made by its owner, in a schema that the DBA has made."""
    await shop.run("create schema chatbridge authorization {owner}")
    return str(await asyncio.to_thread(upgrade, shop.url_of(shop.owner), SCHEMA))


async def granted(shop: Company) -> None:
    """What is printed is piped into psql."""
    url = shop.url_of(shop.owner)
    printed = await asyncio.to_thread(grants_for, url, SCHEMA, shop.app)
    await asyncio.to_thread(psql, url, printed)


@pytest.mark.parametrize(
    "made",
    [
        ("create schema chatbridge authorization {owner}",),
        ("create schema chatbridge", "grant usage, create on schema chatbridge to {owner}"),
        ("grant create on database {database} to {owner}",),
    ],
    ids=["it owns the schema", "it may create in the schema", "it may create schemas"],
)
async def test_a_role_migrates_with_no_more_rights_than_it_needs(
    shop: Company, made: tuple[str, ...]
) -> None:
    await shop.run(*made)
    url = shop.url_of(shop.owner)
    assert str(await asyncio.to_thread(upgrade, url, SCHEMA)) == "none -> 0001"
    assert str(await asyncio.to_thread(upgrade, url, SCHEMA)) == "at 0001, nothing to do"


async def test_what_is_printed_for_another_role_lets_it_serve(shop: Company) -> None:
    await migrated(shop)
    await granted(shop)
    async with served(settings_for(shop.url_of(shop.app))) as service:
        alice = service.as_user("alice")
        assert (await alice.get("/readyz")).status_code == 200
        conversation, told = await say(alice, create("add a task: buy oat milk"))
        assert "buy oat milk" in text_of(shown(told)[-1])
        listed = (await alice.post("/chatkit", json=items(conversation))).json()["data"]
        await say(alice, retry(conversation, listed[0]["id"]))
        await say(alice, add(conversation, "delete task 1"))
        assert (await alice.get("/api/alice/tasks")).is_success
        deleted = await alice.delete(f"/api/alice/conversations/{conversation}")
        assert deleted.is_success


def refuse(begun: Begun) -> None:
    raise refusals.action_not_offered()


async def everything(engine: AsyncEngine) -> None:
    """Each statement of each repository. Raises what a caller sees."""
    store, tasks = postgres_replica(engine)(5.0), PostgresTaskRepository(engine, SCHEMA)
    conversations, turns = store.conversations, store.turns
    begun = await begin(store, ask("turn_1", new=True))
    await store.journal.keep([entry(begun.turn, *said("says_1", "Hi"))])
    await turns.ask_cancel(ALICE, C1)
    await finish(store, begun, said("says_1", "Hi"))
    again = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
    await turns.abandon_running()
    await turns.stale()
    claimed = await turns.claim_stale(ALICE, C1)
    assert claimed
    await finish(store, claimed, said("says_2", "Ho"))
    waits = await begin(store, ask("turn_3"))
    await turns.wait(waits.turn, Rest(seconds=60, tail=tuple(enumerate(asked("call_1"), 1))))
    opened = await turns.opened(ALICE, C1)
    gone_on = await turns.answer(opened, approval(opened.events), standing=STANDING)
    assert gone_on
    await conversations.standing_approvals(ALICE, C1)
    await conversations.revoke(ALICE, C1, STANDING.id)
    await finish(store, gone_on, (), "cancelled")
    await refused(store, press("turn_4", judge=refuse), Conflict, "action_not_offered")
    await turns.turn(ALICE, again.turn.id)
    await turns.last(ALICE, C1)
    await turns.progress(ALICE, again.turn.id)
    await conversations.get(ALICE, C1)
    await conversations.list(ALICE, PageRequest())
    await conversations.messages(ALICE, C1, PageRequest())
    await conversations.message(ALICE, C1, MessageId("says_2"))
    new = (message("says_2", "Hi", role="assistant"),)
    await conversations.change(ALICE, C1, Changes(replaced=new))
    await conversations.rename(ALICE, C1, "Milk")
    for kind in ("positive", None):
        await conversations.save_feedback(ALICE, C1, [MessageId("says_2")], kind)
    task = await tasks.add(ALICE, "milk", key="key_1")
    await tasks.update(ALICE, task.number, done=True, key="key_2")
    await tasks.list(ALICE)
    await tasks.delete(ALICE, task.number, key="key_3")
    its = CounterpartId("conv_there")
    await store.counterparts.give(ALICE, C1, its)
    await store.counterparts.part(ALICE, its)
    await store.counterparts.forget(ALICE, its)
    await store.attachments.add(brought(), MUCH)
    await store.attachments.attempt(ALICE, ONE)
    await store.attachments.left()
    await store.attachments.forget(ALICE, ONE)
    await conversations.delete(ALICE, C1)


async def ready(engine: AsyncEngine) -> str:
    """Empty, or why the role can't serve."""
    try:
        await require_current(engine, SCHEMA)
    except Unavailable as refusal:
        return refusal.detail
    return ""


async def test_each_right_is_needed_and_its_lack_names_the_statement_that_grants_it(
    shop: Company, serving: AsyncEngine
) -> None:
    await migrated(shop)
    await granted(shop)
    await everything(serving)
    each = [
        on_table(SCHEMA, table, (right,), shop.app) for table in RIGHTS for right in RIGHTS[table]
    ]
    each += [on_function(SCHEMA, function, shop.app) for function in FUNCTIONS]
    await shop.run("revoke execute on all functions in schema chatbridge from public")
    for grant in each:
        revoke = grant.replace("grant ", "revoke ", 1).replace(" to ", " from ", 1)
        await shop.dba.execute(text(revoke))
        why = await ready(serving)
        assert f"`{grant}`" in why
        if "alembic_version" not in grant:
            with pytest.raises(Unavailable) as refused:
                await everything(serving)
            assert refused.value.code == "database_refused", grant
            await shop.run(
                "delete from chatbridge.conversations",
                "delete from chatbridge.task_calls",
                "delete from chatbridge.attachments",
            )
        await shop.mend(why)
        assert await ready(serving) == ""
    await everything(serving)


async def readyz(client: httpx.AsyncClient, status: int, code: str | None) -> httpx.Response:
    """Its answer, once it is this one: it asks the database once a second."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await client.get("/readyz")
            if (answer.status_code, answer.json().get("code")) == (status, code):
                return answer
            await asyncio.sleep(0.1)


def test_every_table_and_function_has_its_rights() -> None:
    functions = (ROOT / "src/chatbridge/adapters/postgres/migrations/functions").glob("*.sql")
    assert {*RIGHTS} == {VERSION, *TABLES}
    assert {*FUNCTIONS} == {path.stem for path in functions}


async def test_a_replica_that_may_not_migrate_says_what_it_waits_for_and_becomes_ready_by_itself(
    shop: Company, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[tuple[str, str, Callable[[], Awaitable[object]]]] = [
        (
            "schema_missing",
            "has no schema chatbridge: run `chatbridge migrate`",
            lambda: migrated(shop),
        ),
        ("database_refused", "`grant usage on schema chatbridge to ", lambda: granted(shop)),
    ]
    async with served(settings_for(shop.url_of(shop.app))) as service:
        alice = service.as_user("alice")
        for code, told, done in steps:
            problem = require_refused(await readyz(alice, 503, code), 503, code)
            assert told in problem["detail"]
            require_refused(await alice.post("/chatkit", json=create("hello")), 503, code)
            assert sum(problem["detail"] in line for line in caplog.messages) == 1
            await done()
        await readyz(alice, 200, None)
        await say(alice, create("hello"))
    assert "ready: the store can be used again" in caplog.messages


async def test_the_documented_roles_are_made_as_documented(shop: Company) -> None:
    told = section("The database", OPERATIONS).partition("### Roles\n")[2]
    made, printed = "\n".join(blocks(told, "sql")).split("begin;\n")
    assert f"begin;\n{printed}" == grants(SCHEMA, "chatbridge_app", "chatbridge_owner")
    tag = shop.app.rpartition(" ")[2]
    owner, app = f"chatbridge_owner_{tag}", f"chatbridge_app_{tag}"
    as_told = made.replace("chatbridge_owner", owner).replace("chatbridge_app", app)
    try:
        for statement in filter(str.strip, as_told.split(";")):
            await shop.run(statement)
        url = shop.url_of(owner, "...")
        await asyncio.to_thread(upgrade, url, SCHEMA)
        await asyncio.to_thread(psql, url, await asyncio.to_thread(grants_for, url, SCHEMA, app))
        engine = engine_on(shop.url_of(app, "..."))
        await require_current(engine, SCHEMA)
        await engine.dispose()
    finally:
        await shop.run("drop schema chatbridge cascade")
        await shop.run(f"drop owned by {owner}, {app}", f"drop role {owner}, {app}")
