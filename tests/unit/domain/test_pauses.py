"""A loop that stands still is told of, with where it stood."""

import asyncio
import time

import pytest

from chatbridge.domain.services.pauses import Pauses, why_of
from tests.waiting import PATIENCE

PLACE = "tools.py:12 (fetch)"


def a_tool_that_blocks() -> None:
    time.sleep(0.4)


async def test_what_holds_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    def named() -> bool:
        told = [record.getMessage() for record in caplog.records if "stood still" in record.msg]
        return any("test_pauses.py:" in line and "(a_tool_that_blocks)" in line for line in told)

    async with Pauses(long=0.2).told(), asyncio.timeout(PATIENCE):
        # whoever looks on is late itself on a busy machine, and then blames nobody
        while not named():
            await asyncio.sleep(0.1)
            a_tool_that_blocks()
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("computed", "place", "why"),
    [
        (5.0, PLACE, f"it computed in {PLACE}; what is long needs a thread"),
        (5.0, "", "it computed in one call of compiled code; what is long needs a thread"),
        (0.1, PLACE, f"it waited in {PLACE}; what waits must be awaited, or needs a thread"),
        (0.1, "", "the process was paused, or had no processor"),
    ],
)
def test_the_reason_is_told_as_far_as_it_is_known(computed: float, place: str, why: str) -> None:
    assert why_of(6.0, computed, place) == why
