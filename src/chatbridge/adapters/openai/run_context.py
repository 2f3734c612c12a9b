"""What a host's own tools and instructions find in a run: who asks, and what the host adds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from agents import Agent, RunContextWrapper

from chatbridge.domain.model.asked import Asked

MakeContext = Callable[[Asked], Any]
"""A host's function; what it answers, or what that brings when it is awaited, is added."""

Instructions = Callable[[Asked], str | Awaitable[str]]
"""What the model is told for whoever asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext(Asked):
    """`request_context` is where ChatKit's own context of an agent has it."""

    request_context: Any = None


def nothing_more(_: Asked) -> None:
    """A host adds nothing."""


async def run_context(asked: Asked, make: MakeContext) -> RunContext:
    """The context of one run. Raises whatever the host's function does."""
    made = make(asked)
    return RunContext(
        user_id=asked.user_id,
        conversation_id=asked.conversation_id,
        turn_id=asked.turn_id,
        claims=asked.claims,
        headers=asked.headers,
        request_context=await made if isawaitable(made) else made,
    )


def instructed_by(said: str | Instructions) -> Any:
    """Instructions as the SDK takes them."""
    if isinstance(said, str):
        return said

    async def instructions(context: RunContextWrapper[RunContext], _: Agent[RunContext]) -> str:
        told = said(context.context)
        return await told if isawaitable(told) else told

    return instructions
