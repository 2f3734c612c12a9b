import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.standing_approvals import StandingApprovalContract
from tests.contracts.store import Replica
from tests.integration.postgres.stores import postgres_replica


class TestPostgresStandingApprovals(StandingApprovalContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)
