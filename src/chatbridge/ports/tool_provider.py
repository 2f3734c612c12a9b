"""Where the agent's tools come from."""

from collections.abc import Mapping
from typing import Protocol

from chatbridge.domain.model.tool import Away, LeftOut, OnBehalf, Tool, ToolRequest, ToolResult


class ToolProvider(Protocol):
    """Tools that act for one user at a time, who is never chosen by the model."""

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """The tools that can be called now, in a steady order and with unique names.

        A source that is down or slow costs only its own tools; nothing is raised.
        """
        ...

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        """The sources whose tools were missing, or of before, when `tools` was last asked for."""
        ...

    def left_out(self) -> tuple[LeftOut, ...]:
        """The tools that no model is offered, of the lists that are the same for everybody."""
        return ()

    def instructions(self, on_behalf: OnBehalf) -> Mapping[str, str]:
        """What sources ask the model to heed, by their names; of those that are trusted to."""
        return {}

    async def describe(self, request: ToolRequest, on_behalf: OnBehalf) -> str:
        """What such a call would do, in words of the tool's source; nothing where it has none.

        Nothing is changed by it. What goes wrong may be raised.
        """
        return ""

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        """Call a tool once; it is never repeated by itself.

        Whatever goes wrong with the tool is a failed result, in words that the model can use.
        Cancelling the call cancels it at the source as far as the source allows.
        """
        ...
