"""The reference servers of the Model Context Protocol, by the programs of their packages."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool import ToolRequest, ToolResult
from tests.integration.tool_servers import behalf

ALICE = behalf("alice")
ON_NODE = Path(__file__).parent / "tool_servers" / "node_modules" / ".bin"
STARTING = 30.0
ENVIRONMENT = dict(os.environ)


def on_node(name: str, *args: str, **env: str) -> StdioServer:
    """A server from npm."""
    program = ON_NODE / f"mcp-server-{name}"
    if not program.exists():
        pytest.fail(f"no {program}: `make test-system` installs it, with Node 20.9 or later")
    return StdioServer(
        name=name,
        command=str(program),
        args=list(args),
        env=ENVIRONMENT | env,
        starting=STARTING,
    )


def on_python(name: str, *args: str) -> StdioServer:
    """A server from PyPI."""
    return StdioServer(
        name=name,
        command=str(Path(sys.executable).with_name(f"mcp-server-{name}")),
        args=list(args),
        env=ENVIRONMENT,
        starting=STARTING,
    )


@asynccontextmanager
async def tools_of(*servers: StdioServer) -> AsyncGenerator[McpToolProvider]:
    """The servers' tools; without them there is nothing to test."""
    tools = McpToolProvider(servers)
    try:
        assert await tools.tools(ALICE), "a server has listed no tools: see the log"
        yield tools
    finally:
        await tools.close()


async def call(tools: McpToolProvider, tool: str, arguments: dict[str, Any]) -> ToolResult:
    """Alice's call."""
    request = ToolRequest(call_id=CallId("call_1"), name=tool, arguments=arguments)
    return await tools.call(request, ALICE)


async def test_everything() -> None:
    async with tools_of(on_node("everything")) as tools:
        said = await call(tools, "echo", {"message": "hi"})
        wrong = await call(tools, "get-sum", {"a": "x", "b": 3})
        picture = await call(tools, "get-tiny-image", {})
        weather = await call(tools, "get-structured-content", {"location": "New York"})
        links = await call(tools, "get-resource-links", {"count": 2})
        unknown = await call(tools, "fly", {})

    assert (said.output, said.failed) == ("Echo: hi", False)
    assert wrong.failed
    assert "expected number" in wrong.output
    assert (picture.failed, "image" in picture.output) == (False, True)
    assert set(json.loads(weather.output)) == {"temperature", "conditions", "humidity"}
    assert links.output.count("demo://resource/") == 2
    assert unknown.output == "There is no tool 'fly'."


async def test_eight_users_of_everything_do_not_wait_for_each_other() -> None:
    long = {"duration": 0.5, "steps": 1}
    async with tools_of(on_node("everything")) as tools:
        began = time.perf_counter()
        await call(tools, "trigger-long-running-operation", long)
        one = time.perf_counter() - began
        began = time.perf_counter()
        results = await asyncio.gather(
            *(call(tools, "trigger-long-running-operation", long) for _ in range(8))
        )
        eight = time.perf_counter() - began

    assert not any(result.failed for result in results)
    assert eight / one < 5, f"one call took {one:.3f} s, eight at once {eight:.3f} s"


async def test_filesystem(tmp_path: Path) -> None:
    root = tmp_path
    (root / "a.txt").write_text("tea")
    async with tools_of(on_node("filesystem", str(root))) as tools:
        seen = await call(tools, "list_directory", {"path": str(root)})
        read = await call(tools, "read_text_file", {"path": str(root / "a.txt")})
        new = {"path": str(root / "b.txt"), "content": "milk"}
        written = await call(tools, "write_file", new)
        outside = await call(tools, "read_text_file", {"path": "/etc/passwd"})

    assert seen.output == "[FILE] a.txt"
    assert read.output == "tea"
    assert not written.failed
    assert (root / "b.txt").read_text() == "milk"
    assert (outside.failed, "Access denied" in outside.output) == (True, True)


async def test_memory(tmp_path: Path) -> None:
    ada = {"name": "Ada", "entityType": "person", "observations": ["likes tea"]}
    server = on_node("memory", MEMORY_FILE_PATH=str(tmp_path / "graph.jsonl"))
    async with tools_of(server) as tools:
        await call(tools, "create_entities", {"entities": [ada]})
    async with tools_of(server) as tools:
        found = await call(tools, "search_nodes", {"query": "tea"})

    assert json.loads(found.output)["entities"] == [ada]


async def test_time() -> None:
    async with tools_of(on_python("time", "--local-timezone", "Europe/Rome")) as tools:
        noon = {
            "source_timezone": "UTC",
            "time": "12:00",
            "target_timezone": "Asia/Karachi",
        }
        there = await call(tools, "convert_time", noon)
        nowhere = await call(tools, "get_current_time", {"timezone": "Mars/Base"})

    assert "T17:00:00+05:00" in json.loads(there.output)["target"]["datetime"]
    assert nowhere.failed
    assert nowhere.output.startswith("“Invalid timezone")


async def test_all_of_them_side_by_side(tmp_path: Path) -> None:
    servers = (
        on_node("everything"),
        on_node("filesystem", str(tmp_path)),
        on_node("memory", MEMORY_FILE_PATH=str(tmp_path / "graph.jsonl")),
        on_python("time"),
    )
    async with tools_of(*servers) as tools:
        names = [tool.name for tool in await tools.tools(ALICE)]

    assert len(names) == len(set(names))
    assert {"echo", "read_text_file", "search_nodes", "convert_time"} <= set(names)
