"""A tool provider that keeps a task list in memory and can misbehave on demand."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from chatbridge.domain.model.tool import Away, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider

_NUMBER = {"number": {"type": "integer"}}
_TITLE = {"title": {"type": "string"}}
_REHEARSAL = {"outcome": {"type": "string"}, "seconds": {"type": "number"}}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "add_task": _TITLE,
    "list_tasks": {},
    "update_task": {**_NUMBER, **_TITLE},
    "complete_task": _NUMBER,
    "delete_task": _NUMBER,
    "rehearse": _REHEARSAL,
}


class TaskTools(ToolProvider):
    """The five tools of a task list, and `rehearse`; every call is noted before it works."""

    def __init__(self, names: tuple[str, ...] = tuple(_PARAMETERS)) -> None:
        self.names = names
        self.tasks: dict[int, dict[str, Any]] = {}
        self.requests: list[ToolRequest] = []
        self.owners: list[OnBehalf] = []
        self.cancelled: list[str] = []
        self.missing: tuple[Away, ...] = ()
        self.on_call: Callable[[ToolRequest], None] = lambda request: None

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        self.owners.append(on_behalf)
        await asyncio.sleep(0)
        return tuple(_tool(name) for name in self.names)

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        return self.missing

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        self.requests.append(request)
        self.owners.append(on_behalf)
        self.on_call(request)
        try:
            await asyncio.sleep(0)
            return await self._run(request.name, **request.arguments)
        except asyncio.CancelledError:
            self.cancelled.append(request.name)
            raise
        except (KeyError, TypeError):
            return ToolResult(output="There is no such task.", failed=True)

    async def _run(self, name: str, **arguments: Any) -> ToolResult:
        if name == "rehearse":
            return await self._rehearse(**arguments)
        if name == "list_tasks":
            return ToolResult(output=json.dumps({"tasks": list(self.tasks.values())}))
        if name == "add_task":
            number = len(self.tasks) + 1
            self.tasks[number] = {"number": number, "done": False, **arguments}
            return ToolResult(output=json.dumps(self.tasks[number]))
        number = arguments["number"]
        if name == "delete_task":
            return ToolResult(output=json.dumps(self.tasks.pop(number)))
        self.tasks[number] |= {"done": True} if name == "complete_task" else arguments
        return ToolResult(output=json.dumps(self.tasks[number]))

    async def _rehearse(self, outcome: str, seconds: float = 0) -> ToolResult:
        if outcome == "crash":
            raise RuntimeError("a rehearsed crash")
        if outcome == "fail":
            return ToolResult(output="It has failed.", failed=True)
        if outcome == "lost":
            return ToolResult(output="Check first.", failed=True, unknown=True)
        await asyncio.sleep(seconds)
        return ToolResult(output=json.dumps({"rehearsed": outcome, "seconds": seconds}))


def _tool(name: str) -> Tool:
    properties = _PARAMETERS[name]
    schema = {"type": "object", "properties": properties}
    return Tool(name=name, description=name.replace("_", " "), parameters=schema)
