import pytest

from tests.contracts.counterpart_repository import CounterpartRepositoryContract
from tests.contracts.store import Replica
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryCounterpartRepository(CounterpartRepositoryContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
