"""How a turn begins and ends for good: each call is one statement and one transaction."""

from dataclasses import dataclass
from typing import Protocol

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Recording, Turn, TurnState
from chatbridge.domain.model.turn_event import EndState


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What a surface asks for: a new message to answer, or (`retry_of`) one to answer again.

    Exactly one of `message` and `retry_of` is given. `new` makes the conversation first. All ids
    are the caller's, so that the same request may be sent twice and happens once.
    """

    user_id: UserId
    conversation_id: ConversationId
    turn_id: TurnId
    message: Message | None = None
    retry_of: MessageId | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A turn that is running, and the messages that the model is to read."""

    turn: Turn
    window: tuple[Message, ...]


class TurnRepository(Protocol):
    """Every call raises Unavailable when the store is away."""

    async def begin(self, request: TurnRequest, window: ContextWindow) -> Begun:
        """Keep the message and the running turn, and read the window.

        Raises NotFound, Forbidden, Conflict (`turn_running`, `conversation_closed`), StaleTurn, or
        Invalid (`not_retryable`: `retry_of` is no user's message); then nothing has changed.
        """
        ...

    async def finish(
        self, recording: Recording, state: EndState, messages: tuple[Message, ...]
    ) -> TurnState:
        """Keep the recording's tail, the messages at the conversation's end, title and state.

        Answers the state that is kept: a turn that has ended already keeps the one it has, and
        finishing it again changes nothing. Raises TurnLost where somebody has taken it over.
        For a completed retry the earlier answer, all that followed the subject, is deleted.
        Raises NotFound when the turn is gone with its conversation.
        """
        ...

    async def claim_stale(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Recording | None:
        """Take over the conversation's turn if its lease has passed: nobody else can write then.

        Answers it with all its durable events, or None when there is no stale turn.
        """
        ...

    async def stale(self) -> tuple[tuple[UserId, ConversationId], ...]:
        """Where turns are waiting to be taken over; at most 100 at a time."""
        ...

    async def abandon_running(self) -> None:
        """Let every lease pass now: for a start where no other replica can be alive."""
        ...

    async def ask_cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        """Ask whoever runs the conversation's turn to stop; False when none is running.

        Raises NotFound and Forbidden like the conversation repository.
        """
        ...
