import pytest

from tests.contracts.standing_approvals import StandingApprovalContract
from tests.contracts.store import Replica
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryStandingApprovals(StandingApprovalContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
