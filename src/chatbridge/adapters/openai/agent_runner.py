"""The Agents SDK as the one who answers."""

from collections.abc import Callable
from functools import partial
from typing import Any

from agents import (
    Agent,
    Model,
)

from chatbridge.adapters.openai.chosen import Offered, choose
from chatbridge.adapters.openai.host_agents import model_of, require_models, settings_of
from chatbridge.adapters.openai.images import ImageForms
from chatbridge.adapters.openai.instructed import Instructions, instructed_by
from chatbridge.adapters.openai.models import Models, name_of, no_endpoint
from chatbridge.adapters.openai.opening import Opening, no_files
from chatbridge.adapters.openai.recall import Recall, WindowRecall
from chatbridge.adapters.openai.run import Run
from chatbridge.adapters.openai.thoughts import ThoughtForms, thoughts_of
from chatbridge.adapters.openai.titles import Titles
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.choice import Choice, Chosen, nothing_chosen
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.tool_provider import ToolProvider


class OpenAIAgentRunner(AgentRunner):
    """Answers with an agent of the Agents SDK and the tools of a provider.

    It is the host's `agent`, or one that has only `instructions`. `model` is for agents that name
    none, `named` finds the others' by name. `max_steps` is how often a model may speak in one turn.
    With `tracing` the SDK sends prompts and tool data to OpenAI; with `log_words` the log repeats
    what an endpoint has said about a failure. `approve_for_conversation`: what the host's own tools
    ask may be approved for a whole conversation. `recall` is what the model reads, else the window.
    Tools that no model takes are noted as `unoffered`. `chosen` says what a message has chosen of
    the models that are `offered`, and which tool. `thoughts` is how those of a model are shown,
    None for not at all; with `summaries` only those that its provider has made for people.
    `images` is how those are shown that a provider's own tools make. `titles` are made beside first
    answers, if they are. `opening` opens the files that messages carry; else models are told their
    names.
    """

    def __init__(
        self,
        model: Model,
        tools: ToolProvider,
        *,
        instructions: str | Instructions,
        agent: Agent[Any] | None = None,
        named: Callable[[str], Model] = no_endpoint,
        max_steps: int = 10,
        tracing: bool = False,
        log_words: bool = False,
        approve_for_conversation: bool = False,
        recall: Recall | None = None,
        unoffered: Unoffered | None = None,
        chosen: Chosen = nothing_chosen,
        offered: Offered | None = None,
        thoughts: ThoughtForms | None = None,
        summaries: bool = True,
        images: ImageForms | None = None,
        titles: Titles | None = None,
        opening: Opening | None = None,
    ) -> None:
        """Raises ValueError when an agent names a model that can't be had."""
        self._tools = tools
        self._agent = agent or Agent(name="chatbridge", instructions=instructed_by(instructions))
        self._models = Models(model, named)
        self._max_steps = max_steps
        self._tracing = tracing
        self._log_words = log_words
        self._hosts_stand = approve_for_conversation
        self._recall = recall or WindowRecall()
        self._unoffered = unoffered or Unoffered()
        self._chosen = chosen
        self._offered = offered or {}
        self._thoughts = partial(thoughts_of, forms=thoughts, summaries=summaries)
        self._images, self._titles = images, titles
        self._opened = opening.files if opening else no_files
        require_models(self._agent, self._models, self._unoffered)
        self._name = name_of(model_of(self._agent, self._models))

    @property
    def model(self) -> str:
        """See the port."""
        return self._name

    def model_for(self, message: Message | None) -> str:
        """See the port."""
        found = self._offered.get((self._chosen(message).model if message else None) or "")
        return found.name if found else self._name

    async def run(self, request: AgentRequest) -> None:
        """One streamed run of the SDK; each event is said as soon as it is known.

        Raises AgentFailed (its codes are those of `failures`), and whatever `before_call` raises
        of the domain's own errors.
        """
        if self._titles is None:
            return await self._answer(request)
        found = self._offered.get(self._choice(request).model or "")
        model = found.model if found else model_of(self._agent, self._models)
        async with self._titles.beside(request, model, settings_of(self._agent)) as titled:
            return await self._answer(titled)

    def _choice(self, request: AgentRequest) -> Choice:
        return self._chosen(said) if (said := request.turn.subject) else Choice()

    async def _answer(self, request: AgentRequest) -> None:
        choice = self._choice(request)
        run = Run(
            request,
            self._tools,
            self._models,
            self._unoffered,
            partial(choose, choice=choice, offered=self._offered),
            self._thoughts,
            self._images,
            self._opened,
            self._log_words,
            self._hosts_stand,
        )
        try:
            await run.start(self._agent, self._recall, self._max_steps, self._tracing)
            await run.until_over()
        finally:
            await run.close()

    def kept(self, turn: Turn, ending: Ending) -> None:
        """See the port."""
        self._recall.kept(turn, ending)
