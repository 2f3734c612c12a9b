import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.counterpart_repository import CounterpartRepositoryContract
from tests.contracts.store import Replica
from tests.integration.postgres.stores import postgres_replica


class TestPostgresCounterpartRepository(CounterpartRepositoryContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)
