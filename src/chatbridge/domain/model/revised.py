"""What a conversation itself has become in a turn, or beside one."""

from dataclasses import dataclass, replace

from chatbridge.domain.model.conversation import Conversation, Status
from chatbridge.domain.model.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """The conversation itself is another one now: what is None stays.

    `status_reason` goes with `status`; `agent` is who goes on with it. Without a `payload` nobody
    who watches is told, but of what has an `id`: somebody has changed that beside the turn, and it
    is kept already.
    """

    title: str | None = None
    status: Status | None = None
    status_reason: str | None = None
    metadata: Payload | None = None
    agent: str | None = None
    pictures: list[str] | None = None
    payload: Payload | None = None
    id: str | None = None

    def of(self, conversation: Conversation) -> Conversation:
        """The conversation as it is then."""
        known = conversation if self.status is None else self
        return replace(
            conversation,
            title=conversation.title if self.title is None else self.title,
            status=known.status,
            status_reason=known.status_reason,
            metadata=conversation.metadata if self.metadata is None else self.metadata,
            agent=self.agent or conversation.agent,
            pictures=conversation.pictures if self.pictures is None else self.pictures,
        )

    def then(self, later: "Revised") -> "Revised":
        """What both together come to."""
        told = self if later.status is None else later
        return Revised(
            title=self.title if later.title is None else later.title,
            status=told.status,
            status_reason=told.status_reason,
            metadata=self.metadata if later.metadata is None else later.metadata,
            agent=later.agent or self.agent,
            pictures=self.pictures if later.pictures is None else later.pictures,
        )
