import pytest

from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.ports.blob_store import BlobStore
from tests.contracts.blob_store import BlobStoreContract


class TestMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self) -> BlobStore:
        return MemoryBlobStore()
