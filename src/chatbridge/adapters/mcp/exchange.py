"""What is asked of a tool server, the same over every transport."""

from collections.abc import Callable
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
    Tool,
    ToolListChangedNotification,
)
from pydantic import TypeAdapter

from chatbridge.domain.model.tool import CALL_KEY, OnBehalf, ToolRequest

Answer = CallToolResult | InputRequiredResult

CLIENT_INFO = Implementation(name="chatbridge", version=version("chatbridge-server"))

_ANSWER: TypeAdapter[Answer] = TypeAdapter(CallToolResult | InputRequiredResult)
_MOST_PAGES = 100


class Unreachable(Exception):
    """The server was not reached, so nothing was asked of it."""


class Refused(Exception):
    """The server did not let the request in, so nothing was done."""


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

    async def tools(self, on_behalf: OnBehalf) -> list[Tool]:
        """All tools of the server, in its order."""
        ...

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> Answer:
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


async def ask_for_tools(client: Client) -> list[Tool]:
    """All pages of the server's list, at most 100; of two tools of one name the first."""
    page = await client.list_tools()
    tools = list(page.tools)
    for _ in range(_MOST_PAGES - 1):
        if page.next_cursor is None:
            break
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return list({tool.name: tool for tool in reversed(tools)}.values())[::-1]


async def ask_for_call(client: Client, request: ToolRequest) -> Answer:
    """Send one tools/call and nothing else; the call's id goes with it under `CALL_KEY`.

    The client's own `call_tool` also lists the tools of a new connection, to check structured
    content that is not used here: a second request, which may fail after the tool did its work.
    """
    parameters = CallToolRequestParams(
        name=request.name, arguments=dict(request.arguments), _meta={CALL_KEY: request.call_id}
    )
    return await client.session.send_request(CallToolRequest(params=parameters), _ANSWER)
