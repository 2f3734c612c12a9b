"""A part of a file, across the parts in which it is read."""

from collections.abc import AsyncGenerator

import pytest
from starlette.datastructures import Headers

from chatbridge.entrypoints.ranges import only, range_in

WHOLE = None


@pytest.mark.parametrize(
    ("asked", "got"),
    {
        "bytes=0-": b"abcdefgh",
        "bytes=2-4": b"cde",
        "bytes=3-3": b"d",
        "bytes=6-99": b"gh",
        "bytes=-3": b"fgh",
        "bytes=-99": b"abcdefgh",
        "bytes=-0": WHOLE,
        "bytes=-": WHOLE,
        "bytes=8-": WHOLE,
        "bytes=4-2": WHOLE,
        "bytes=0-1,4-5": WHOLE,
        "lines=0-1": WHOLE,
        "bytes=0-" + "9" * 5000: WHOLE,
        "bytes=¹-": WHOLE,
        "": WHOLE,
    }.items(),
)
async def test_the_part_that_is_asked_for(asked: str, got: bytes | None) -> None:
    read: list[bytes] = []

    async def parts() -> AsyncGenerator[bytes, None]:
        for part in (b"abc", b"de", b"fgh"):
            read.append(part)
            yield part

    found = range_in(Headers({"range": asked}), 8)
    assert (found and b"".join([piece async for piece in only(found, parts())])) == got
    if found:
        assert found.size == len(got or b"")
        assert b"".join(read)[: found.last] == b"abcdefgh"[: found.last]


def test_what_may_have_changed_meanwhile_is_whole() -> None:
    assert range_in(Headers({"range": "bytes=0-1", "if-range": '"v1"'}), 8) is None


def test_of_an_empty_file_there_is_no_part() -> None:
    assert range_in(Headers({"range": "bytes=0-"}), 0) is None
