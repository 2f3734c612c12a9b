import pytest

from tests.contracts.attachment_repository import AttachmentRepositoryContract
from tests.contracts.store import Replica
from tests.unit.adapters.memory.stores import memory_replica


class TestMemoryAttachmentRepository(AttachmentRepositoryContract):
    @pytest.fixture
    def replica(self) -> Replica:
        return memory_replica()
