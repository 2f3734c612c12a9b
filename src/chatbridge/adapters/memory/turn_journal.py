"""The journal in memory."""

from asyncio import sleep
from collections.abc import Sequence

from chatbridge.adapters.memory.memory import Memory
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import ToolCallAnswered
from chatbridge.ports.turn_journal import Entry, Outcome, TurnJournal


class MemoryTurnJournal(TurnJournal):
    """Yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory, *, lease: float = 5.0) -> None:
        self._memory = memory
        self._lease = lease

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        await sleep(0)
        return [self._keep(entry) for entry in entries]

    async def post(self, turn: Turn, number: int, answered: ToolCallAnswered) -> bool:
        await sleep(0)
        known = self._memory.turn(turn.conversation.user_id, turn.id)
        if known is None or known[1].state != "running":
            return False
        return known[1].posted.setdefault(number, answered) is answered

    async def posted(self, turn: Turn, number: int) -> ToolCallAnswered | None:
        await sleep(0)
        known = self._memory.turn(turn.conversation.user_id, turn.id)
        return known[1].posted.get(number) if known else None

    def _keep(self, entry: Entry) -> Outcome:
        known = self._memory.turn(entry.turn.conversation.user_id, entry.turn.id)
        if known is None:
            return "gone"
        kept = known[1]
        if not kept.is_held_by(entry.turn):
            return "taken_over"
        kept.renew(self._lease)
        kept.keep(entry.events)
        return "stop_asked" if kept.cancel_asked else kept.unsaid or "kept"
