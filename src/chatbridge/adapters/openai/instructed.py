"""Instructions of a host's that are a function of who asks."""

from collections.abc import Awaitable, Callable
from typing import Any

from agents import Agent, RunContextWrapper

from chatbridge.domain.model.asked import Asked
from chatbridge.ports.host_code import brought

Instructions = Callable[[Asked], str | Awaitable[str]]
"""What the model is told for whoever asks."""


def instructed_by(said: str | Instructions) -> Any:
    """Instructions as the SDK takes them."""
    if isinstance(said, str):
        return said

    async def instructions(context: RunContextWrapper[Any], _: Agent[Any]) -> str:
        found = context.context
        return await brought(said, found if isinstance(found, Asked) else found.asked)

    return instructions
