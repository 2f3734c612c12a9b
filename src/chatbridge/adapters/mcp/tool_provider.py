"""The agent's tools, from servers that speak the Model Context Protocol."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp import MCPError
from mcp_types import URL_ELICITATION_REQUIRED

from chatbridge.adapters.mcp.elicitation.open_questions import OpenQuestions
from chatbridge.adapters.mcp.elicitation.requests import is_given_up
from chatbridge.adapters.mcp.exchange import Answer
from chatbridge.adapters.mcp.http_server import HttpServer, HttpSource
from chatbridge.adapters.mcp.listing import Listing, ListingTimes
from chatbridge.adapters.mcp.names import Names
from chatbridge.adapters.mcp.offered import Offered, OfferedTool
from chatbridge.adapters.mcp.patience import Patience
from chatbridge.adapters.mcp.results import (
    answered,
    failed,
    gone_wrong,
    not_reached,
    pages_needed,
    timed_out,
    told,
    too_deep,
    unknown_tool,
)
from chatbridge.adapters.mcp.stdio_server import StdioServer, StdioSource
from chatbridge.adapters.mcp.traffic import http_client
from chatbridge.domain.model.identifiers import new_call_id
from chatbridge.domain.model.tool import Away, LeftOut, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.domain.model.tool_schema import deeper_than
from chatbridge.ports.tool_provider import ToolProvider

_log = logging.getLogger(__name__)

MOST_TOOLS = 512
_MANY_TOOLS = 128
_DEEPEST_ARGUMENTS = 100
_DECLINED = "The person declined what the tool's server needs first, so it was not run."


class McpToolProvider(ToolProvider):
    """The tools of all servers, in the servers' order; one that is down costs only its own.

    A tool whose name an earlier server has is called by its server's name and its own. A list is
    the same for all whom its server takes for the same. At most `most_tools` are offered. Raises
    ValueError when two servers share a name.
    """

    def __init__(
        self,
        servers: Sequence[HttpServer | StdioServer],
        *,
        times: ListingTimes | None = None,
        most_tools: int = MOST_TOOLS,
    ) -> None:
        over_http = [each for each in servers if isinstance(each, HttpServer)]
        self._http = http_client({each.url: each.app for each in over_http if each.app})
        self._servers = {server.name: server for server in servers}
        if len(self._servers) < len(servers):
            raise ValueError("Two tool servers have the same name.")
        self._offered = {name: self._offers(server) for name, server in self._servers.items()}
        self._listings = {
            name: Listing(offered, times or ListingTimes())
            for name, offered in self._offered.items()
        }
        self._names = Names()
        self._most_tools = most_tools
        self._counted = 0
        self._too_many: tuple[LeftOut, ...] = ()

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """The tools that can be called now; nothing is raised."""
        lists = await asyncio.gather(
            *(listing.tools(on_behalf) for listing in self._listings.values())
        )
        found = [
            (server, tool)
            for server, listed in zip(self._listings, lists, strict=True)
            for tool in listed.tools
        ]
        self._count(found)
        return tuple(self._tool(server, tool) for server, tool in found[: self._most_tools])

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        """The servers that could not be listed when they were last asked."""
        return tuple(
            Away(source=server, since=since)
            for server, listing in self._listings.items()
            if (since := listing.away_since(on_behalf)) is not None
        )

    def left_out(self) -> tuple[LeftOut, ...]:
        """The tools that no model is offered, of the lists that are the same for everybody."""
        unfit = (
            LeftOut(source=server, tool=tool, reason=reason)
            for server, listing in self._listings.items()
            for tool, reason in listing.left_out()
        )
        return tuple(dict.fromkeys([*unfit, *self._too_many]))

    def instructions(self, on_behalf: OnBehalf) -> Mapping[str, str]:
        """What servers ask the model to heed, by their names; of those that are trusted to."""
        said = ((name, each.instructions(on_behalf)) for name, each in self._listings.items())
        return {name: words for name, words in said if words}

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        """Call a tool once; whatever goes wrong is a failed result."""
        if deeper_than(request.arguments, _DEEPEST_ARGUMENTS):
            return too_deep(_DEEPEST_ARGUMENTS)
        server, tool = await self._target(request.name, on_behalf) or (None, None)
        if server is None or tool is None:
            away = server is not None and self._listings[server].away_since(on_behalf)
            return not_reached(server) if server and away else unknown_tool(request.name)
        result = await self._result(server, tool, request, on_behalf)
        if result.failed:
            # maybe because the server has other tools now
            self._listings[server].doubt()
        return result

    async def describe(self, request: ToolRequest, on_behalf: OnBehalf) -> str:
        """See the port. Raises whatever goes wrong."""
        server, tool = await self._target(request.name, on_behalf) or (None, None)
        if server is None or tool is None or tool.described_by is None:
            return ""
        if deeper_than(request.arguments, _DEEPEST_ARGUMENTS):
            return ""
        # under a key of its own: under the call's, a server would take it for the call
        asked = replace(request, call_id=new_call_id())
        describing = replace(tool.described_by, own_names=tool.own_names)
        return told(await self._offered[server].call(describing, asked, on_behalf, _ignored))

    async def close(self) -> None:
        """Let go of all connections and child processes; no call may follow."""
        await asyncio.gather(*(offered.source.close() for offered in self._offered.values()))
        await self._http.aclose()

    async def _result(
        self, server: str, tool: OfferedTool, request: ToolRequest, on_behalf: OnBehalf
    ) -> ToolResult:
        if is_given_up(request.reply):
            return failed(_DECLINED)
        at = self._servers[server]
        patience = Patience(at.timeout, at.longest)
        try:
            async with patience:
                answer = await self._answer(server, tool, request, on_behalf, patience)
                return answered(server, tool.name, answer, at.widget, acts=at.widget_actions)
        except TimeoutError:
            return timed_out(patience.waited)
        except Exception as error:
            if isinstance(error, MCPError) and error.code == URL_ELICITATION_REQUIRED:
                return pages_needed(server, error)
            return gone_wrong(server, error)

    async def _answer(
        self,
        server: str,
        tool: OfferedTool,
        request: ToolRequest,
        on_behalf: OnBehalf,
        patience: Patience,
    ) -> Answer:
        call = self._offered[server].call
        if request.ask is None:
            return await call(tool, request, on_behalf, patience.alive)
        questions = OpenQuestions(request.ask, patience, self._servers[server].longest)
        try:
            asks = replace(request, ask=questions.ask)
            return await call(tool, asks, on_behalf, patience.alive)
        finally:
            await questions.close()

    def _offers(self, server: HttpServer | StdioServer) -> Offered:
        def changed() -> None:
            self._listings[server.name].doubt()

        source = (
            HttpSource(server, self._http, changed)
            if isinstance(server, HttpServer)
            else StdioSource(server, changed)
        )
        return Offered(
            source,
            only=server.tools,
            user_argument=server.user_argument,
            instructions=server.instructions,
            approval=server.approval,
        )

    def _tool(self, server: str, tool: OfferedTool) -> Tool:
        return Tool(
            name=self._names.of((server, tool.name)),
            description=tool.description,
            parameters=tool.parameters,
            source=server,
            asks="approval" if tool.asks else None,
            fingerprint=tool.fingerprint,
            may_stand=self._servers[server].approve_for_conversation,
        )

    def _count(self, found: Sequence[tuple[str, OfferedTool]]) -> None:
        self._too_many = tuple(
            LeftOut(source=server, tool=tool.name, reason=f"there are {self._most_tools} before it")
            for server, tool in found[self._most_tools :]
        )
        if len(found) != self._counted and len(found) > min(_MANY_TOOLS, self._most_tools):
            _log.warning(
                "%d tools are listed and %d offered; many endpoints take 128. A server's `tools` "
                "chooses, CHATBRIDGE_MCP__MAX_TOOLS is the limit",
                len(found),
                min(len(found), self._most_tools),
            )
        self._counted = len(found)

    async def _target(
        self, name: str, on_behalf: OnBehalf
    ) -> tuple[str, OfferedTool | None] | None:
        if self._names.target(name) is None:
            # a turn that goes on after a restart calls what an earlier process has listed
            await self.tools(on_behalf)
        target = self._names.target(name)
        if target is None:
            return None
        server, tool = target
        return server, await self._listings[server].find(tool, on_behalf)


def _ignored() -> None:
    """A sign of life puts no limit off."""
