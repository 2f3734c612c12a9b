"""Pauses of the event loop: while it stands still nobody is answered, so each is told with why."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Thread, get_ident
from time import monotonic, thread_time
from traceback import walk_stack
from types import FrameType

_log = logging.getLogger(__name__)

_LONG = 1.0
_LIBRARY = f"lib{os.sep}python"


class Pauses:
    """Beats on the loop, and looks from another thread at where it stands when it does not.

    `long` is how many seconds without a step of the loop are told.
    """

    def __init__(self, *, long: float = _LONG) -> None:
        self._long = long
        self._beat = long / 4
        self._beaten = monotonic()
        self._place = ""
        self._over = Event()

    @asynccontextmanager
    async def told(self) -> AsyncGenerator[None]:
        """Tell of every pause for as long as the context lasts."""
        looking = Thread(target=self._look_on, args=(get_ident(),), daemon=True)
        beating = asyncio.create_task(self._beat_on())
        looking.start()
        try:
            yield
        finally:
            beating.cancel()
            self._over.set()
            looking.join()

    async def _beat_on(self) -> None:
        while True:
            self._beaten, computed, self._place = monotonic(), thread_time(), ""
            await asyncio.sleep(self._beat)
            pause = self._late(self._beaten)
            if pause >= self._long:
                why = why_of(pause, thread_time() - computed, self._place)
                _log.warning("the event loop stood still for %.1f s: %s", pause, why)

    def _look_on(self, loop: int) -> None:
        looked = monotonic()
        while not self._over.wait(self._beat):
            # late itself: it was not only the loop that stood still
            alone = self._late(looked) < self._beat
            looked = monotonic()
            if alone and not self._place and self._late(self._beaten) >= self._long / 2:
                frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
                self._place = _place_of(frames[loop])

    def _late(self, since: float) -> float:
        return monotonic() - since - self._beat


def why_of(pause: float, computed: float, place: str) -> str:
    """The reason, as far as it can be known; `computed` are seconds of the loop's processor."""
    if computed > pause / 2:
        return f"it computed in {place or 'one call of compiled code'}; what is long needs a thread"
    if place:
        return f"it waited in {place}; what waits must be awaited, or needs a thread"
    return "the process was paused, or had no processor"


def _place_of(frame: FrameType) -> str:
    """Where it stands, and who outside of libraries has led there: never a value."""
    stack = [frame for frame, _ in walk_stack(frame)]
    ours = [each for each in stack[1:] if _LIBRARY not in each.f_code.co_filename]
    return ", called by ".join(map(_named, [stack[0], *ours[:2]]))


def _named(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} ({frame.f_code.co_name})"
