"""The client of the conformance suite: chatbridge's tools at an address, and a person who leaves
every field as it is."""

import asyncio
import sys
from dataclasses import replace
from typing import Any

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool import Reply, Tool, ToolRequest, ToolResult
from tests.integration.tool_servers import behalf, request

ALICE = behalf("alice")


async def _answer(form: Form) -> Answers:
    return {each.id: (each.offered[0].value,) for each in form.questions if _is_needed(each)}


def _is_needed(question: Any) -> bool:
    return bool(question.required and question.offered)


async def _call(tools: McpToolProvider, tool: Tool) -> ToolResult:
    asked: ToolRequest = replace(request(tool.name), ask=_answer)
    result = await tools.call(asked, ALICE)
    while result.wants:
        reply = Reply(answers=await _answer(result.wants.form), state=result.wants.state)
        result = await tools.call(replace(asked, reply=reply), ALICE)
    return result


async def main(url: str) -> None:
    """Call every tool of the server, all at once, until each has ended."""
    tools = McpToolProvider([HttpServer(name="suite", url=url)])
    try:
        listed = await tools.tools(ALICE)
        for result in await asyncio.gather(*(_call(tools, tool) for tool in listed)):
            sys.stdout.write(f"{result}\n")
    finally:
        await tools.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1]))
