"""A tool server on standard input and output, run as a child process by the tests."""

import asyncio
import os
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("tiny")
_meeting = asyncio.Barrier(8)


def _note(what: str) -> None:
    with Path(os.environ["TINY_LOG"]).open("a") as log:
        log.write(f"{what}\n")


@server.tool(structured_output=False)
async def process() -> str:
    """The process's id."""
    _note("process")
    return str(os.getpid())


@server.tool(structured_output=False)
async def die() -> str:
    """End the process in the middle of a call."""
    _note("die")
    os._exit(3)


@server.tool(structured_output=False)
async def meet() -> str:
    """Wait until eight are here."""
    await _meeting.wait()
    return "met"


@server.tool(structured_output=False)
async def fail() -> str:
    """Fail with words."""
    raise ToolError("No.")


@server.tool(structured_output=False)
async def flood() -> str:
    """Answer with more than anybody reads."""
    return "x" * 9 * 1024**2


@server.tool(structured_output=False)
async def key(context: Context) -> str:
    """What names the call."""
    return str((context.request_context.meta or {}).get("chatbridge/idempotency-key"))


if __name__ == "__main__":
    server.run()
