import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.conversation_repository import ConversationRepositoryContract
from tests.contracts.store import Replica
from tests.integration.postgres.stores import postgres_replica


class TestPostgresConversationRepository(ConversationRepositoryContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)
