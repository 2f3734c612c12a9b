"""The journal in memory: one task that makes all open recordings durable together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chatbridge.adapters.memory.store import KeptTurn, MemoryStore
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.turn import Recording
from chatbridge.ports.turn_journal import TurnJournal


class MemoryTurnJournal(TurnJournal):
    """Flushes when woken, at least `tick` seconds apart, and at least once per `heartbeat`."""

    def __init__(
        self,
        store: MemoryStore,
        *,
        tick: float = 0.05,
        heartbeat: float = 0.5,
        lease: float = 5.0,
    ) -> None:
        self._store = store
        self._tick = tick
        self._patience = max(heartbeat - tick, 0)
        self._lease = lease
        self._open: set[Recording] = set()
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        flusher = asyncio.create_task(self._flush_on())
        try:
            yield
        finally:
            flusher.cancel()
            await asyncio.wait([flusher])

    def open(self, recording: Recording) -> None:
        self._open.add(recording)

    def wake(self) -> None:
        self._woken.set()

    def close(self, recording: Recording) -> None:
        self._open.discard(recording)

    async def _flush_on(self) -> None:
        while True:
            await self._something_to_do()
            self._woken.clear()
            for recording in tuple(self._open):
                self._flush(recording)
            await asyncio.sleep(self._tick)

    async def _something_to_do(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._woken.wait()
        except TimeoutError:
            return

    def _flush(self, recording: Recording) -> None:
        turn = recording.turn
        known = self._store.turn(turn.conversation.user_id, turn.id)
        if known is None:
            gone = "The conversation was deleted."
            self._lose(recording, TurnLost(gone, code="conversation_deleted"))
        elif not known[1].is_held_by(turn):
            self._lose(recording, TurnLost("The answer was taken over or has ended elsewhere."))
        else:
            self._keep(recording, known[1])

    def _keep(self, recording: Recording, kept: KeptTurn) -> None:
        kept.renew(self._lease)
        tail = recording.tail
        if tail:
            kept.keep(tail)
            recording.durable_to(tail[-1][0])
        if kept.cancel_asked and not recording.cancel_asked:
            recording.ask_cancel()

    def _lose(self, recording: Recording, reason: TurnLost) -> None:
        self.close(recording)
        recording.lose(reason)
