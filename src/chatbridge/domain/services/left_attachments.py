"""Attachments that nobody wants any more: their bytes are deleted, and their rows then."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from chatbridge.domain.model.attachment import Attachment
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.attachment_repository import AttachmentRepository
from chatbridge.ports.blob_store import BlobStore

_log = logging.getLogger(__name__)

_FAILURES = 3
"""What can't be deleted is left to the next sweep; after so many of them all the rest is too."""

_EVERY = 3600.0
_AWAKE = 26 * 3600.0
"""After that nothing is left of what was seen last: it is swept a day later, and an hour."""


class LeftAttachments:
    """Swept at the start, and every hour. It rests where nothing was seen for a day: a database
    that nobody uses may sleep."""

    def __init__(
        self,
        repository: AttachmentRepository,
        blobs: BlobStore,
        *,
        every: float = _EVERY,
        awake: float = _AWAKE,
    ) -> None:
        self._repository, self._blobs = repository, blobs
        self._every, self._awake = every, awake
        self._awake_until = monotonic() + awake
        self._seen = asyncio.Event()
        self._seen.set()

    def seen(self) -> None:
        """There is something that the sweep may find later."""
        self._awake_until = monotonic() + self._awake
        self._seen.set()

    async def delete_bytes(self, attachment: Attachment) -> None:
        """Those of all attempts. Raises Unavailable."""
        for name in attachment.blobs:
            await self._blobs.delete(name)

    async def sweep(self) -> int:
        """How many were deleted. Raises Unavailable where a store is away."""
        count = failed = 0
        while not failed and (left := await self._repository.left()):
            for attachment in left:
                try:
                    await self.delete_bytes(attachment)
                    await self._repository.forget(attachment.user_id, attachment.id)
                    count += 1
                except Unavailable:
                    failed += 1
                    if failed == _FAILURES:
                        raise
        return count

    @asynccontextmanager
    async def swept(self) -> AsyncGenerator[None]:
        """Sweeps again and again as long as the context lasts."""
        sweeping = asyncio.create_task(self._sweep_on())
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    async def _sweep_on(self) -> None:
        while True:
            await self._seen.wait()
            self._seen.clear()
            while monotonic() < self._awake_until:
                try:
                    if count := await self.sweep():
                        _log.info("%d attachments that nobody wants any more were deleted", count)
                except Unavailable:
                    pass
                except Exception:
                    _log.exception("a sweep for attachments failed")
                await asyncio.sleep(self._every)
