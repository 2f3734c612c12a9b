"""A server of the host's own, for what it answers beside the turns."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import TurnEvent


class HostServer(Protocol):
    """Operations that are answered at once, in the words of their surface."""

    keeps_attachments: bool = False
    """Whether it has an attachment store of its own."""

    def overrides(self, method: str) -> bool:
        """Whether the host has written this method of the surface's server itself."""
        ...

    async def answer_alone(self, user_id: UserId, asking: Asking) -> Payload:
        """The answer to an operation that belongs to no conversation. Raises AgentFailed."""
        ...

    async def attachments(
        self, user_id: UserId, ids: Sequence[AttachmentId], asking: Asking, *, unsent: bool = False
    ) -> tuple[Sequence[Attached], Sequence[Payload]]:
        """What its own store keeps: the rows of ours that stand for it, if any do, and how each is
        shown. Raises Forbidden, NotFound, AgentFailed, and Conflict for what must be `unsent`."""
        ...

    async def answer(
        self, conversation: Conversation, own: Sequence[Message], asking: Asking
    ) -> tuple[Payload, Sequence[TurnEvent]]:
        """The answer to an operation, and what it has changed in its conversation.

        `own` are the entries of a turn that runs there. Raises AgentFailed.
        """
        ...

    def outside(
        self, conversation: Conversation, own: Sequence[Message]
    ) -> AbstractAsyncContextManager[tuple[Any, Sequence[TurnEvent]]]:
        """What a host's own code shows something with where nobody has asked, and what it has
        shown when the context has ended. `own` as in `answer`."""
        ...

    def require(self, operation: Payload) -> None:
        """Raises Invalid for an action that can't be answered, before anything is begun."""
