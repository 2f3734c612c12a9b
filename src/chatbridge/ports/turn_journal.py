"""Keeps what running turns say while they say it, all turns of a replica together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import Numbered, Revised, ToolCallAnswered

Outcome = Literal["kept", "stop_asked", "busy", "taken_over", "gone"] | Revised
"""Kept; kept, and its owner wants no more of it; its row was locked, so nothing of it is kept this
time; somebody else has it, or it has ended; it was deleted with its conversation. Or kept, and this
was changed in its conversation beside it, which it is to say; answered until something else was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a running turn has said since the last entry of it; perhaps nothing."""

    turn: Turn
    events: tuple[Numbered, ...] = ()


class TurnJournal(Protocol):
    """Written by the one who runs the turns: the holder of each turn's highest epoch. Others can
    only leave that one an answer."""

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        """Keep the events and renew the leases, in one statement; one outcome for each entry.

        It holds no turn back because of another. An event that is kept already stays what it is.
        Raises Unavailable, and Unkeepable where something in an entry can't be kept; then nothing
        is known of any.
        """
        ...

    async def post(self, turn: Turn, number: int, answered: ToolCallAnswered) -> bool:
        """Leave an answer to what event `number` asks, for whoever runs the turn; nobody else reads
        it.

        False where another one was left before, or the turn does not run: then it is not kept.
        Raises Unavailable and Unkeepable.
        """
        ...

    async def posted(self, turn: Turn, number: int) -> ToolCallAnswered | None:
        """The answer that was left. Raises Unavailable."""
        ...
