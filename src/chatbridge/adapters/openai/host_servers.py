"""The host's own tool servers in one run: copies whose arguments have names that all take."""

import copy
from collections.abc import Mapping
from typing import Any

from agents.mcp import MCPServer

from chatbridge.domain.model.tool_schema import Unfit, fitted, renamed, restored


def fit_server(server: MCPServer) -> MCPServer:
    """The server, whose odd names of arguments models never see and it gets back."""
    copied = copy.copy(server)
    own_names: dict[str, Mapping[str, str]] = {}

    async def list_tools(*given: Any, **more: Any) -> list[Any]:
        return [_fit(tool, own_names) for tool in await server.list_tools(*given, **more)]

    async def call_tool(
        tool_name: str, arguments: dict[str, Any] | None, *given: Any, **more: Any
    ) -> Any:
        own = restored(arguments, own_names.get(tool_name, {}))
        return await server.call_tool(tool_name, own, *given, **more)

    vars(copied).update(list_tools=list_tools, call_tool=call_tool)
    return copied


def _fit(tool: Any, own_names: dict[str, Mapping[str, str]]) -> Any:
    try:
        schema, own = renamed(fitted(tool.input_schema))
    except Unfit:  # it is left out where it is offered
        return tool
    own_names[tool.name] = own
    return tool.model_copy(update={"input_schema": schema}) if own else tool
