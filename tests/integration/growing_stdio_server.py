"""A tool server on standard input and output that grows when it is asked to, and says so."""

import os

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("growing")


async def grown() -> str:
    """New."""
    return "I am new."


@server.tool(structured_output=False)
async def grow(context: Context) -> str:
    """Add a tool. Answers the process's id."""
    server.add_tool(grown, structured_output=False)
    await context.notify_tools_changed()
    return str(os.getpid())


if __name__ == "__main__":
    server.run()
