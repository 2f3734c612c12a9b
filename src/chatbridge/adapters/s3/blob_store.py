"""An object for each blob, in parts of 5 MB where it is larger."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store
from typing_extensions import Buffer

from chatbridge.adapters.s3.presigned import Bucket, presigned_put
from chatbridge.domain.model import refusals
from chatbridge.ports.blob_store import BlobStore, Upload

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_ANSWERS_WITHIN = 10.0
_AT_ONCE = 64 * 1024
_PART = 5 * 1024 * 1024
"""Bytes of a part, the fewest that S3 takes; two are held at a time."""


class _Abandoned(Exception):
    """Nobody waits for the bytes any more."""


class S3BlobStore(BlobStore):
    """`bucket` without keys of its own: those that the environment or the machine has.

    With `straight` browsers are told to put bytes there themselves.
    """

    def __init__(self, bucket: Bucket, prefix: str = "", *, straight: bool = False) -> None:
        self._bucket, self._prefix, self._straight = bucket, prefix, straight
        self.kept = f"kept in the bucket {bucket.name}"
        made = partial(
            S3Store,
            bucket.name,
            endpoint=bucket.endpoint,
            region=bucket.region,
            client_options={
                "allow_http": bucket.endpoint.startswith("http://"),
                "connect_timeout": "2s",
                # a part is up by then; who reads slowly may take as long as it takes
                "read_timeout": "30s",
                "timeout": "1d",
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )
        key, secret = bucket.access_key_id, bucket.secret_access_key
        self._store = made(access_key_id=key, secret_access_key=secret) if key else made()

    async def put(self, name: str, parts: AsyncIterable[bytes]) -> int:
        """See the port."""
        source = _Source(aiter(parts))
        writing = asyncio.ensure_future(self._put(name, source))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # cancelled itself, it would leave its parts on the server for ever
            source.stop()
            with suppress(Exception):
                await writing
            raise
        except Exception as error:
            raise source.failed or _away(error) from error
        return source.size

    async def _put(self, name: str, source: "_Source") -> None:
        await obstore.put_async(
            self._store, self._key(name), source, chunk_size=_PART, max_concurrency=1
        )

    async def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """See the port."""
        try:
            found = await _answered(obstore.get_async(self._store, self._key(name)))
        except FileNotFoundError:
            raise refusals.no_blob() from None
        return _read(found.stream(min_chunk_size=_AT_ONCE))

    async def size(self, name: str) -> int | None:
        """See the port."""
        try:
            return (await _answered(obstore.head_async(self._store, self._key(name))))["size"]
        except FileNotFoundError:
            return None

    async def delete(self, name: str) -> None:
        """See the port."""
        with suppress(FileNotFoundError):
            await _answered(obstore.delete_async(self._store, self._key(name)))

    def upload(self, name: str, *, size: int, media_type: str, seconds: int) -> Upload | None:
        """See the port. What is signed holds the type, the length and that nothing is there."""
        if not (self._straight and self._bucket.access_key_id):
            return None
        headers = {"content-type": media_type, "if-none-match": "*"}
        bound = {**headers, "content-length": str(size)}
        url = presigned_put(
            self._bucket, self._key(name), bound, seconds=seconds, now=datetime.now(UTC)
        )
        return Upload(url=url, headers=headers)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"


class _Source:
    """The bytes that are put, counted; it ends with an error rather than be abandoned."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts
        self._stopped = asyncio.Event()
        self.size = 0
        self.failed: Exception | None = None

    def stop(self) -> None:
        """Let whoever reads it see an error, also where it waits for the next part just now."""
        self._stopped.set()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            part = await self._next()
        except (StopAsyncIteration, _Abandoned):
            raise
        except Exception as error:
            self.failed = error
            raise
        self.size += len(part)
        return part

    async def _next(self) -> bytes:
        coming = asyncio.ensure_future(anext(self._parts))
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if not coming.done():
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming
            raise _Abandoned
        return coming.result()


async def _answered(asked: Awaitable[_T]) -> _T:
    """What the bucket says at once, without bytes. Raises FileNotFoundError and Unavailable."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN):
            return await asked
    except (BaseError, TimeoutError) as error:
        raise _away(error) from error


async def _read(parts: AsyncIterable[Buffer]) -> AsyncGenerator[bytes, None]:
    try:
        async for part in parts:
            yield bytes(part)
    except BaseError as error:
        raise _away(error) from error


def _away(error: Exception) -> Exception:
    """What an error of the library means; not found is a builtin there, and no such."""
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        _log.error("the bucket refuses our keys: %s", type(error).__name__)
    return refusals.blobs_away()
