"""A turn that can be watched, and everybody who watches it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from chatbridge.domain.model.turn import Recording, Turn
from chatbridge.domain.model.turn_event import TurnEnded, TurnEvent


class LiveTurn:
    """Reads of its recording by cursor: a slow or lost viewer slows nobody.

    The recording is spoken here, or copied from the store; a viewer sees no difference.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.viewers = 0
        self.stopping = asyncio.Event()
        self._changed = asyncio.Event()
        recording.on_change = self._on_change

    @property
    def turn(self) -> Turn:
        """Which turn it is."""
        return self.recording.turn

    @property
    def is_whole(self) -> bool:
        """Whether all of it is here: one that is shown by a server that stops never gets so far."""
        return bool(self.recording.events) and isinstance(self.recording.events[-1], TurnEnded)

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
        """End the speaking, if it is spoken here."""
        self.stopping.set()

    def _on_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        recording = self.recording
        if recording.cancel_asked or recording.lost or recording.refused:
            self.stop()
