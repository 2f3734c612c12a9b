"""How what is said is kept: all turns of this replica together, a tick at a time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from chatbridge.domain.model import refusals
from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.model.errors import Unavailable, Unkeepable
from chatbridge.domain.model.turn_event import Revised
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal

_log = logging.getLogger(__name__)

_AT_ONCE = 100
"""How many turns one statement keeps at most: its locks are held until all are written."""


class Keeper:
    """Keeps when there is news, at least `tick` seconds apart, and at least once a `heartbeat`.

    What somebody waits for is kept at once, between two ticks and without the other turns. A
    turn's lease outlives several heartbeats, so that a moment without the store costs no turn.
    """

    def __init__(self, journal: TurnJournal, *, tick: float = 0.05, heartbeat: float = 0.5) -> None:
        self.journal = journal
        self._tick, self._heartbeat = tick, heartbeat
        self._recordings: list[Recording] = []
        self._news = asyncio.Event()
        self._awaited: set[Recording] = set()
        self._urgent = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep for as long as the context lasts."""
        keeping = asyncio.create_task(self._keep_on())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    def open(self, recording: Recording) -> None:
        """Keep what this one says and its lease, for as long as it speaks."""
        self._recordings.append(recording)

    def wake(self, recording: Recording) -> None:
        """There is something new to keep in this one."""
        self._news.set()
        if recording.is_awaited:
            self._awaited.add(recording)
            self._urgent.set()

    async def _keep_on(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await self._news.wait()
            self._news.clear()
            await self._tried(self._keep_all)
            await self._rest(asyncio.get_running_loop().time() + self._tick)

    async def _rest(self, until: float) -> None:
        while await self._is_awaited(until):
            await self._tried(self._keep_awaited)

    async def _is_awaited(self, until: float) -> bool:
        try:
            async with asyncio.timeout_at(until):
                # lets go of the loop, so that the time is looked at
                await asyncio.sleep(0)
                await self._urgent.wait()
        except TimeoutError:
            return False
        return True

    async def _tried(self, keep: Callable[[], Awaitable[None]]) -> None:
        try:
            await keep()
        except Unavailable:
            self._news.set()
        except Exception:
            _log.exception("journal: a tick failed")

    async def _keep_all(self) -> None:
        # of one that closes, finish carries what is not kept yet
        self._recordings = [r for r in self._recordings if r.state == "speaking"]
        await self._keep_these(self._recordings)

    async def _keep_awaited(self) -> None:
        await self._keep_these([*self._awaited])

    async def _keep_these(self, recordings: Sequence[Recording]) -> None:
        self._awaited.clear()
        self._urgent.clear()
        for first in range(0, len(recordings), _AT_ONCE):
            await self._keep(recordings[first : first + _AT_ONCE])

    async def _keep(self, recordings: Sequence[Recording]) -> None:
        """Keep them together, or, if something in one can't be kept, each by itself."""
        speaking = [r for r in recordings if r.state == "speaking"]
        for recording in speaking:
            recording.seal()
        entries = [Entry(turn=r.turn, events=r.tail) for r in speaking]
        try:
            outcomes = await self.journal.keep(entries) if entries else ()
        except Unkeepable as error:
            if len(speaking) > 1:
                for recording in speaking:
                    await self._keep((recording,))
            else:
                _refuse(speaking[0], error)
            return
        for recording, entry, outcome in zip(speaking, entries, outcomes, strict=True):
            # one that has closed meanwhile has taken its tail along
            if recording.state == "speaking":
                self._settle(recording, entry, outcome)

    def _settle(self, recording: Recording, entry: Entry, outcome: Outcome) -> None:
        match outcome:
            case "kept" | "stop_asked" | Revised():
                if entry.events:
                    recording.keep(entry.events[-1][0])
                if outcome == "stop_asked":
                    recording.stop("cancelled")
                elif isinstance(outcome, Revised):
                    self._say(recording, outcome)
            case "busy":
                self._news.set()
            case "taken_over":
                recording.lose(refusals.turn_taken_over())
            case "gone":
                recording.lose(refusals.conversation_deleted())

    def _say(self, recording: Recording, beside: Revised) -> None:
        recording.say(beside)
        # said once: afterwards there is nothing new in it
        if recording.tail:
            self._news.set()


def _refuse(recording: Recording, error: Unkeepable) -> None:
    with in_turn(recording.turn.conversation.id, recording.turn.id):
        _log.error("an event can't be kept", exc_info=error)
    if recording.state == "speaking":
        recording.refuse(error)
