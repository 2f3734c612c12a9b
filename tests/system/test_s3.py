"""A bucket of a real S3-compatible server keeps the contract, and what browsers may put there."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chatbridge.adapters.s3.blob_store import S3BlobStore
from chatbridge.adapters.s3.presigned import presigned_put
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.blob_store import BlobStore
from tests.contracts.blob_store import NAME, BlobStoreContract, parts, read
from tests.system.seaweedfs import SeaweedFS

MEGABYTE = 1024 * 1024


class TestS3BlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self, seaweed: SeaweedFS) -> BlobStore:
        self.server = seaweed
        return S3BlobStore(seaweed.bucket, "test/", straight=True)

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

    async def test_an_address_is_good_once_and_for_a_while(
        self, seaweed: SeaweedFS, blobs: BlobStore
    ) -> None:
        upload = blobs.upload("a/blob_3", size=5, media_type="image/png", seconds=60)
        assert upload
        bound = {**upload.headers, "content-length": "5"}
        before = datetime.now(UTC) - timedelta(seconds=61)
        expired = presigned_put(seaweed.bucket, "test/a/blob_4", bound, seconds=60, now=before)
        async with httpx.AsyncClient(headers=upload.headers) as browser:
            urls = (upload.url, upload.url, expired)
            answers = [(await browser.put(url, content=b"12345")).status_code for url in urls]
        assert answers == [200, 412, 403]
        await blobs.delete("a/blob_3")

    async def test_200_megabytes_cost_two_parts_of_five(self, blobs: BlobStore) -> None:
        async def much(megabytes: int) -> AsyncIterator[bytes]:
            for _ in range(megabytes * 16):
                yield bytes(MEGABYTE // 16)

        # what a first one leaves with the allocator is not the second one's
        await blobs.put(NAME, much(12))
        before = _memory_from_now()
        assert await blobs.put(NAME, much(200)) == 200 * MEGABYTE
        put, before = _peak() - before, _memory_from_now()
        async for _ in await blobs.get(NAME):
            pass
        got = _peak() - before
        assert put < 2 * 5 * MEGABYTE
        assert got < 5 * MEGABYTE
        await blobs.delete(NAME)

    @pytest.mark.parametrize(
        "wrong",
        [{"secret_access_key": "another-secret-0123456789"}, {"endpoint": "http://127.0.0.1:1"}],
    )
    async def test_one_that_is_away_or_refuses_us_is_said_to_be(
        self, seaweed: SeaweedFS, wrong: dict[str, str]
    ) -> None:
        blobs = S3BlobStore(replace(seaweed.bucket, **wrong))
        with pytest.raises(Unavailable):
            await blobs.put(NAME, parts(b"x"))
        with pytest.raises(Unavailable):
            await blobs.get(NAME)


def _memory_from_now() -> int:
    """What this process has, the parts written in Rust too; `_peak` is counted from now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024
