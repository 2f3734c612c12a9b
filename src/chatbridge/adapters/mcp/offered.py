"""What of a tool server the model gets: some of its tools, and never the choice of the user."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from mcp_types import Tool

from chatbridge.adapters.mcp.exchange import Answer, Source
from chatbridge.domain.model.tool import OnBehalf, ToolRequest

_log = logging.getLogger(__name__)


class Offered:
    """A source with only the tools named `only` (None: all), and without their `user_argument`.

    That argument is in no schema that is listed. In a call, whatever the model says for it is
    dropped, and the user is put in where the tool has it.
    """

    def __init__(
        self, source: Source, *, only: Sequence[str] | None, user_argument: str | None
    ) -> None:
        self.name = source.name
        self.timeout = source.timeout
        self.patience = source.patience
        self._source = source
        self._only = only
        self._user_argument = user_argument
        self._takes_user: dict[str, bool] = {}

    async def tools(self, on_behalf: OnBehalf) -> list[Tool]:
        """Those of the server's tools that are offered, in its order."""
        tools = self._chosen(await self._source.tools(on_behalf))
        if self._user_argument is None:
            return tools
        return [self._without_user(tool, self._user_argument) for tool in tools if self._fits(tool)]

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> Answer:
        """Call a tool, once."""
        return await self._source.call(self._filled(request, on_behalf), on_behalf)

    async def close(self) -> None:
        """Let go of what is held open."""
        await self._source.close()

    def _chosen(self, tools: list[Tool]) -> list[Tool]:
        if self._only is None:
            return tools
        if missing := sorted(set(self._only) - {tool.name for tool in tools}):
            _log.warning("tool server %s: it has no tool %s", self.name, ", ".join(missing))
        return [tool for tool in tools if tool.name in self._only]

    def _fits(self, tool: Tool) -> bool:
        fits = not _names_deeper(tool.input_schema, self._user_argument)
        if not fits:
            _log.warning(
                "tool server %s: %s is not offered: it takes `%s` inside of another argument, "
                "where it can't be filled in",
                self.name,
                tool.name,
                self._user_argument,
            )
        return fits

    def _without_user(self, tool: Tool, argument: str) -> Tool:
        schema = tool.input_schema
        self._takes_user[tool.name] = argument in _properties(schema)
        if not self._takes_user[tool.name]:
            return tool
        return tool.model_copy(update={"input_schema": _without(schema, argument)})

    def _filled(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolRequest:
        if self._user_argument is None:
            return request
        given = request.arguments.items()
        kept = {name: value for name, value in given if name != self._user_argument}
        if self._takes_user.get(request.name, False):
            kept[self._user_argument] = on_behalf.user_id
        return replace(request, arguments=kept)


def _without(schema: Mapping[str, Any], argument: str) -> dict[str, Any]:
    properties = {name: at for name, at in _properties(schema).items() if name != argument}
    without = {**schema, "properties": properties}
    if isinstance(required := schema.get("required"), list):
        without["required"] = [name for name in cast(list[Any], required) if name != argument]
    return without


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties")
    return cast(Mapping[str, Any], found) if isinstance(found, Mapping) else {}


def _names_deeper(schema: Mapping[str, Any], argument: str | None) -> bool:
    """Whether an object below the outermost one has a property of this name."""
    below = [value for name, value in schema.items() if name != "properties"]
    return any(_names(part, argument) for part in [*below, *_properties(schema).values()])


def _names(part: Any, argument: str | None) -> bool:
    match part:
        case dict():
            found = cast(dict[str, Any], part)
            return argument in _properties(found) or any(
                _names(value, argument) for value in found.values()
            )
        case list():
            return any(_names(value, argument) for value in cast(list[Any], part))
        case _:
            return False
