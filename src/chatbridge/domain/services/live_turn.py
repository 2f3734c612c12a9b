"""A turn that this replica is running, and everybody who watches it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from chatbridge.domain.model.turn import Recording, Turn
from chatbridge.domain.model.turn_event import TurnEvent


class LiveTurn:
    """Reads of its recording by cursor: a slow or lost viewer slows nobody."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.viewers = 0
        self.speaking: asyncio.Task[None] | None = None
        self._stopped = False
        self._changed = asyncio.Event()
        recording.on_change = self._on_change

    @property
    def turn(self) -> Turn:
        """Which turn it is."""
        return self.recording.turn

    async def follow(self, after: int = 0) -> AsyncGenerator[tuple[int, TurnEvent], None]:
        """The events from number `after` + 1 to the end, each as soon as it is durable."""
        recording = self.recording
        while True:
            changed = self._changed
            while after < recording.durable:
                after += 1
                yield after, recording.events[after - 1]
            if recording.ended:
                return
            await changed.wait()

    async def until(self, condition: Callable[[Recording], bool]) -> None:
        """Wait until the recording fulfils the condition."""
        while not condition(self.recording):
            await self._changed.wait()

    def stop(self) -> None:
        """Cancel the speaking; only once, so that the agent can tidy up in peace."""
        if self.speaking and not self._stopped:
            self._stopped = True
            self.speaking.cancel()

    def _on_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.recording.cancel_asked or self.recording.lost:
            self.stop()
