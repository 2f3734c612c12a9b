import pytest

from tests.contracts.conversation_repository import ConversationRepositoryContract
from tests.contracts.store import Replica
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryConversationRepository(ConversationRepositoryContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
