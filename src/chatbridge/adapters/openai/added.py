"""What is added to an agent's instructions, whatever they are."""

from collections.abc import Mapping
from typing import Any

from agents import Agent, RunContextWrapper

_HEED = "The tool server {name} says of its tools:\n{words}"


def heed(agent: Agent[Any], instructions: Mapping[str, str]) -> None:
    """Add what tool servers say of their tools, each under its name."""
    for name, words in instructions.items():
        add(agent, _HEED.format(name=name, words=words))


def add(agent: Agent[Any], words: str) -> None:
    """Add the words behind the agent's own instructions."""
    given = agent.clone()

    async def instructions(context: RunContextWrapper[Any], _: Agent[Any]) -> str:
        said = await given.get_system_prompt(context)
        return f"{said}\n\n{words}" if said else words

    agent.instructions = instructions
