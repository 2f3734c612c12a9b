"""One call of a tool: what was asked, what came of it, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.attachment import Attached, Link
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.question import Answers, Form

_LISTING, _UNREAD = "tools of ", "file "

Open = Literal["running", "waiting"]
"""Of a call or a turn: it goes on, or rests until a person answers."""

Decision = Literal["approved", "rejected", "given", "skipped", "expired"]
"""What a person answers to a call that asks: leave to run it, or none; what was asked for, or that
there will be no answer to the questions. Or nobody has, as long as the call went on."""

CallState = Literal[
    Open,
    "approved",
    "rejected",
    "succeeded",
    "failed",
    "withdrawn",
    "cancelled",
    "unknown",
]
Asks = Literal["approval", "client", "answers"]
"""What a call wants of a person: leave before it is run, that their page runs it, or answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call with its arguments and output as the text that the model wrote and read.

    `unknown` means that the tool was started and nobody saw it end: it may have done its work.
    `waiting` and `approved`: what it `asks` of a person is not answered yet, or it is and the tool
    has not begun. `rejected` and `withdrawn`: it was not run, as the person said no, or nothing.
    `form`: the questions of one that asks for answers, and `answers` what was given to them.
    `hosted`: the model's provider ran it, and told of it afterwards. `source`: the tool server that
    has the tool; empty where none has. `proposal`: the tool as it was when it was asked about.
    `files` and `links` are what it has brought besides its output.
    """

    id: CallId
    name: str
    arguments: str
    started_at: datetime
    output: str | None = None
    state: CallState = "running"
    ended_at: datetime | None = None
    hosted: bool = False
    source: str = ""
    asks: Asks | None = None
    form: Form | None = None
    answers: Answers | None = None
    proposal: Proposal | None = None
    files: tuple[Attached, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def goes_on_with_answers(self) -> bool:
        """Whether its tool has asked in the midst of the call, rather than the model."""
        return self.form is not None and bool(self.form.source)


def listing_of(source: str) -> str:
    """The name of the call that asks a source for its tools; it is shown where it fails.

    No tool has such a name: models allow no blanks in one.
    """
    return f"{_LISTING}{source}"


def unread(file: str) -> str:
    """The name of the call that gives a model what is in a file; it is shown where it has not."""
    return f"{_UNREAD}{file}"


def is_notice(name: str) -> bool:
    """Whether a call of this name is one of these, which no model has made."""
    return name.startswith((_LISTING, _UNREAD))


def is_of_a_file(call: ToolCall) -> bool:
    """Whether it is about a file."""
    return call.name.startswith(_UNREAD)
