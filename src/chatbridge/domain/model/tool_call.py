"""One call of a tool: what was asked, what came of it, and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model.identifiers import CallId

_LISTING = "tools of "

Open = Literal["running", "waiting"]
"""Of a call or a turn: it goes on, or rests until a person answers."""

Decision = Literal["approved", "rejected"]
"""What a person answers to a call that asks."""

CallState = Literal[
    Open,
    Decision,
    "succeeded",
    "failed",
    "withdrawn",
    "cancelled",
    "unknown",
]
Asks = Literal["approval"]
"""What a call wants of a person before it is run: leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call with its arguments and output as the text that the model wrote and read.

    `unknown` means that the tool was started and nobody saw it end: it may have done its work.
    `waiting` and `approved`: what it `asks` of a person is not answered yet, or it is and the tool
    has not begun. `rejected` and `withdrawn`: it was not run, as the person said no, or nothing.
    `hosted`: the model's provider ran it, and told of it afterwards. `source`: the tool server that
    has the tool; empty where none has.
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


def listing_of(source: str) -> str:
    """The name of the call that asks a source for its tools; it is shown where it fails.

    No tool has such a name: models allow no blanks in one.
    """
    return f"{_LISTING}{source}"


def is_listing(call: ToolCall) -> bool:
    """Whether this is such a call, which no model has made."""
    return call.name.startswith(_LISTING)
