"""The Agents SDK as the one who answers."""

import asyncio
import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, cast

from agents import (
    Agent,
    HandoffOutputItem,
    Model,
    RunItem,
    Runner,
    RunResultStreaming,
    ToolApprovalItem,
    ToolCallOutputItem,
)
from agents.exceptions import ModelRefusalError

from chatbridge.adapters.openai.beginning import first_agent
from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.carried import carrying
from chatbridge.adapters.openai.chosen import Offered, choose
from chatbridge.adapters.openai.events import ResponseReader
from chatbridge.adapters.openai.failure_line import failure_line, in_the_code
from chatbridge.adapters.openai.failures import ApprovalNeeded, agent_failed
from chatbridge.adapters.openai.given import configured
from chatbridge.adapters.openai.host_agents import HostAgents, model_of, require_models
from chatbridge.adapters.openai.instructed import Instructions, instructed_by
from chatbridge.adapters.openai.models import Models, name_of, no_endpoint
from chatbridge.adapters.openai.outputs import shown_output
from chatbridge.adapters.openai.recall import Recall, WindowRecall
from chatbridge.adapters.openai.thoughts import ThoughtForms, Thoughts, thoughts_of
from chatbridge.adapters.openai.tools import Toolbox, ToolHooks
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.adapters.openai.watched_model import WatchedModel
from chatbridge.domain.model.choice import Choice, Chosen, nothing_chosen
from chatbridge.domain.model.message import Message, cleaned
from chatbridge.domain.model.turn import Ending, Turn
from chatbridge.domain.model.turn_event import Revised, TurnEvent
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.tool_provider import ToolProvider

log = logging.getLogger(__name__)

_CLOSING_SECONDS = 10.0
NEEDS_APPROVAL = "This tool needs an approval, which can't be given here, so it was not run."


class OpenAIAgentRunner(AgentRunner):
    """Answers with an agent of the Agents SDK and the tools of a provider.

    It is the host's `agent`, or one that has only `instructions`. `model` is for agents that name
    none, `named` finds the others' by name. `max_steps` is how often a model may speak in one turn.
    With `tracing` the SDK sends prompts and tool data to OpenAI; with `log_words` the log repeats
    what an endpoint has said about a failure. `recall` is what the model reads, else the window.
    Tools that no model takes are noted as `unoffered`. `chosen` says what a message has chosen of
    the models that are `offered`, and which tool. `thoughts` is how those of a model are shown,
    None for not at all; with `summaries` only those that its provider has made for people.
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
        recall: Recall | None = None,
        unoffered: Unoffered | None = None,
        chosen: Chosen = nothing_chosen,
        offered: Offered | None = None,
        thoughts: ThoughtForms | None = None,
        summaries: bool = True,
    ) -> None:
        """Raises ValueError when an agent names a model that can't be had."""
        self._tools = tools
        self._agent = agent or Agent(name="chatbridge", instructions=instructed_by(instructions))
        self._models = Models(model, named)
        self._max_steps = max_steps
        self._tracing = tracing
        self._log_words = log_words
        self._recall = recall or WindowRecall()
        self._unoffered = unoffered or Unoffered()
        self._chosen = chosen
        self._offered = offered or {}
        self._thoughts = partial(thoughts_of, forms=thoughts, summaries=summaries)
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
        choice = self._chosen(said) if (said := request.turn.subject) else Choice()
        run = _Run(
            request,
            self._tools,
            self._models,
            self._unoffered,
            partial(choose, choice=choice, offered=self._offered),
            self._thoughts,
            self._log_words,
        )
        try:
            await run.start(self._agent, self._recall, self._max_steps, self._tracing)
            await run.until_over()
        finally:
            await run.close()

    def kept(self, turn: Turn, ending: Ending) -> None:
        """See the port."""
        self._recall.kept(turn, ending)


