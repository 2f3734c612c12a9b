"""Files that a host has put into what it shows, as data."""

from collections.abc import Sequence
from typing import Protocol

from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn_event import TurnEvent


class InlineFiles(Protocol):
    """Takes them out, for a conversation; data that comes again is kept once."""

    def has_any(self, event: TurnEvent) -> bool:
        """Whether something may have to be taken out of it."""
        ...

    async def taken_out(
        self, user_id: UserId, where: ConversationId, events: Sequence[TurnEvent]
    ) -> tuple[TurnEvent, ...]:
        """The events with names of kept files in the place of their data, and nothing in the place
        of what can't be kept. Nothing is raised."""
        ...
