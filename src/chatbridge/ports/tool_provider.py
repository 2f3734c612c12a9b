"""Where the agent's tools come from."""

from typing import Protocol

from chatbridge.domain.model.tool import Away, OnBehalf, Tool, ToolRequest, ToolResult


class ToolProvider(Protocol):
    """Tools that act for one user at a time, who is never chosen by the model."""

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """The tools that can be called now, in a steady order and with unique names.

        A source that is down or slow costs only its own tools; nothing is raised.
        """
        ...

    def away(self) -> tuple[Away, ...]:
        """The sources whose tools were missing, or of before, when `tools` was last asked for."""
        ...

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        """Call a tool once; it is never repeated by itself.

        Whatever goes wrong with the tool is a failed result, in words that the model can use.
        Cancelling the call cancels it at the source as far as the source allows.
        """
        ...
