"""One answer to one message, and the record of it while it is being given."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import TurnId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import EndState, ToolCallStarted, TurnEvent

TurnState = Literal["running"] | EndState
OnDisconnect = Literal["finish", "cancel"]
OnBusy = Literal["reject", "interrupt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn as its owner holds it: whoever has the highest epoch may write, nobody else.

    `subject` is the message that it answers, None where nobody has asked for it: a stale turn was
    taken over, a turn is only watched. `retry` says that an earlier answer is to be replaced when,
    and only when, this one completes.
    """

    id: TurnId
    conversation: Conversation
    subject: Message | None = None
    epoch: int = 1
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """The caller's own name for a request, and the digest of what is asked under it.

    The same key and digest again is the same request, for as long as its turn exists.
    """

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a turn is asked for: at most once under a key, and what to do where one is running.

    `on_busy` unset: what the server is set to.
    """

    once: Once | None = None
    on_busy: OnBusy | None = None


class Recording:
    """What a running turn has said so far, and how much of that is durable.

    Written by the one who runs the turn, made durable by a journal, read by any number of
    viewers by cursor: event n has the number n, counted from 1. It never waits; whoever wants to
    wait is told of each change by `on_change`.
    """

    def __init__(self, turn: Turn, events: tuple[TurnEvent, ...] = ()) -> None:
        self.turn = turn
        self.events: list[TurnEvent] = list(events)
        self.durable = len(events)
        self.transcript = Transcript(turn.conversation.id, events)
        self.ended = False
        self.cancel_asked = False
        self.lost: ChatbridgeError | None = None
        self.refused = False
        self.on_change: Callable[[], None] = lambda: None

    def say(self, event: TurnEvent) -> None:
        """Add an event; it may be shown once it is durable."""
        self.events.append(event)
        self.transcript.apply(event)

    @property
    def tail(self) -> list[tuple[int, TurnEvent]]:
        """The events that are not durable yet, with their numbers."""
        return list(enumerate(self.events[self.durable :], self.durable + 1))

    @property
    def shown(self) -> tuple[Message, ...]:
        """What a reader may see of it: all that is durable."""
        return Transcript(self.turn.conversation.id, self.events[: self.durable]).said

    def copy(self, events: Iterable[TurnEvent]) -> None:
        """Add events that are kept already."""
        for event in events:
            self.say(event)
        self.durable_to(len(self.events))

    def durable_to(self, number: int) -> None:
        """Events up to `number` are kept for good."""
        self.durable = max(self.durable, number)
        self.on_change()

    def forget_tail(self) -> None:
        """Take back what is not durable: nobody has seen it, and nobody may keep it now."""
        del self.events[self.durable :]
        self.transcript = Transcript(self.turn.conversation.id, self.events)

    def ask_cancel(self) -> None:
        """Somebody pressed stop."""
        self.cancel_asked = True
        self.on_change()

    def lose(self, reason: ChatbridgeError) -> None:
        """The turn is no longer ours: nothing more of it may be kept."""
        self.lost = reason
        self.on_change()

    def refuse(self) -> None:
        """The store can't keep what was said last: the turn fails, and what is durable stays."""
        self.refused = True
        self.on_change()

    def end(self) -> None:
        """There is nothing more to come; all that may be shown is durable."""
        self.ended = True
        self.on_change()

    def is_durable(self, call_id: str) -> bool:
        """Whether the start of this call is kept, so that the tool may run."""
        return any(
            isinstance(event, ToolCallStarted) and event.call.id == call_id
            for event in self.events[: self.durable]
        )
