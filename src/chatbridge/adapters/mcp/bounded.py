"""How much is read of what a tool server answers over HTTP: counted after it was unpacked."""

import zlib
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx2

from chatbridge.adapters.mcp.exchange import LARGEST_ANSWER, TooLarge

_PACKED = ("gzip", "x-gzip", "deflate")
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_TOO_LARGE = f"more than {LARGEST_ANSWER // 1024**2} MiB"


def bound(response: httpx2.Response, tell: Callable[[TooLarge], None]) -> None:
    """Have at most 8 MiB of the body read; `tell` is told before TooLarge ends the reading.

    Nothing packed is asked for. What comes packed all the same is unpacked here, bit by bit.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing in _PACKED:
        del response.headers["content-encoding"]
    elif packing != "identity":
        raise httpx2.DecodingError("The answer is packed in a way that was not asked for.")
    stream = cast(httpx2.AsyncByteStream, response.stream)
    response.stream = _Bounded(stream, packing in _PACKED, tell)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(
        self, inner: httpx2.AsyncByteStream, packed: bool, tell: Callable[[TooLarge], None]
    ) -> None:
        self._inner = inner
        self._unpacking = zlib.decompressobj(_ZLIB_OR_GZIP) if packed else None
        self._left = LARGEST_ANSWER
        self._tell = tell

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            plain = self._plain(chunk)
            self._left -= len(plain)
            if self._left < 0:
                too_large = TooLarge(_TOO_LARGE)
                self._tell(too_large)
                raise too_large
            yield plain

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _plain(self, chunk: bytes) -> bytes:
        if self._unpacking is None:
            return chunk
        try:
            # no more than one byte too many
            return self._unpacking.decompress(chunk, self._left + 1)
        except zlib.error as error:
            raise httpx2.DecodingError("The answer can't be unpacked.") from error
