"""What is asked of a tool server, the same over every transport."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Protocol

from mcp import Client
from mcp.client import IncomingMessage
from mcp.client.session import MessageHandlerFnT
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    InputRequiredResult,
    InputResponses,
    RequestParamsMeta,
    ToolListChangedNotification,
)
from pydantic import TypeAdapter

from chatbridge.adapters.mcp.elicitation.requests import reply_of
from chatbridge.adapters.mcp.listed import ListedTool, listed
from chatbridge.domain.model.correlation import REQUEST_KEY, correlation
from chatbridge.domain.model.tool import CALL_KEY, OnBehalf, ToolRequest
from chatbridge.domain.model.words import quoted

Answer = CallToolResult | InputRequiredResult

CLIENT_INFO = Implementation(name="chatbridge", version=version("chatbridge-server"))

_ANSWER: TypeAdapter[Answer] = TypeAdapter(CallToolResult | InputRequiredResult)
_LATER = 0.25
_MOST_PAGES = 100
_MOST_TOOLS = 2_000
LARGEST_ANSWER = 8 * 1024**2
"""The bytes of one answer that are read, unpacked."""


class OwnWords(Exception):
    """Something went wrong, in words of our own: what they say may be logged."""

    @property
    def words(self) -> str:
        """What it says."""
        return str(self)


class Unreachable(OwnWords):
    """The server was not reached, so nothing was asked of it."""


class NoMessage(OwnWords):
    """What came is no message, so nobody knows what was done; `said` is what the server says."""

    def __init__(self, came: str, said: str = "") -> None:
        super().__init__(f"{came}: {quoted(said)}" if said else came)
        self._came = came

    @property
    def words(self) -> str:
        """What came, without what the server says of it."""
        return self._came


class Refused(NoMessage):
    """The server did not let the request in, so nothing was done."""


class TooLarge(OwnWords):
    """The server answered with more than is read."""


Alive = Callable[[], None]
"""Told at each sign of life of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersList:
    """What a server lists: its tools, those that can't be read and why, its instructions."""

    tools: list[ListedTool]
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    instructions: str | None = None


class Source(Protocol):
    """A tool server as the provider sees it. Each call raises whatever went wrong."""

    @property
    def name(self) -> str:
        """The configured name, unique among the servers."""
        ...

    @property
    def timeout(self) -> float:
        """The seconds that a call may take."""
        ...

    @property
    def patience(self) -> float | None:
        """The seconds that listing may take; None leaves it to the provider."""
        ...

    def credential(self, on_behalf: OnBehalf) -> str | None:
        """Whom the server takes the asker for; None where all users are the same to it."""
        ...

    async def tools(self, on_behalf: OnBehalf) -> ServersList:
        """All tools of the server, in its order."""
        ...

    async def call(self, request: ToolRequest, on_behalf: OnBehalf, alive: Alive) -> Answer:
        """Call a tool by its own name, once."""
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...


def heeding(changed: Callable[[], None]) -> MessageHandlerFnT:
    """What hears a server's messages, and passes on that its list of tools has changed."""

    async def hear(message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            changed()

    return hear


async def ask_for_tools(client: Client) -> list[ListedTool]:
    """The server's list, of two tools of one name the first.

    At most 100 pages or 2,000 tools are asked for; a cursor that comes again ends the list.
    """
    page = await client.list_tools()
    tools, seen = list(page.tools), {None, ""}
    while page.next_cursor not in seen and len(seen) <= _MOST_PAGES and len(tools) < _MOST_TOOLS:
        seen.add(page.next_cursor)
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return [*listed({tool.name: tool for tool in reversed(tools)}.values())][::-1]


async def ask_for_call(client: Client, request: ToolRequest, alive: Alive) -> Answer:
    """Send one tools/call and nothing else; the call's id goes with it under `CALL_KEY`, and the
    request's under `REQUEST_KEY`, and with a `reply` what a person has answered.

    It is asked to report its progress, of which `alive` is told. A server that only wants its state
    back is called again in a moment.

    The client's own `call_tool` also lists the tools of a new connection, to check structured
    content that is not used here: a second request, which may fail after the tool did its work.
    """
    meta: RequestParamsMeta = {CALL_KEY: request.call_id}
    if asked_in := correlation().request_id:
        meta[REQUEST_KEY] = asked_in
    responses: InputResponses | None = None
    state: str | None = None
    if request.reply:
        said, state = reply_of(request.reply)
        responses = {**said} or None

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        alive()

    while True:
        parameters = CallToolRequestParams(
            name=request.name,
            arguments=dict(request.arguments),
            input_responses=responses,
            request_state=state,
            _meta=meta,
        )
        answer = await client.session.send_request(
            CallToolRequest(params=parameters), _ANSWER, progress_callback=heard
        )
        if not isinstance(answer, InputRequiredResult) or answer.input_requests:
            return answer
        await asyncio.sleep(_LATER)
        responses, state = None, answer.request_state
