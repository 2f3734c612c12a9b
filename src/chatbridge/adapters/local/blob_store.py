"""A file for each blob, written beside its place and moved there when it is whole and on disk."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.ports.blob_store import BlobStore, Upload

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
_AT_ONCE = 64 * 1024


class LocalBlobStore(BlobStore):
    """For one machine, or for several that share the directory. Nobody else of it may read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.kept = f"kept in {directory}"

    async def put(self, name: str, parts: AsyncIterable[bytes]) -> int:
        """See the port."""
        place = self._place(name)
        draft = place.with_name(f"{place.name}.{uuid4().hex}.part")
        try:
            file = await asyncio.to_thread(_created, draft)
            try:
                size = 0
                async for part in parts:
                    await asyncio.to_thread(file.write, part)
                    size += len(part)
                await asyncio.to_thread(_on_disk, file)
            finally:
                file.close()
            await asyncio.to_thread(_move, draft, place)
        except OSError as error:
            raise _away(error) from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return size

    async def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """See the port."""
        try:
            file = await asyncio.to_thread(self._place(name).open, "rb")
        except FileNotFoundError:
            raise refusals.no_blob() from None
        except OSError as error:
            raise _away(error) from error
        return _read(file)

    async def size(self, name: str) -> int | None:
        """See the port."""
        try:
            return (await asyncio.to_thread(self._place(name).stat)).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _away(error) from error

    async def delete(self, name: str) -> None:
        """See the port."""
        try:
            await asyncio.to_thread(_remove, self._place(name))
        except OSError as error:
            raise _away(error) from error

    def upload(self, name: str, *, size: int, media_type: str, seconds: int) -> Upload | None:
        """See the port."""
        return None

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a blob")
        return self._directory / name


async def _read(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    try:
        while part := await asyncio.to_thread(file.read, _AT_ONCE):
            yield part
    except OSError as error:
        raise _away(error) from error
    finally:
        file.close()


def _away(error: OSError) -> ChatbridgeError:
    """A full disk is nothing that who uploads can mend, so whoever runs it has to read of it."""
    _log.warning("the directory of attachments failed: %s", error.strerror or type(error).__name__)
    return refusals.blobs_away()


def _created(draft: Path) -> BinaryIO:
    draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _on_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(draft: Path, place: Path) -> None:
    draft.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(place: Path) -> None:
    place.unlink(missing_ok=True)
    for left in place.parent.glob(f"{place.name}.*.part"):
        left.unlink(missing_ok=True)
