"""The journal in memory."""

from asyncio import sleep
from collections.abc import Sequence

from chatbridge.adapters.memory.memory import Memory
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal


class MemoryTurnJournal(TurnJournal):
    """Yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory, *, lease: float = 5.0) -> None:
        self._memory = memory
        self._lease = lease

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        await sleep(0)
        return [self._keep(entry) for entry in entries]

    def _keep(self, entry: Entry) -> Outcome:
        known = self._memory.turn(entry.turn.conversation.user_id, entry.turn.id)
        if known is None:
            return "gone"
        kept = known[1]
        if not kept.is_held_by(entry.turn):
            return "taken_over"
        kept.renew(self._lease)
        kept.keep(entry.events)
        return "stop_asked" if kept.cancel_asked else "kept"
