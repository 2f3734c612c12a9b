import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.contracts.attachment_repository import AttachmentRepositoryContract
from tests.contracts.store import Replica
from tests.integration.postgres.stores import postgres_replica


class TestPostgresAttachmentRepository(AttachmentRepositoryContract):
    @pytest.fixture
    def replica(self, clean_engine: AsyncEngine) -> Replica:
        return postgres_replica(clean_engine)
