"""Which counterpart a conversation has at the model's provider, and which are left over there."""

from typing import Protocol

from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.identifiers import ConversationId, UserId


class CounterpartRepository(Protocol):
    """A conversation that is deleted parts with its counterpart, and so does one some of whose
    messages that the counterpart may hold are changed or deleted. Every call raises Unavailable
    when the store is away.
    """

    async def of(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        """The conversation's counterpart, if it has one."""
        ...

    async def take(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        """The same, to write to it: what it holds is not known from now on, until `hold`."""
        ...

    async def give(
        self, user_id: UserId, conversation_id: ConversationId, id: CounterpartId
    ) -> None:
        """Give the conversation a new one, in place of any that it has; what that holds is not
        known. Where the conversation is gone, the new one belongs to none from the beginning.
        """
        ...

    async def hold(self, user_id: UserId, id: CounterpartId, through: int) -> None:
        """It holds all messages up to this position. Nothing where it belongs to none any more."""
        ...

    async def part(self, user_id: UserId, id: CounterpartId) -> None:
        """Let it belong to no conversation."""
        ...

    async def left(self, after: Counterpart | None = None) -> tuple[Counterpart, ...]:
        """Those that belong to no conversation, behind this one; at most 100 at a time."""
        ...

    async def forget(self, user_id: UserId, id: CounterpartId) -> None:
        """It belongs to no conversation and is deleted at the provider."""
        ...
