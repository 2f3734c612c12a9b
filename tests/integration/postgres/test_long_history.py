"""What a turn costs does not grow with its conversation: counted in blocks, never in time."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.domain.model.identifiers import MessageId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Changes
from tests.contracts.steps import WINDOW, begin, ending, entry
from tests.contracts.store import C1, ask, said
from tests.contracts.turn_journal import HI
from tests.integration.postgres.stores import postgres_replica
from tests.postgres import engine_on

SHORT, LONG = 20, 100_000
DEEPER = 24
"""The blocks that may be added: each index that is walked may be some levels deeper."""

AT_ONCE = 20_000
_CONVERSATION = """
insert into chatbridge.conversations (user_id, id, last_position, counted)
  values ('{user}', :id, :n, :n)"""
_TALK = """
insert into chatbridge.turns
  (user_id, id, conversation_id, subject_position, retry, state, lease_until, watchable,
    created_at, ended_at)
  select '{user}', :id || '_' || n, :id, n, false, 'completed', now(), false,
    now() - interval '1 day' + n * interval '1 ms', now() - interval '2 hours'
  from generate_series(cast(:first as integer), :last, 2) n;
insert into chatbridge.messages
  (user_id, conversation_id, position, id, turn_id, role, kind, content)
  select '{user}', :id, n, :id || '_msg_' || n, :id || '_' || (n - (n + 1) % 2),
    case n % 2 when 1 then 'user' else 'assistant' end, 'text', 'Word after word.'
  from generate_series(cast(:first as integer), :last) n"""

_OTHERS = """
insert into chatbridge.conversations (user_id, id, last_position, counted)
  select 'user_' || n, 'conv_of_' || n, 2, 2 from generate_series(1, 3000) n;
insert into chatbridge.messages (user_id, conversation_id, position, id, role, kind)
  select c.user_id, c.id, n, 'msg_' || n, 'user', 'text'
  from chatbridge.conversations c, generate_series(1, 2) n where c.user_id like 'user_%';
analyze chatbridge.messages;
set plan_cache_mode = force_generic_plan"""

RUNNING = 60
_RUN_AND_END = """
insert into chatbridge.conversations (user_id, id)
  select 'user_' || n % 40, 'conv_' || n from generate_series(1, 5000) n;
insert into chatbridge.turns (user_id, id, conversation_id, subject_position, retry, lease_until)
  select user_id, 'turn_' || id, id, 1, false, now() + interval '1 hour'
  from chatbridge.conversations where user_id like 'user_%';
update chatbridge.turns set state = 'completed'
  where state = 'running' and substr(conversation_id, 6)::integer > {running};
