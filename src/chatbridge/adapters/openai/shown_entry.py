"""An entry of its own beside a model's words: its thoughts, or a picture that it makes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chatbridge.domain.model.identifiers import MessageId, new_message_id
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn_event import How, Shown


@dataclass(slots=True)
class ShownEntry:
    """Which one it is, and since when it is there."""

    id: MessageId = field(default_factory=new_message_id)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def shown(self, how: How, payload: Payload) -> Shown:
        """That it is seen, as its form has it."""
        return Shown(
            message_id=self.id, at=self.at, how=how, kind="shown", content="", payload=payload
        )
