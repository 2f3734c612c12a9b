from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.domain.model.errors import Unkeepable
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn_event import TextDelta, Titled, TurnEvent
from tests.contracts.steps import begin, entry, keep
from tests.contracts.store import Replica, Store, ask
from tests.contracts.turn_journal import HI, TurnJournalContract
from tests.integration.postgres.stores import postgres_replica
from tests.postgres import engine_on
from tests.round_trips import Trips
from tests.tcp_proxy import proxied


class TestPostgresTurnJournal(TurnJournalContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)


POISON = TextDelta(message_id=MessageId("says_1"), text="poison")
UNWRITABLE = Titled(title=object())  # type: ignore[arg-type]


@pytest.fixture
async def store(fresh_database: str) -> AsyncGenerator[Store]:
    """A store that can't keep one text, whatever the reason."""
    engine = engine_on(fresh_database)
    async with engine.connect() as connection:
        await connection.execute(
            text("alter table chatbridge.turn_events add check (event->>'text' <> 'poison')")
        )
    yield postgres_replica(engine)(5.0)
    await engine.dispose()


@pytest.mark.parametrize("bad", [POISON, UNWRITABLE], ids=["poison", "unwritable"])
async def test_what_can_not_be_kept_is_refused_in_words(store: Store, bad: TurnEvent) -> None:
    begun = await begin(store, ask(new=True))
    await keep(store, begun.turn, *HI)
    with pytest.raises(Unkeepable, match="can't be kept"):
        await keep(store, begun.turn, bad, after=3)
    assert await store.kept_events(begun.turn) == list(HI)


async def test_a_turn_whose_row_is_locked_waits_and_stalls_no_other(
    clean_engine: AsyncEngine,
) -> None:
    store = postgres_replica(clean_engine)(5.0)
    locked, free = [
        (await begin(store, ask(f"turn_{n}", conversation_id=f"conv_{n}", new=True))).turn
        for n in range(2)
    ]
    async with clean_engine.connect() as connection:
        await connection.execution_options(isolation_level="READ COMMITTED")
        row = text("select 1 from chatbridge.turns where id = :id for update")
        await connection.execute(row, {"id": locked.id})
        outcomes = await store.journal.keep([entry(locked, *HI), entry(free, *HI)])
        await connection.rollback()
    assert list(outcomes) == ["busy", "kept"]
    assert await store.kept_events(locked) == []
    assert await keep(store, locked, *HI) == "kept"


async def test_all_turns_together_are_one_round_trip(fresh_database: str) -> None:
    async with proxied(fresh_database) as (proxy, url):
        engine = engine_on(url)
        store = postgres_replica(engine)(60.0)
        turns = [
            (await begin(store, ask(f"turn_{n}", conversation_id=f"conv_{n}", new=True))).turn
            for n in range(50)
        ]
        trips = Trips(proxy)
        trips.since()
        await store.journal.keep([entry(turn, *HI) for turn in turns])
        assert trips.since()["tick"] == 1
        await engine.dispose()
