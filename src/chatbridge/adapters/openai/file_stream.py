"""The body of a request whose files become base64 only while they are sent."""

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence

import httpx2

_AT_ONCE = 3 * 64 * 1024
"""Bytes: base64 needs a multiple of three, and a millisecond for so many."""


class FileStream(httpx2.AsyncByteStream):
    """Its own bytes, and views of those that are sent as base64. It can be sent again."""

    def __init__(self, pieces: Sequence[bytes | memoryview]) -> None:
        self._pieces = pieces
        sizes = [len(p) if isinstance(p, bytes) else -(-len(p) // 3) * 4 for p in pieces]
        self.size = sum(sizes)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            for at in range(0, len(piece), _AT_ONCE):
                yield b64encode(piece[at : at + _AT_ONCE])
