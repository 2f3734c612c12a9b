"""What every store of blobs promises."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatbridge.domain.model.errors import NotFound
from chatbridge.ports.blob_store import BlobStore

NAME = "a/blob_1"


async def parts(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


async def read(blobs: BlobStore, name: str = NAME) -> bytes:
    return b"".join([part async for part in await blobs.get(name)])


class Broken(Exception):
    pass


class BlobStoreContract:
    @pytest.fixture
    def blobs(self) -> BlobStore:
        raise NotImplementedError

    @pytest.mark.parametrize("sizes", [(), (0,), (1,), (3, 65_536, 5), (3_000_000,) * 4])
    async def test_what_was_put_is_got(self, blobs: BlobStore, sizes: tuple[int, ...]) -> None:
        texts = [bytes([65 + n]) * size for n, size in enumerate(sizes)]
        assert await blobs.put(NAME, parts(*texts)) == sum(sizes)
        assert await read(blobs) == b"".join(texts)
        assert await blobs.size(NAME) == sum(sizes)
        await blobs.delete(NAME)

    async def test_what_is_put_again_takes_the_place_of_the_first(self, blobs: BlobStore) -> None:
        await blobs.put(NAME, parts(b"first, and longer"))
        await blobs.put(NAME, parts(b"second"))
        assert await read(blobs) == b"second"
        await blobs.delete(NAME)

    async def test_what_is_deleted_is_gone_and_may_be_deleted_again(self, blobs: BlobStore) -> None:
        await blobs.put(NAME, parts(b"something"))
        await blobs.put("a/blob_11", parts(b"another"))
        await blobs.delete(NAME)
        await blobs.delete(NAME)
        with pytest.raises(NotFound):
            await blobs.get(NAME)
        assert await blobs.size(NAME) is None
        assert await read(blobs, "a/blob_11") == b"another"
        await blobs.delete("a/blob_11")

    @pytest.mark.parametrize("size", [10, 6_000_000])
    async def test_nothing_is_kept_of_what_breaks_off(self, blobs: BlobStore, size: int) -> None:
        async def breaking() -> AsyncIterator[bytes]:
            yield b"x" * size
            raise Broken

        with pytest.raises(Broken):
            await blobs.put(NAME, breaking())
        assert await blobs.size(NAME) is None
        assert await self.left_over(blobs) == 0

    @pytest.mark.parametrize("size", [10, 6_000_000])
    async def test_nothing_is_kept_of_what_is_cancelled(self, blobs: BlobStore, size: int) -> None:
        waits = asyncio.Event()

        async def stalling() -> AsyncIterator[bytes]:
            yield b"x" * size
            waits.set()
            await asyncio.Event().wait()

        putting = asyncio.create_task(blobs.put(NAME, stalling()))
        await waits.wait()
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
        assert await blobs.size(NAME) is None
        assert await self.left_over(blobs) == 0

    async def left_over(self, blobs: BlobStore) -> int:
        """How much of what was not kept is still there."""
        return 0
