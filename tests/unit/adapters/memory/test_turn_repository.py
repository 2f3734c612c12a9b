import pytest

from tests.contracts.store import Replica
from tests.contracts.turn_repository import TurnRepositoryContract
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryTurnRepository(TurnRepositoryContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
