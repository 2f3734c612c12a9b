import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.store import Replica
from tests.contracts.turn_repository import TurnRepositoryContract
from tests.integration.postgres.stores import postgres_replica


class TestPostgresTurnRepository(TurnRepositoryContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)
