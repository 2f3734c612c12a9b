"""A part of a file, as whoever plays a recording asks for it (RFC 9110, section 14)."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import NamedTuple

from starlette.datastructures import Headers

_ASKED = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


class Range(NamedTuple):
    """The first byte and the last, counted from 0."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many bytes it is."""
        return self.last - self.first + 1


def range_in(headers: Headers, size: int) -> Range | None:
    """The one part that is asked for, of a file of this size; None for the whole, which is also
    answered to what is no such part of it."""
    asked = _ASKED.fullmatch(headers.get("range", ""))
    # nothing here has a validator by which one could know that the file is still the same
    if not asked or "if-range" in headers:
        return None
    begin, end = asked.groups()
    if begin:
        found = Range(int(begin), min(int(end or size), size - 1))
    else:
        found = Range(max(0, size - int(end or 0)), size - 1)
    return found if found.first <= found.last else None


async def only(asked: Range, parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """That part of the bytes; what comes after it is not read."""
    at = 0
    async with aclosing(parts):
        async for part in parts:
            if piece := part[max(0, asked.first - at) : max(0, asked.last + 1 - at)]:
                yield piece
            at += len(part)
            if at > asked.last:
                return
