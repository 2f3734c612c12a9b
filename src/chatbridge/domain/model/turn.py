"""One answer to one message: who asks for it, who holds it, and what is kept at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chatbridge.domain.model.approval import ApprovalId
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import MessageId, TurnId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.tool_call import Open
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import EndState, Numbered, Revised
from chatbridge.domain.model.usage import Usage

TurnState = Open | EndState
OnDisconnect = Literal["finish", "cancel"]
OnBusy = Literal["reject", "interrupt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn as its owner holds it: whoever has the highest epoch may write, nobody else.

    `subject` is the message that it answers, None where it answers none (somebody has pressed a
    button), and where nobody has asked for it: a stale turn was taken over, a turn is only watched.
    `retry` says that an earlier answer is to be replaced when, and only when, this one completes.
    `by_host`: a server of the host's own speaks, in its surface's own words.
    """

    id: TurnId
    conversation: Conversation
    subject: Message | None = None
    epoch: int = 1
    retry: bool = False
    by_host: bool = False


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
    as the page gives it; unset or unknown, the day is told by UTC. For a server of the host's own:
    `operation` is what was asked in a surface's own words. The others are as in Asked.
    """

    once: Once | None = None
    on_busy: OnBusy | None = None
    zone: str | None = None
    operation: Payload | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


_AS_IT_WAS = Revised()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is another one in a conversation: entries that were there, and the conversation itself.

    An entry that is `replaced` keeps its place and its time.
    """

    replaced: tuple[Message, ...] = ()
    removed: tuple[MessageId, ...] = ()
    revised: Revised = _AS_IT_WAS

    @classmethod
    def of(cls, transcript: Transcript) -> "Changes":
        """What was changed in what the transcript tells."""
        return cls(
            replaced=tuple(transcript.replaced.values()),
            removed=tuple(transcript.removed),
            revised=transcript.revised,
        )

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = Changes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is kept when a turn comes to rest until a person answers, so many `seconds` at most.

    `tail` is what it said that was not kept while it ran. `ended` are the standing approvals of
    tools that are described in another way now.
    """

    seconds: float
    tail: tuple[Numbered, ...]
    ended: tuple[ApprovalId, ...] = ()
    title: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is kept when a turn ends: its state, and what it has said as messages.

    `tail` is what it said that was not kept while it ran; `code` is why it was not completed.
    `changes` are of what was there before it; a retry that was not completed has changed nothing.
    """

    state: EndState
    messages: tuple[Message, ...] = ()
    changes: Changes = _NOTHING
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
            changes=Changes.of(transcript),
            tail=tail,
            title=transcript.title,
            usage=transcript.usage,
            code=transcript.code,
        )
