"""What a message has chosen, put into an agent of its turn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agents import Agent, Model

from chatbridge.adapters.openai.added import add
from chatbridge.domain.model.choice import Choice


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """One that may be chosen, and what it is told behind the agent's own instructions."""

    name: str
    model: Model
    instructions: str | None = None


Offered = Mapping[str, OfferedModel]


def choose(agent: Agent[Any], choice: Choice, offered: Offered) -> Model | None:
    """The model, if one was chosen that is offered. A tool that is not there is not insisted on."""
    if choice.tool in {tool.name for tool in agent.tools}:
        agent.model_settings = replace(agent.model_settings, tool_choice=choice.tool)
    found = offered.get(choice.model or "")
    if found and found.instructions:
        add(agent, found.instructions)
    return found.model if found else None