analyze chatbridge.turns"""


@pytest.fixture
async def engine(fresh_database: str) -> AsyncGenerator[AsyncEngine]:
    """What is asked one after the other is asked on one connection, whose counters are read."""
    engine = engine_on(fresh_database)
    yield engine
    await engine.dispose()


async def _fill(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        for user, length in (("short", SHORT), ("long", LONG)):
            made = text(_CONVERSATION.format(user=user))
            await connection.execute(made, {"id": C1, "n": length})
            for first in range(1, length, AT_ONCE):
                part = {"id": C1, "first": first, "last": min(length, first + AT_ONCE - 1)}
                for statement in _TALK.format(user=user).split(";"):
                    await connection.execute(text(statement), part)
        await connection.execute(text("set session_replication_role = origin"))
        for statement in _OTHERS.split(";"):
            await connection.execute(text(statement))


async def _blocks(engine: AsyncEngine) -> int:
    """How many blocks of tables and indexes were read or written so far."""
    async with engine.connect() as connection:
        await connection.execute(text("select pg_stat_force_next_flush()"))
        counted = await connection.scalar(
            text(
                "select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)"
                " from pg_statio_user_tables where schemaname = 'chatbridge'"
            )
        )
        return int(counted or 0)


async def _a_turn(engine: AsyncEngine, user: str) -> dict[str, int]:
    """The blocks that each call of a turn touches."""
    store, owner = postgres_replica(engine)(60.0), UserId(user)
    begun = await begin(store, ask("turn_0", user_id=owner))
    await store.turns.finish(begun.turn, ending(begun.turn, said("says_0", "Hello")))
    touched: dict[str, int] = {}

    async def count(name: str, work: Awaitable[Any]) -> Any:
        before = await _blocks(engine)
        done = await work
        touched[name] = await _blocks(engine) - before
        return done

    begun = await count("begin", begin(store, ask("turn_new", user_id=owner)))
    assert len(begun.newest) == WINDOW.high
    await count("keep", store.journal.keep([entry(begun.turn, *HI)]))
    await count("finish", store.turns.finish(begun.turn, ending(begun.turn, HI, kept=len(HI))))
    last = await count("last", store.turns.last(owner, C1))
    assert last.id == "turn_new"
    page = await count("messages", store.conversations.messages(owner, C1, PageRequest(limit=20)))
    assert len(page.items) == 20
    asked, says = MessageId("turn_new_asks"), said("says_again", "Ho")
    further = PageRequest(limit=20, order="desc", after=asked)
    await count("messages after", store.conversations.messages(owner, C1, further))
    await count("message", store.conversations.message(owner, C1, asked))
    await count("feedback", store.conversations.save_feedback(owner, C1, [asked], "positive"))
    await count(
        "change", store.conversations.change(owner, C1, Changes(removed=(MessageId("no"),)))
    )
    again = ask("turn_again", user_id=owner, retry_of=asked)
    begun = await count("begin again", begin(store, again))
    await count("finish again", store.turns.finish(begun.turn, ending(begun.turn, says)))
    return touched


async def test_a_sweep_costs_the_same_whatever_has_ended_since(engine: AsyncEngine) -> None:
    """Of running turns so many that a planner would think of a bitmap, which cleans nothing up."""
    async with engine.connect() as connection:
        for statement in _RUN_AND_END.format(running=RUNNING).split(";"):
            await connection.execute(text(statement))
    store = postgres_replica(engine)(60.0)
    swept: list[int] = []
    for _ in range(2):
        before = await _blocks(engine)
        assert await store.turns.stale() == ()
        swept.append(await _blocks(engine) - before)
    assert swept[1] <= RUNNING + DEEPER < swept[0]


async def test_a_tick_reads_no_turns_but_its_own(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for statement in _RUN_AND_END.format(running=10 * RUNNING).split(";"):
            await connection.execute(text(statement))
    store = postgres_replica(engine)(60.0)
    begun = await begin(store, ask(new=True))
    before = await _blocks(engine)
    await store.journal.keep([entry(begun.turn, *HI)])
    assert await _blocks(engine) - before < 2 * RUNNING


async def test_a_turn_costs_the_same_in_a_conversation_of_a_hundred_thousand_messages(
    engine: AsyncEngine,
) -> None:
    await _fill(engine)
    short, long = [await _a_turn(engine, user) for user in ("short", "long")]
    assert {name: long[name] for name in long if long[name] > short[name] + DEEPER} == {}, short


_LONG_WORDS = """
insert into chatbridge.conversations (user_id, id, last_position, counted)
  values ('alice', :id, 60, 60);
insert into chatbridge.messages
  (user_id, conversation_id, position, id, role, kind, content, payload)
  select 'alice', :id, n, 'msg_' || n, case n % 2 when 1 then 'user' else 'assistant' end, 'text',
    case n % 2 when 1 then words else '' end,
    case n % 2 when 0 then json_build_object('words', words) end
  from generate_series(1, 60) n, lateral
    (select string_agg(md5(n::text || k), '') as words from generate_series(1, 4000) k)"""


async def test_of_messages_that_a_page_or_a_window_does_not_hold_only_the_sizes_are_read(
    fresh_database: str,
) -> None:
    engine = engine_on(fresh_database)
    async with engine.connect() as connection:
        for statement in _LONG_WORDS.split(";"):
            await connection.execute(text(statement), {"id": C1})
    store = postgres_replica(engine)(60.0)

    async def read(work: Awaitable[Any]) -> tuple[Any, float]:
        """What it answers, and how much of what is kept out of line it has read, in MB."""
        before = await _large_blocks(engine)
        done = await work
        return done, (await _large_blocks(engine) - before) * 8192 / MAX_PAGE

    page, of_page = await read(
        store.conversations.messages(UserId("alice"), C1, PageRequest(limit=60, order="desc"))
    )
    begun, of_window = await read(store.turns.begin(ask(), WINDOW.high, MAX_PAGE))
    await engine.dispose()
    # each block comes with some of the index that leads to it
    assert (len(page.items), page.next) == (9, "msg_52")
    assert of_page < 2
    assert len(begun.newest) == 10
    assert of_window < 2


async def _large_blocks(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        await connection.execute(text("select pg_stat_force_next_flush()"))
        counted = await connection.scalar(
            text(
                "select sum(toast_blks_hit + toast_blks_read) from pg_statio_user_tables"
                " where schemaname = 'chatbridge'"
            )
        )
        return int(counted or 0)
