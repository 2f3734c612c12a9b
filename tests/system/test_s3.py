"""A bucket of a real S3-compatible server keeps the contract, and what browsers may put there."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from chatbridge.adapters.s3.blob_store import S3BlobStore
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.blob_store import BlobStore
from tests.contracts.blob_store import NAME, BlobStoreContract, parts, read
from tests.system.seaweedfs import SeaweedFS, seaweedfs


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SeaweedFS]:
    async with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server
        # its threads may still call into this interpreter, which must not end just now
        await asyncio.sleep(0.1)


class TestS3BlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self, server: SeaweedFS) -> BlobStore:
        self.server = server
        return S3BlobStore(server.bucket, "test/", straight=True)

    async def left_over(self, blobs: BlobStore) -> int:
        """Uploads of parts that were neither ended nor given up."""
        return await self.server.open_uploads()

    @pytest.mark.parametrize(
        ("sent", "body", "status"),
        [
            ({"content-type": "image/png", "if-none-match": "*"}, b"12345", 200),
            ({"content-type": "image/png", "if-none-match": "*"}, b"123456789", 403),
            ({"content-type": "text/html", "if-none-match": "*"}, b"12345", 403),
            ({"if-none-match": "*"}, b"12345", 403),
            ({"content-type": "image/png"}, b"12345", 403),
        ],
    )
    async def test_an_address_is_good_for_one_size_and_type(
        self, blobs: BlobStore, sent: dict[str, str], body: bytes, status: int
    ) -> None:
        upload = blobs.upload("a/blob_2", size=5, media_type="image/png", seconds=60)
        assert upload
        async with httpx.AsyncClient() as browser:
            assert (await browser.put(upload.url, content=body, headers=sent)).status_code == status
        assert await blobs.size("a/blob_2") == (5 if status == 200 else None)
        if status == 200:
            assert await read(blobs, "a/blob_2") == b"12345"
        await blobs.delete("a/blob_2")

    @pytest.mark.parametrize(
        "wrong",
        [{"secret_access_key": "another-secret-0123456789"}, {"endpoint": "http://127.0.0.1:1"}],
    )
    async def test_one_that_is_away_or_refuses_us_is_said_to_be(
        self, server: SeaweedFS, wrong: dict[str, str]
    ) -> None:
        blobs = S3BlobStore(replace(server.bucket, **wrong))
        with pytest.raises(Unavailable):
            await blobs.put(NAME, parts(b"x"))
        with pytest.raises(Unavailable):
            await blobs.get(NAME)
