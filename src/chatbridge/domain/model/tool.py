"""A tool that the model may call, and what a call of it brings."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatbridge.domain.model.attachment import Link, Made
from chatbridge.domain.model.identifiers import CallId, ConversationId, TurnId, UserId
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool_call import Asks

CALL_KEY = "chatbridge/idempotency-key"
"""Names a call's id to tool servers, which can tell by it that a call has come before."""
DESCRIBED_BY = "chatbridge/described-by"
"""Names in a tool's metadata a tool of the same server that only reads, and says in words what a
call with the same arguments would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A name, what it does, the JSON schema of its arguments, and which server has it, if one; and
    what a call of it `asks` of a person before it is run, if anything.

    `fingerprint` is of all that its server says of it; a person's approval `may_stand` for the
    whole conversation.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    source: str = ""
    asks: Asks | None = None
    fingerprint: str = ""
    may_stand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A source of tools that can't be asked for them, by name, and since when."""

    source: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A tool of a source that no model is offered, and why not."""

    source: str
    tool: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBehalf:
    """For whom, and in which turn, tools are listed and called. The model can't choose it."""

    user_id: UserId
    conversation_id: ConversationId
    turn_id: TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a tool wants of a person before it goes on, and the `state` that it wants back with the
    answers: its own, opened and shown by nobody."""

    form: Form
    state: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person has answered to what a tool wanted; None: that they don't."""

    answers: Answers | None
    state: Payload


Ask = Callable[[Form], Awaitable[Answers | None]]
"""Puts a form to a person while the call goes on: the answers, or None where they decline. Raises
TimeoutError where nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequest:
    """One call: the tool's name, its arguments as parsed JSON, and the call's own id.

    `ask` is there where a person can be asked, and `reply` where one has been: the same call then
    comes again.
    """

    call_id: CallId
    name: str
    arguments: Mapping[str, Any]
    ask: Ask | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The text for the model, and whether the tool failed.

    `unknown` is a failure of which nobody saw the end: the tool may have done its work. `data`,
    `widget` and `acts` are as in Brought; `made` and `links` is what it has brought besides. With
    `wants` it has not ended: it is to be called again with a person's answers.
    """

    output: str
    failed: bool = False
    unknown: bool = False
    data: Any = None
    widget: Any = None
    acts: bool = False
    made: tuple[Made, ...] = ()
    links: tuple[Link, ...] = ()
    wants: Wanted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a call that has succeeded brought: `output` as the model reads it, and `data`, the same
    for programs (JSON; None where the tool gives only a text).

    `widget` is what the tool's server wants shown of it, in a surface's own words; `acts`: with
    what can be pressed in it.
    """

    call_id: CallId
    name: str
    arguments: Mapping[str, Any]
    output: str
    data: Any = None
    widget: Any = None
    acts: bool = False
