"""How soon a changed list of tools is noticed."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver import Context

from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from tests.integration.tool_servers import (
    Probe,
    behalf,
    names,
    older,
    probe_at,
    provider,
    request,
    serving,
)
from tests.ports import free_port

ALICE = behalf("alice")
# nothing is asked again because of its age
FOR_EVER = ListingTimes(fresh=3600, rest=0)


async def become(tools: McpToolProvider, expected: Sequence[str]) -> bool:
    """Whether the list is soon what is expected: a server's word needs a moment."""
    for _ in range(300):
        if await names(tools) == expected:
            return True
        await asyncio.sleep(0.05)
    return False


# a list that changes


@pytest.mark.parametrize("script", ["growing_stdio_server.py", "older_stdio_server.py"])
async def test_a_command_that_says_that_its_list_has_changed_is_asked_at_once(script: str) -> None:
    arguments = ["-P", str(Path(__file__).with_name(script))]
    server = StdioServer(name="growing", command=sys.executable, args=arguments, starting=30)
    async with provider(server, times=FOR_EVER) as tools:
        assert await names(tools) == ["grow"]
        assert not (await tools.call(request("grow"), ALICE)).failed
        assert await become(tools, ["grow", "grown"])
        assert (await tools.call(request("grown"), ALICE)).output == "I am new."


async def test_a_command_that_starts_anew_is_asked_for_its_list_anew() -> None:
    arguments = ["-P", str(Path(__file__).with_name("growing_stdio_server.py"))]
    server = StdioServer(name="growing", command=sys.executable, args=arguments, starting=30)
    async with provider(server, times=FOR_EVER) as tools:
        process = int((await tools.call(request("grow"), ALICE)).output)
        assert await become(tools, ["grow", "grown"])
        os.kill(process, signal.SIGKILL)
        assert await become(tools, ["grow"])


async def test_a_server_that_says_so_while_it_answers_is_asked_at_once() -> None:
    server = MCPServer("growing")

    async def grown() -> str:
        """New."""
        return "I am new."

    @server.tool(structured_output=False)
    async def grow(context: Context) -> str:
        """Add a tool."""
        server.add_tool(grown, structured_output=False)
        await context.session.send_tool_list_changed()
        return "grown"

    app = older(server.streamable_http_app())
    async with serving(app) as base, provider(probe_at(base), times=FOR_EVER) as tools:
        assert await names(tools) == ["grow"]
        await tools.call(request("grow"), ALICE)
        assert await become(tools, ["grow", "grown"])


async def test_a_tool_that_is_gone_makes_the_next_turn_ask_anew() -> None:
    port = free_port()
    before, after = Probe(offered=("echo",)), Probe(offered=("fail",))
    async with provider(probe_at(f"http://127.0.0.1:{port}"), times=FOR_EVER) as tools:
        async with serving(before.app(), port):
            assert await names(tools) == ["echo"]
        async with serving(after.app(), port):
            assert await names(tools) == ["echo"]
            gone = await tools.call(request("echo", text="hi"), ALICE)
            assert await names(tools) == ["fail"]

    assert gone.failed
    assert after.requests.count("POST tools/list") == 1


async def test_a_list_without_a_reason_to_doubt_it_is_not_asked_for_again() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base), times=FOR_EVER) as tools:
        for _ in range(3):
            await names(tools)
            await tools.call(request("echo", text="hi"), ALICE)

    assert probe.requests.count("POST tools/list") == 1
