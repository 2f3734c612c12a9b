import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn_event import TextDelta, Titled, TurnEvent
from tests.contracts.steps import opened, say, until
from tests.contracts.store import Replica, Store, said
from tests.contracts.turn_journal import TurnJournalContract
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
async def test_one_bad_event_stalls_no_other_turn(store: Store, bad: TurnEvent) -> None:
    culprit, *others = [await opened(store, f"turn_{n}", f"conv_{n}") for n in range(3)]
    async with store.journal.running():
        await say(store, culprit, *said("says_1", "good", finished=False))
        culprit.say(bad)
        await asyncio.gather(*(say(store, other, *said("says_2", "Hi")) for other in others))
        await until(culprit, lambda: culprit.refused)
        await say(store, others[0], Titled(title="Later"))
    assert await store.kept_events(culprit.turn) == list(said("says_1", "good", finished=False))
    assert culprit.durable == 2
    assert not any(other.refused or other.lost for other in others)


async def test_many_turns_are_written_a_hundred_at_a_time(fresh_database: str) -> None:
    async with proxied(fresh_database) as (proxy, url):
        engine = engine_on(url)
        store = postgres_replica(engine)(60.0)
        recordings = [await opened(store, f"turn_{n}", f"conv_{n}") for n in range(250)]
        trips = Trips(proxy)
        trips.since()
        for recording in recordings:
            recording.say(Titled(title="Hi"))
        async with store.journal.running():
            store.journal.wake()
            for recording in recordings:
                await until(recording, lambda r=recording: r.durable == 1)
        assert trips.since()["tick"] >= 3
        await engine.dispose()
