"""The host's agents in one run: copies that are watched, and whose handoffs are calls."""

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from agents import (
    Agent,
    FunctionTool,
    Handoff,
    InputGuardrail,
    Model,
    ModelProvider,
    ModelSettings,
    OutputGuardrail,
    handoff,
)
from agents.models import get_default_model_settings

from chatbridge.adapters.openai.host_servers import fit_server
from chatbridge.adapters.openai.host_tools import HOSTED_TOOLS, fit_tools, telling
from chatbridge.adapters.openai.models import is_chat_completions
from chatbridge.adapters.openai.names import apart
from chatbridge.adapters.openai.standing import Standing
from chatbridge.adapters.openai.tools import ToolHooks
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.message import cleaned
from chatbridge.ports.host_code import brought

G = TypeVar("G", InputGuardrail[Any], OutputGuardrail[Any])


class HostAgents:
    """Copies the agents of one run as it comes to them; the host's own are never changed."""

    def __init__(
        self,
        models: ModelProvider,
        watch: Callable[[Model], Model],
        hooks: ToolHooks,
        unoffered: Unoffered,
        standing: Standing,
    ) -> None:
        self._models = models
        self._watch = watch
        self._hooks = hooks
        self._unoffered = unoffered
        self._standing = standing
        self._copies: dict[int, Agent[Any]] = {}

    def copy(self, agent: Agent[Any]) -> Agent[Any]:
        """The agent with all that it has; the same copy each time."""
        known = self._copies.get(id(agent))
        if known is None:
            known = self._copies[id(agent)] = agent.clone(
                model=self._watch(model_of(agent, self._models)),
                model_settings=settings_of(agent),
                handoffs=[self._handoff(to) for to in agent.handoffs],
                tools=[
                    self._standing.settle_hosts(agent.name, telling(tool, self._hooks.failed))
                    for tool in fit_tools(agent.name, agent.tools, self._unoffered)
                ],
                instructions=_instructing(agent.instructions),
                input_guardrails=[*map(_guarding, agent.input_guardrails)],
                output_guardrails=[*map(_guarding, agent.output_guardrails)],
                mcp_servers=[*map(fit_server, agent.mcp_servers)],
            )
            _set_apart(known)
        return known

    # The SDK calls no hook before a handoff, which may run a function of the host's.
    def _handoff(self, to: Agent[Any] | Handoff[Any, Any]) -> Handoff[Any, Any]:
        given = to if isinstance(to, Handoff) else handoff(to)
        gated = copy.copy(given)

        async def invoke(context: Any, arguments: str) -> Any:
            await self._hooks.before_handoff(gated.tool_name)
            return self.copy(await given.on_invoke_handoff(context, arguments))

        gated.on_invoke_handoff = invoke
        return gated


# The SDK calls these in tasks of its own, where one that leaves would end the loop.
def _instructing(said: Any) -> Any:
    if not callable(said):
        return said

    # the SDK counts its parameters
    async def instructions(context: Any, agent: Agent[Any]) -> Any:
        return await brought(said, context, agent)

    return instructions


def _guarding(guardrail: G) -> G:
    function = partial(brought, guardrail.guardrail_function)
    # the SDK names it by its function
    return replace(guardrail, guardrail_function=function, name=guardrail.get_name())


# The SDK makes names of agents' names, and one of two that are the same can't be reached.
def _set_apart(copied: Agent[Any]) -> None:
    tools = [tool for tool in copied.tools if isinstance(tool, FunctionTool)]
    handoffs = [to for to in copied.handoffs if isinstance(to, Handoff)]
    named = [*(tool.name for tool in tools), *(to.tool_name for to in handoffs)]
    names = apart(named)
    for tool, name in zip(tools, names, strict=False):
        tool.name = name
    for to, name in zip(handoffs, names[len(tools) :], strict=True):
        to.tool_name = name


def require_models(agent: Agent[Any], models: ModelProvider, unoffered: Unoffered) -> None:
    """Make sure that each agent that can be reached has a model, and one that has its tools.

    Tools that no model takes are noted. Raises ValueError.
    """
    for reached in _reachable(agent):
        _ = [*fit_tools(reached.name, reached.tools, unoffered)]
        model = model_of(reached, models)
        hosted = [tool.name for tool in reached.tools if isinstance(tool, HOSTED_TOOLS)]
        if hosted and is_chat_completions(model):
            raise ValueError(
                f"The agent {reached.name} has the tool {hosted[0]}, which providers have only in "
                "the Responses API: CHATBRIDGE_AGENT__API=responses."
            )


def agent_named(agent: Agent[Any], name: str | None) -> Agent[Any] | None:
    """The agent of this name among those that an answer can be handed over to, the nearest one."""
    return next((each for each in _reachable(agent) if cleaned(each.name) == name), None)


def names_its_model(agent: Agent[Any]) -> bool:
    """Whether the agent, and each that it is known to hand off to, has a model of its own."""
    return all(reached.model is not None for reached in _reachable(agent))


def _reachable(agent: Agent[Any]) -> Iterator[Agent[Any]]:
    known, todo = {id(agent)}, deque([agent])
    while todo:
        each = todo.popleft()
        yield each
        for to in filter(None, map(_target, each.handoffs)):
            if id(to) not in known:
                known.add(id(to))
                todo.append(to)


# The SDK's `handoff(agent)` remembers the agent; one that a host has made itself may lead anywhere.
def _target(to: Agent[Any] | Handoff[Any, Any]) -> Agent[Any] | None:
    if isinstance(to, Agent):
        return to
    remembered = getattr(to, "_agent_ref", None)
    found: Any = remembered() if remembered else None
    return found if isinstance(found, Agent) else None  # pyright: ignore[reportUnknownVariableType]


def model_of(agent: Agent[Any], models: ModelProvider) -> Model:
    """The model that the agent names; the configured one where it names none."""
    return agent.model if isinstance(agent.model, Model) else models.get_model(agent.model)


# An agent that names no model has the settings of the SDK's default one, which another can refuse.
def settings_of(agent: Agent[Any]) -> ModelSettings:
    """What its model is asked with, and to tell what it costs."""
    settings = agent.model_settings
    if agent.model is None and settings == get_default_model_settings():
        settings = ModelSettings()
    return settings if settings.include_usage is not None else replace(settings, include_usage=True)
