"""Tools that no server runs: those of the page, and the one that asks a person."""

import logging
from collections.abc import Mapping, Sequence

from chatbridge.domain.model.tool import Away, LeftOut, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider

_log = logging.getLogger(__name__)


class AskingTools(ToolProvider):
    """The tools of another provider, and `own`, which a person or their page answers.

    Of two of one name, the one of `own` is meant: the other is left out, and that is logged.
    """

    def __init__(self, others: ToolProvider, own: Sequence[Tool]) -> None:
        self._others, self._own = others, tuple(own)
        self._names = {tool.name for tool in own}
        self._hidden: dict[str, LeftOut] = {}

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """See the port."""
        others = await self._others.tools(on_behalf)
        for tool in others:
            if tool.name in self._names and tool.name not in self._hidden:
                self._hide(tool)
        return (*(tool for tool in others if tool.name not in self._names), *self._own)

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        """See the port."""
        return self._others.away(on_behalf)

    def left_out(self) -> tuple[LeftOut, ...]:
        """See the port."""
        return (*self._others.left_out(), *self._hidden.values())

    def instructions(self, on_behalf: OnBehalf) -> Mapping[str, str]:
        """See the port."""
        return self._others.instructions(on_behalf)

    async def describe(self, request: ToolRequest, on_behalf: OnBehalf) -> str:
        """See the port."""
        return await self._others.describe(request, on_behalf)

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        """See the port; nobody calls those of `own`, which wait for their answers."""
        return await self._others.call(request, on_behalf)

    def _hide(self, tool: Tool) -> None:
        reason = "a tool of the page, or ask_person, has its name"
        self._hidden[tool.name] = LeftOut(source=tool.source, tool=tool.name, reason=reason)
        _log.warning("tool server %s: its %s is left out: %s", tool.source, tool.name, reason)
