"""What Postgres does when the words of 50 turns are kept, twenty times a second."""

import asyncio
import time
from datetime import UTC, datetime

from benchmarks.sheet import Row
from benchmarks.stand import Spent, Stand
from benchmarks.stores import begin, opened
from chatbridge.domain.model.identifiers import new_conversation_id, new_message_id
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.domain.model.turn_event import TextDelta, TextStarted, TurnEvent
from chatbridge.ports.store import Store
from chatbridge.ports.turn_journal import Entry

_TURNS = 50
_TICKS = 60
_SECONDS = 0.05
_DATABASE = "bench_chatbridge"


def tick(stand: Stand, name: str) -> None:
    """One event of three words a turn, as a replica of 50 streams at 50/s keeps them."""
    stand.database.require_readable()
    stand.prepare("postgres")
    words = f"a tick with {_TURNS} turns that speak"
    cpu = Row(f"{name}.postgres", f"Postgres's CPU, {words}", "ms")
    wal = Row(f"{name}.wal", f"Postgres's WAL, {words}", "kB")
    for _ in stand.rounds(full=5):
        spent = asyncio.run(_ticks(stand))
        stand.sheet.add(cpu, "postgres", spent.database / _TICKS * 1e3, spent.others)
        stand.sheet.add(wal, "postgres", spent.wal / _TICKS / 1e3, spent.others)


async def _ticks(stand: Stand) -> Spent:
    async with opened(stand, _DATABASE) as store:
        turns = [
            await begin(store, "ticking", new_conversation_id(), new=True) for _ in range(_TURNS)
        ]
        speaking = [_Speaking(turn) for turn in turns]
        for _ in range(10):
            await _keep(store, speaking)
        # what a checkpoint makes more of does not belong to a tick
        stand.database.run("checkpoint")
        await _keep(store, speaking)
        with stand.spent_by(None) as meter:
            for _ in range(_TICKS):
                begun = time.monotonic()
                await _keep(store, speaking)
                await asyncio.sleep(max(0.0, begun + _SECONDS - time.monotonic()))
        for turn in turns:
            await store.turns.finish(turn, Ending(state="interrupted"))
    return meter.spent


async def _keep(store: Store, speaking: "list[_Speaking]") -> None:
    outcomes = await store.journal.keep([one.entry() for one in speaking])
    if set(outcomes) != {"kept"}:
        raise RuntimeError(f"not everything was kept: {set(outcomes)}")


class _Speaking:
    """A turn that goes on speaking."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._message, self._number = turn, new_message_id(), 0

    def entry(self) -> Entry:
        """Its next words."""
        self._number += 1
        event: TurnEvent = (
            TextStarted(message_id=self._message, at=datetime.now(UTC))
            if self._number == 1
            else TextDelta(message_id=self._message, text="some more words")
        )
        return Entry(turn=self._turn, events=((self._number, event),))
