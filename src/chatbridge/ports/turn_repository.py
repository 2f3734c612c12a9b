"""How a turn begins and ends for good: each call is one statement and one transaction."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from chatbridge.domain.model.approval import StandingApproval
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Ending, Once, Rest, Turn, TurnState
from chatbridge.domain.model.turn_event import TurnEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What a surface asks for: a new message to answer, or (`retry_of`) one to answer again.

    With neither of `message` and `retry_of`, the turn answers no message. `new` makes the
    conversation first. All ids are the caller's, so that the same request may be sent twice and
    happens once; `once` says the same of a request whose caller does not know our ids. `model` is
    kept for reports, and `by_host`, that a server of the host's own speaks, for whoever shows the
    turn.

    Where no message is answered, it may be an entry that is acted on, the one that the turn is
    `about`, and `judge` raises what forbids it, by what is kept when the turn begins.
    """

    user_id: UserId
    conversation_id: ConversationId
    turn_id: TurnId
    message: Message | None = None
    retry_of: MessageId | None = None
    new: bool = False
    once: Once | None = None
    model: str | None = None
    by_host: bool = False
    about: MessageId | None = None
    judge: "Callable[[Begun], None] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A turn that is running, and the newest messages up to its subject, oldest first.

    Where it has no subject, up to the last one. `newest` holds as many counted messages as were
    asked for, if there are as many and they fit, and what rides between them, notes too; `counted`
    is how many the whole conversation has up to there. `about` is the entry of that name, however
    old it is, and None where there is none. `standing` is what is approved in the conversation.
    """

    turn: Turn
    newest: tuple[Message, ...]
    counted: int
    about: Message | None = None
    standing: tuple[StandingApproval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The turn, running or ended, that an earlier request of the same key has begun."""

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A turn that was taken over, with all its kept events."""

    turn: Turn
    events: tuple[TurnEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A conversation's last turn with all its kept events.

    `stale`: it runs and its lease has passed, or it waits and its time is over.
    """

    turn: Turn
    state: TurnState
    stale: bool
    events: tuple[TurnEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTurn:
    """A conversation's last turn, and whether it was to replace an answer."""

    id: TurnId
    state: TurnState
    retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a turn is: its state, and the durable events that were asked for, in order.

    `stale` is as in Opened. `kept`: its events are still there;
    those of a turn that ended over an hour ago may be gone. `more`: these are only the first of
    them; what follows is there to be asked for.
    """

    state: TurnState
    stale: bool
    kept: bool
    events: tuple[TurnEvent, ...]
    more: bool = False


class TurnRepository(Protocol):
    """Every call raises Unavailable when the store is away."""

    async def begin(
        self, request: TurnRequest, newest: int, room: int = MAX_PAGE
    ) -> Begun | Repeated:
        """Keep the message and the running turn, and read the `newest` counted messages, or the
        newest that fit in `room` bytes where these are fewer.

        Raises NotFound, Forbidden, Conflict (`conversation_closed`, `turn_ended`;
        `message_exists`: the new message has the id of a kept one), Busy, StaleTurn, TurnWaits, or
        Invalid (`not_retryable`: `retry_of` is no user's message; `idempotency_key_reused`:
        something else was asked under the key), and whatever the request's `judge` raises; then
        nothing has changed.
        """
        ...

    async def turn(self, user_id: UserId, id: TurnId) -> Turn:
        """A turn, running or ended. Raises NotFound and Forbidden."""
        ...

    async def last(self, user_id: UserId, conversation_id: ConversationId) -> LastTurn | None:
        """The conversation's last turn; None also where there is no such conversation."""
        ...

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        """How far the turn is, with its events after number `after`. Raises NotFound."""
        ...

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        """Keep the tail, the messages at the conversation's end, title, usage, code and state.

        Answers the state that is kept: a turn that has ended already keeps the one it has, and
        finishing it again changes nothing. Raises TurnLost where somebody has taken it over.
        So are its changes, but for those of a retry that was not completed.
        For a completed retry the earlier answer, all that followed the subject, is deleted.
        Raises NotFound when the turn is gone with its conversation.
        """
        ...

    async def wait(self, turn: Turn, rest: Rest) -> bool:
        """Keep the tail, title and usage; the turn rests until a person answers, and then is stale.
        Standing approvals that have ended are gone.

        False where a stop was asked for meanwhile: nothing has changed then. Harmless when
        repeated, and raises, like finish.
        """
        ...

    async def opened(self, user_id: UserId, conversation_id: ConversationId) -> Opened:
        """The conversation's last turn. Raises Forbidden, NotFound, and Conflict (`not_waiting`)
        where it has none."""
        ...

    async def answer(
        self,
        opened: Opened,
        answered: tuple[TurnEvent, ...],
        *,
        standing: StandingApproval | None = None,
        newest: int = 1,
        room: int = MAX_PAGE,
    ) -> Begun | None:
        """Keep an answer to a turn that waits, and with it what stands approved from then on. Where
        it is the last one the turn runs from now on, under the next epoch.

        None where something was said or decided since it was `opened`: nothing has changed then.
        Raises Conflict (`conversation_closed`, `question_expired`), and NotFound when the turn is
        gone with its conversation.
        """
        ...

    async def claim_stale(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        ours: Collection[TurnId] = (),
        *,
        waiting: bool = False,
    ) -> Claimed | None:
        """Take over the conversation's turn if it is stale: nobody else can write then. With
        `waiting`, one that waits for a person, stale or not. It runs from then on.

        `ours` are turns that the caller runs: it is only late with their leases, and they stay
        what they are. None when there is no other stale turn.
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
