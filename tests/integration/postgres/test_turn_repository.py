import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.store import ALICE, C1, Replica, Store
from tests.contracts.turn_repository import TurnRepositoryContract
from tests.contracts.turn_waiting import approval, waiting
from tests.integration.postgres.stores import postgres_replica


class TestPostgresTurnRepository(TurnRepositoryContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)

    async def test_an_answer_whose_commit_was_lost_is_kept_once(self, store: Store) -> None:
        await waiting(store, "call_1", "call_2")
        for id, epoch in (("call_1", 1), ("call_2", 2)):
            opened = await store.turns.opened(ALICE, C1)
            given = approval(opened.events, id)
            once, again = [await store.turns.answer(opened, given) for _ in range(2)]
            assert once is not None
            assert again == once
            assert once.turn.epoch == epoch
            kept = await store.turns.opened(ALICE, C1)
            assert kept.events == (*opened.events, *given)
            assert await store.turns.answer(opened, approval(opened.events, id)) is None
