"""A directory keeps the contract, without taking a file into memory."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbridge.adapters.local.blob_store import LocalBlobStore
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.blob_store import BlobStore
from tests.contracts.blob_store import NAME, BlobStoreContract, parts

MEGABYTE = 1024 * 1024


class TestLocalBlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> BlobStore:
        self.directory = tmp_path / "blobs"
        return LocalBlobStore(self.directory)

    async def left_over(self, blobs: BlobStore) -> int:
        return len([file for file in self.directory.rglob("*") if file.is_file()])

    async def test_nobody_else_of_the_machine_reads_it(self, blobs: BlobStore) -> None:
        await blobs.put(NAME, parts(b"mine"))
        modes = [oct(place.stat().st_mode & 0o777) for place in sorted(self.directory.rglob("*"))]
        assert modes == ["0o700", "0o600"]

    async def test_what_a_kill_has_left_goes_with_the_blob(self, blobs: BlobStore) -> None:
        await blobs.put(NAME, parts(b"mine"))
        (self.directory / "a/blob_1.0123.part").write_bytes(b"half")
        await blobs.delete(NAME)
        assert await self.left_over(blobs) == 0

    async def test_200_megabytes_cost_two_of_memory(self, blobs: BlobStore) -> None:
        async def much() -> AsyncIterator[bytes]:
            for _ in range(200 * 16):
                yield bytes(MEGABYTE // 16)

        tracemalloc.start()
        try:
            assert await blobs.put(NAME, much()) == 200 * MEGABYTE
            async for _ in await blobs.get(NAME):
                pass
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * MEGABYTE
        await blobs.delete(NAME)

    @pytest.mark.parametrize("name", ["../a", "a//b", "/a", "", "a.part", "A"])
    async def test_a_name_leads_nowhere_else(self, blobs: BlobStore, name: str) -> None:
        with pytest.raises(ValueError, match="no name"):
            await blobs.put(name, parts(b"x"))

    async def test_a_directory_that_is_away_is_said_to_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        blobs = LocalBlobStore(tmp_path / "file")
        with pytest.raises(Unavailable):
            await blobs.put(NAME, parts(b"x"))
