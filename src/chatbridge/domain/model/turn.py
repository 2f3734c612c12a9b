"""One answer to one message: who asks for it, who holds it, and what is kept at its end."""

from dataclasses import dataclass
from typing import Literal

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import TurnId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import EndState, Numbered
from chatbridge.domain.model.usage import Usage

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

    `on_busy` unset: what the server is set to. `zone` is the person's time zone by its IANA name,
    as the page gives it; unset or unknown, the day is told by UTC.
    """

    once: Once | None = None
    on_busy: OnBusy | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is kept when a turn ends: its state, and what it has said as messages.

    `tail` is what it said that was not kept while it ran; `code` is why it was not completed.
    """

    state: EndState
    messages: tuple[Message, ...] = ()
    tail: tuple[Numbered, ...] = ()
    title: str | None = None
    usage: Usage | None = None
    code: str | None = None

    @classmethod
    def of(
        cls, transcript: Transcript, state: EndState, tail: tuple[Numbered, ...] = ()
    ) -> "Ending":
        """The end of a turn that has said what is in the transcript."""
        return cls(
            state=state,
            messages=transcript.closed(),
            tail=tail,
            title=transcript.title,
            usage=transcript.usage,
            code=transcript.code,
        )