class _Run:
    """One run: what happens in it is said at once, until it is over."""

    def __init__(
        self,
        request: AgentRequest,
        tools: ToolProvider,
        models: Models,
        unoffered: Unoffered,
        choose: Callable[[Agent[Any]], Model | None],
        thoughts: Callable[[Callable[[TurnEvent], None], Model], Thoughts],
        log_words: bool,
    ) -> None:
        self._request = request
        self._choose = choose
        self._thoughts = thoughts
        self._log_words = log_words
        self._models = models
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls = Calls(self._say)
        self._toolbox = Toolbox(tools, request, self._calls)
        self._hooks = ToolHooks(request, self._calls, self._fail)
        self._agents = HostAgents(models, self._watched, self._hooks, unoffered)
        self._reader: ResponseReader | None = None
        self._active = ""
        self._result: RunResultStreaming | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self, agent: Agent[Any], recall: Recall, max_steps: int, tracing: bool) -> None:
        """List the tools and let the SDK run. Raises AgentFailed."""
        try:
            first, read = await self._first(agent), await recall.read(self._request)
            with carrying():
                self._result = Runner.run_streamed(
                    first,
                    read,
                    context=self._request.context or self._request.asked,
                    max_turns=max_steps,
                    hooks=self._hooks,
                    run_config=configured(
                        self._request, self._models, self._hooks.describe, tracing=tracing
                    ),
                )
        except Exception as error:
            raise self._logged(error)  # noqa: B904 - it carries its cause
        self._pump = asyncio.create_task(self._drain(self._result))

    async def until_over(self) -> None:
        """Wait for the end. Raises what ended it early."""
        try:
            await self._over
        except Exception as error:
            raise self._logged(error)  # noqa: B904 - it carries its cause

    async def close(self) -> None:
        """Stop the model and the tools, and wait until they have stopped (10 s at most)."""
        if self._result is None:
            return
        self._result.cancel()
        known = (self._pump, self._result.run_loop_task, *self._toolbox.tasks)
        tasks = [task for task in known if task is not None]
        _, late = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
        if late:
            log.error("%d tasks of a closed run have not stopped", len(late))

    async def _first(self, agent: Agent[Any]) -> Agent[Any]:
        remembered = self._request.turn.conversation.agent
        first = await first_agent(agent, remembered, self._agents, self._toolbox)
        if model := self._choose(first):
            first.model = self._watched(model)
        self._active = cleaned(first.name)
        return first

    def _watched(self, model: Model) -> Model:
        return WatchedModel(model, self._next_reader, self._fail)

    def _next_reader(self, model: Model, known: Collection[str]) -> ResponseReader:
        self._reader = ResponseReader(
            self._say, self._calls, self._thoughts(self._say, model), known
        )
        return self._reader

    async def _drain(self, result: RunResultStreaming) -> None:
        try:
            async for event in result.stream_events():
                if event.type == "run_item_stream_event":
                    self._settle(event.item)
            self._conclude(result)
            self._remember(result)
        except ModelRefusalError:
            self._end()  # its words were the answer
        except Exception as error:
            self._calls.never_begin()
            self._fail(error)
        else:
            self._end()

    def _say(self, event: TurnEvent) -> None:
        if not self._over.done():
            self._request.say(event)

    # The first reason for its end counts: what the SDK makes of it comes later.
    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    # What the hooks did not see end: a handoff, or a call that the SDK has answered itself.
    def _settle(self, item: RunItem) -> None:
        if isinstance(item, HandoffOutputItem):
            raw = cast(dict[str, Any], item.raw_item)
            self._calls.finish(raw["call_id"], str(raw["output"]))
        elif isinstance(item, ToolCallOutputItem):
            self._calls.answered(item.call_id, shown_output(item.output))

    def _conclude(self, result: RunResultStreaming) -> None:
        if result.interruptions:
            for item in result.interruptions:
                self._refuse(item)
            raise ApprovalNeeded
        if self._reader and self._reader.called and result.final_output is not None:
            # a tool's output is the answer
            self._reader.conclude(shown_output(result.final_output))

    # Said at the very end: an answer that is stopped or fails hands nothing over.
    def _remember(self, result: RunResultStreaming) -> None:
        active = cleaned(result.last_agent.name)
        if active != self._active:
            self._say(Revised(agent=active))

    def _refuse(self, item: ToolApprovalItem) -> None:
        if self._calls.find(item.call_id) is None and self._reader:
            self._reader.refuse(item.name or "", item.arguments or "{}", NEEDS_APPROVAL)
        else:
            self._calls.answered(item.call_id, NEEDS_APPROVAL)

    def _logged(self, error: Exception) -> Exception:
        failure = agent_failed(error)
        if failure is not error:
            log.warning(
                "failed with %s: %s",
                failure.code,
                failure_line(error, words=self._log_words),
                exc_info=in_the_code(error),
            )
            failure.__cause__ = error
        return failure
