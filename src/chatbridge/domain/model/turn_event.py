"""What happens while a turn runs. Every surface translates from this union."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.attachment import Attached, Link
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.errors import AgentFailed, ChatbridgeError
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.message import Kind, Role
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.revised import Revised as Revised
from chatbridge.domain.model.tool_call import Asks, CallState, Decision, ToolCall

How = Literal["added", "done", "replaced", "kept"]
EndState = Literal["completed", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStarted:
    """The assistant begins a message, perhaps with words; `payload` is a surface's own form of it.

    `at_once`: it is whole already, and its words and its end follow at once. `attachments`, here
    and below, are what was made and is shown in it.
    """

    message_id: MessageId
    at: datetime
    content: str = ""
    payload: Payload | None = None
    at_once: bool = False
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """Some more of it, in this part of it."""

    message_id: MessageId
    text: str
    part: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """The message names a source for what it says."""

    message_id: MessageId
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFinished:
    """The message is whole. With a surface's own form of it, `content` is what it says in all."""

    message_id: MessageId
    content: str = ""
    payload: Payload | None = None
    at: datetime | None = None
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStarted:
    """A tool is about to run; the calls of one model step share one message."""

    message_id: MessageId
    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallFinished:
    """A tool has answered, or is known not to.

    `arguments` is given where they were not known when the call started. `files` and `links` are
    what it has brought besides.
    """

    message_id: MessageId
    call_id: CallId
    state: CallState
    output: str
    at: datetime
    arguments: str | None = None
    files: tuple[Attached, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallAsked:
    """A call waits for a person, and nothing of it has run. `agent` made it, and goes on after it.

    `form` is what it asks for answers to. `payload` is what the model's provider wants back with
    it, and `state` what the tool does; nobody else reads these.
    """

    message_id: MessageId
    call_id: CallId
    asks: Asks
    agent: str | None = None
    form: Form | None = None
    payload: Payload | None = None
    proposal: Proposal | None = None
    state: Payload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallAnswered:
    """The person has answered; where nothing is to be run here, the call's end follows.

    `id` is of this answer alone, whoever gives the same one; `key` is its sender's name for it.
    `answers` is what was given to a form; `again`: one of the tool's own. `stands`: so may further
    calls of the tool, here.
    """

    message_id: MessageId
    call_id: CallId
    decision: Decision
    at: datetime
    id: str
    key: str | None = None
    answers: Answers | None = None
    stands: bool = False
    again: bool = False

    @property
    def lets_it_run(self) -> bool:
        return self.decision == "approved" or self.again


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWaiting:
    """The last event of a turn for now: it goes on when a person has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResumed:
    """All that was asked is answered: what was approved runs now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensUsed:
    """One response of the model has cost this, says its provider."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """The conversation has got a title."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry as it is now, in a surface's own form.

    `added`: there is more of it to come; `done`: it is whole; `replaced`: it stands where another
    form of it stood; `kept`: nobody is told. `earlier`: a turn before this one began it.
    """

    message_id: MessageId
    at: datetime
    how: How
    kind: Kind
    content: str
    payload: Payload
    role: Role = "assistant"
    earlier: bool = False
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A part of an entry is another one now, in a surface's own words.

    `text` is what has come to it, for who does not read these: some more of what a model thinks.
    """

    message_id: MessageId
    payload: Payload
    text: str = ""
    attachments: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """An entry is taken back; `told`: those who watch hear of it."""

    message_id: MessageId
    told: bool = True
    earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """What goes on at the moment, for who watches; it is not kept with the messages."""

    text: str
    icon: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Said to who watches, in a surface's own words, and not kept with the messages."""

    payload: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed:
    """The turn can't go on: a stable code and a sentence for the person.

    `payload` is how a surface has said it itself.
    """

    code: str
    detail: str
    payload: Payload | None = None

    @classmethod
    def because(cls, error: ChatbridgeError) -> "TurnFailed":
        """What stopped it."""
        payload = error.payload if isinstance(error, AgentFailed) else None
        return cls(code=error.code, detail=error.detail, payload=payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The last event of every turn."""

    state: EndState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that this version can't read; it stands in its place, as a message of its own.

    Of a kind that it does not know, nothing is `shown`: most kinds are no message.
    """

    message_id: MessageId
    at: datetime
    shown: bool = True


TurnEvent = (
    TextStarted
    | TextDelta
    | Cited
    | TextFinished
    | ToolCallStarted
    | ToolCallFinished
    | ToolCallAsked
    | ToolCallAnswered
    | TurnWaiting
    | TurnResumed
    | Shown
    | Changed
    | Removed
    | Progressed
    | Told
    | Revised
    | TokensUsed
    | Titled
    | TurnFailed
    | TurnEnded
    | Unreadable
)

Numbered = tuple[int, TurnEvent]
"""An event and its place in its turn, counted from 1."""
