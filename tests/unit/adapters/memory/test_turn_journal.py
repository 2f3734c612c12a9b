import pytest

from tests.contracts.store import Replica
from tests.contracts.turn_journal import TurnJournalContract
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryTurnJournal(TurnJournalContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
