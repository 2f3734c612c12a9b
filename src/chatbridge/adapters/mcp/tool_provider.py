"""The agent's tools, from servers that speak the Model Context Protocol."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcp_types import Tool as ServerTool

from chatbridge.adapters.mcp.exchange import Source
from chatbridge.adapters.mcp.http_server import HttpServer, HttpSource, http_client
from chatbridge.adapters.mcp.listing import Listing, ListingTimes
from chatbridge.adapters.mcp.names import Names, Target
from chatbridge.adapters.mcp.offered import Offered
from chatbridge.adapters.mcp.results import answered, gone_wrong, timed_out, unknown_tool
from chatbridge.adapters.mcp.stdio_server import StdioServer, StdioSource
from chatbridge.domain.model.tool import Away, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider


class McpToolProvider(ToolProvider):
    """The tools of all servers, in the servers' order; one that is down costs only its own.

    A tool whose name an earlier server has is called by its server's name and its own. Lists are
    the same for all users. Raises ValueError when two servers share a name.
    """

    def __init__(
        self, servers: Sequence[HttpServer | StdioServer], *, times: ListingTimes | None = None
    ) -> None:
        self._http = http_client()
        self._sources = {server.name: self._source(server) for server in servers}
        if len(self._sources) < len(servers):
            raise ValueError("Two tool servers have the same name.")
        self._listings = {
            name: Listing(source, times or ListingTimes()) for name, source in self._sources.items()
        }
        self._names = Names()

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """The tools that can be called now; nothing is raised."""
        lists = await asyncio.gather(
            *(listing.tools(on_behalf) for listing in self._listings.values())
        )
        return tuple(
            self._tool(server, tool)
            for server, tools in zip(self._listings, lists, strict=True)
            for tool in tools
        )

    def away(self) -> tuple[Away, ...]:
        """The servers that could not be listed when they were last asked."""
        return tuple(
            Away(source=server, since=since)
            for server, listing in self._listings.items()
            if (since := listing.away_since) is not None
        )

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        """Call a tool once; whatever goes wrong is a failed result."""
        target = await self._target(request.name, on_behalf)
        if target is None:
            return unknown_tool(request.name)
        server, tool = target
        result = await self._result(server, replace(request, name=tool), on_behalf)
        if result.failed:
            # maybe because the server has other tools now
            self._listings[server].doubt()
        return result

    async def close(self) -> None:
        """Let go of all connections and child processes; no call may follow."""
        await asyncio.gather(*(source.close() for source in self._sources.values()))
        await self._http.aclose()

    async def _result(self, server: str, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        source = self._sources[server]
        try:
            async with asyncio.timeout(source.timeout):
                return answered(request.name, await source.call(request, on_behalf))
        except TimeoutError:
            return timed_out(source.timeout)
        except Exception as error:
            return gone_wrong(server, error)

    def _source(self, server: HttpServer | StdioServer) -> Source:
        def changed() -> None:
            self._listings[server.name].doubt()

        source = (
            HttpSource(server, self._http, changed)
            if isinstance(server, HttpServer)
            else StdioSource(server, changed)
        )
        return Offered(source, only=server.tools, user_argument=server.user_argument)

    def _tool(self, server: str, tool: ServerTool) -> Tool:
        return Tool(
            name=self._names.of((server, tool.name)),
            description=tool.description or tool.title or "",
            parameters=_with_properties(tool.input_schema),
        )

    async def _target(self, name: str, on_behalf: OnBehalf) -> Target | None:
        if self._names.target(name) is None:
            # a turn that goes on after a restart calls what an earlier process has listed
            await self.tools(on_behalf)
        return self._names.target(name)


def _with_properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    # without them a model's provider may refuse the request, and all tools with it
    properties = schema.get("properties")
    return {**schema, "properties": properties if isinstance(properties, Mapping) else {}}
