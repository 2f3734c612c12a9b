"""The agent that a run begins with, and the tools of ours that it gets."""

from dataclasses import replace
from typing import Any

from agents import Agent

from chatbridge.adapters.openai.absent import tell
from chatbridge.adapters.openai.added import heed
from chatbridge.adapters.openai.host_agents import HostAgents, agent_named
from chatbridge.adapters.openai.tools import Toolbox


async def first_agent(
    agent: Agent[Any], remembered: str | None, agents: HostAgents, toolbox: Toolbox
) -> Agent[Any]:
    """The one that the last answer was handed over to, if it is still to be reached; else `agent`.

    Either way the tools of ours are `agent`'s, as they are when it hands over.
    """
    copied = await _with_our_tools(agent, agents, toolbox)
    found = agent_named(agent, remembered)
    return copied if found is None else agents.copy(found)


async def _with_our_tools(agent: Agent[Any], agents: HostAgents, toolbox: Toolbox) -> Agent[Any]:
    copied = agents.copy(agent)
    copied.tools = [*copied.tools, *await toolbox.open({tool.name for tool in agent.tools})]
    heed(copied, toolbox.instructions)
    tell(copied, toolbox.away)
    return copied


def go_on(agent: Agent[Any]) -> None:
    """Let it go on after a rest: what it is given has passed its guardrails, for which nothing that
    was approved would wait, and a tool that it had to call it has called."""
    agent.input_guardrails = []
    if agent.reset_tool_choice:
        agent.model_settings = replace(agent.model_settings, tool_choice=None)
