"""Blobs in memory: as long as the conversations that they belong to."""

from asyncio import sleep
from collections.abc import AsyncGenerator, AsyncIterable

from chatbridge.domain.model import refusals
from chatbridge.ports.blob_store import BlobStore, Upload

_AT_ONCE = 64 * 1024


class MemoryBlobStore(BlobStore):
    """Always there."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self.kept = "kept in memory until it stops"

    async def put(self, name: str, parts: AsyncIterable[bytes]) -> int:
        """See the port."""
        await sleep(0)
        whole = b"".join([part async for part in parts])
        self._blobs[name] = whole
        return len(whole)

    async def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """See the port."""
        await sleep(0)
        if name not in self._blobs:
            raise refusals.no_blob()
        return _read(self._blobs[name])

    async def size(self, name: str) -> int | None:
        """See the port."""
        await sleep(0)
        return len(self._blobs[name]) if name in self._blobs else None

    async def delete(self, name: str) -> None:
        """See the port."""
        await sleep(0)
        self._blobs.pop(name, None)

    def upload(self, name: str, *, size: int, media_type: str, seconds: int) -> Upload | None:
        """See the port."""
        return None


async def _read(whole: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]
