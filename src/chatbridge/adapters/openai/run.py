"""One run of the Agents SDK: what happens in it is said at once, until it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, cast

from agents import (
    Agent,
    HandoffOutputItem,
    Model,
    RunContextWrapper,
    RunItem,
    Runner,
    RunResultStreaming,
    ToolApprovalItem,
    ToolCallOutputItem,
)
from agents.exceptions import ModelRefusalError
from agents.items import TResponseOutputItem
from openai.types.responses import ResponseFunctionToolCall

from chatbridge.adapters.openai.beginning import first_agent, go_on
from chatbridge.adapters.openai.calls import Call, Calls
from chatbridge.adapters.openai.carried import Carried, carried, carrying
from chatbridge.adapters.openai.events import ResponseReader
from chatbridge.adapters.openai.failure_line import failure_line, in_the_code
from chatbridge.adapters.openai.failures import ApprovalNeeded, agent_failed
from chatbridge.adapters.openai.files import Files, Tell
from chatbridge.adapters.openai.given import configured
from chatbridge.adapters.openai.host_agents import HostAgents, agent_named
from chatbridge.adapters.openai.images import ImageForms
from chatbridge.adapters.openai.models import Models
from chatbridge.adapters.openai.outputs import shown_output
from chatbridge.adapters.openai.recall import Recall
from chatbridge.adapters.openai.replay import Replay, hung_on
from chatbridge.adapters.openai.standing import Standing
from chatbridge.adapters.openai.thoughts import Thoughts
from chatbridge.adapters.openai.tools import Toolbox, ToolHooks
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.adapters.openai.watched_model import WatchedModel
from chatbridge.domain.model.approval import Proposal
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.turn_event import Revised, TurnEvent
from chatbridge.ports.agent_runner import AgentRequest
from chatbridge.ports.tool_provider import ToolProvider

log = logging.getLogger(__name__)

_CLOSING_SECONDS = 10.0
_NOT_RUN = "This tool needs an approval, which can't be asked for {}, so it was not run."
INSIDE_A_TOOL = _NOT_RUN.format("inside an agent that is a tool")
AT_THE_PROVIDER = _NOT_RUN.format("where the model's provider calls it")


class Run:
    """One run: what happens in it is said at once, until it is over."""

    def __init__(
        self,
        request: AgentRequest,
        tools: ToolProvider,
        models: Models,
        unoffered: Unoffered,
        choose: Callable[[Agent[Any]], Model | None],
        thoughts: Callable[[Callable[[TurnEvent], None], Model], Thoughts],
        images: ImageForms | None,
        opened: Callable[[AgentRequest, Tell], Awaitable[Files]],
        log_words: bool,
        hosts_stand: bool,
    ) -> None:
        self._request = request
        self._opened = opened
        self._choose = choose
        self._thoughts, self._images = thoughts, images
        self._log_words = log_words
        self._models = models
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls = Calls(self._say)
        self._standing = Standing(request.standing, hosts=hosts_stand)
        self._toolbox = Toolbox(tools, request, self._calls, self._standing, self._rest)
        self._hooks = ToolHooks(request, self._calls, self._standing, self._fail)
        self._agents = HostAgents(models, self._watched, self._hooks, unoffered, self._standing)
        self._replay = Replay(request.before)
        self._carried = Carried()
        self._reader: ResponseReader | None = None
        self._active = ""
        self._result: RunResultStreaming | None = None
        self._pump: asyncio.Task[None] | None = None
        self._describing: asyncio.Future[list[Proposal | None]] | None = None

    async def start(self, agent: Agent[Any], recall: Recall, max_steps: int, tracing: bool) -> None:
        """List the tools and let the SDK run. Raises AgentFailed."""
        try:
            files = await self._opened(self._request, self._calls.report_files)
            first, read = await self._first(agent), await recall.read(self._request, files)
            context = RunContextWrapper[Any](self._request.context or self._request.asked)
            with carrying(files):
                self._carried = carried()
                self._replay.go_on(first, context, self._calls, self._carried)
                self._result = Runner.run_streamed(
                    first,
                    read,
                    context=context,
                    # one more: the step that is run again
                    max_turns=max_steps + bool(self._replay.approved),
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
        if self._describing:
            self._describing.cancel()
        known = (self._pump, self._result.run_loop_task, *self._toolbox.tasks)
        tasks = [task for task in known if task is not None]
        _, late = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
        if late:
            log.error("%d tasks of a closed run have not stopped", len(late))

    # After a rest, whoever made the call that was asked about goes on.
    async def _first(self, agent: Agent[Any]) -> Agent[Any]:
        before, remembered = self._request.before, self._request.turn.conversation.agent
        named = (before and (before.agent or before.revised.agent)) or remembered
        first = await first_agent(agent, named, self._agents, self._toolbox)
        began = cleaned((agent_named(agent, remembered) or agent).name)
        if cleaned(first.name) == began and (model := self._choose(first)):
            first.model = self._watched(model)
        if before:
            go_on(first)
        self._active = began
        return first

    def _watched(self, model: Model) -> Model:
        return WatchedModel(model, self._next_reader, self._fail, self._replay.take)

    def _next_reader(self, model: Model, known: Collection[str]) -> ResponseReader:
        self._reader = ResponseReader(
            self._say, self._calls, self._thoughts(self._say, model), known, self._images
        )
        return self._reader

    async def _drain(self, result: RunResultStreaming) -> None:
        try:
            async for event in result.stream_events():
                if event.type == "run_item_stream_event":
                    self._settle(event.item)
            await self._conclude(result)
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

    def _rest(self) -> None:
        if self._result is not None:
            self._result.cancel(mode="after_turn")

    async def _conclude(self, result: RunResultStreaming) -> None:
        if result.interruptions or self._calls.wanting:
            await self._ask(result.interruptions, result.raw_responses[-1].output)
            return
        called = self._reader and self._reader.called and result.final_output is not None
        if self._reader and called and not self._request.rests():
            # a tool's output is the answer
            self._reader.conclude(shown_output(result.final_output))
        self._remember(result)

    # Said at the very end: an answer that is stopped or fails hands nothing over, and one that
    # rests may still be.
    def _remember(self, result: RunResultStreaming) -> None:
        active = cleaned(result.last_agent.name)
        if active != self._active:
            self._say(Revised(agent=active))

    async def _ask(
        self, items: Sequence[ToolApprovalItem], output: Sequence[TResponseOutputItem]
    ) -> None:
        """Let each call wait for a person. Raises ApprovalNeeded where one of them is inside a tool
        or at the provider, from where nobody could go on."""
        found = ((item, self._calls.find(item.call_id)) for item in items)
        asked = [(item, call) for item, call in found if call is not None]
        if len(asked) < len(items):
            for item in items:
                self._refuse(item)
            raise ApprovalNeeded
        for (item, call), proposal in zip(asked, await self._proposals(asked), strict=True):
            hung = hung_on(item.call_id, item.raw_item, output, self._carried)
            self._calls.ask(call, cleaned(item.agent.name), hung, proposal)
        made = {item.call_id: item for item in output if isinstance(item, ResponseFunctionToolCall)}
        for id, call in self._calls.wanting:
            if call.wants:
                told = hung_on(id, made[id], output, self._carried)
                self._calls.ask_for_answers(call, call.wants, told)

    async def _proposals(
        self, asked: Sequence[tuple[ToolApprovalItem, Call]]
    ) -> Sequence[Proposal | None]:
        known = (
            (item, call, self._standing.proposal(item.agent.tools, item.tool_name or ""))
            for item, call in asked
        )
        self._describing = asyncio.gather(
            *(self._toolbox.described(call, item.arguments, each) for item, call, each in known)
        )
        return await self._describing

    def _refuse(self, item: ToolApprovalItem) -> None:
        if self._calls.find(item.call_id) is None and self._reader:
            self._reader.refuse(item.name or "", item.arguments or "{}", self._why(item))
        else:
            self._calls.answered(item.call_id, self._why(item))

    @staticmethod
    def _why(item: ToolApprovalItem) -> str:
        hosted = getattr(item.raw_item, "type", None) == "mcp_approval_request"
        return AT_THE_PROVIDER if hosted else INSIDE_A_TOOL

    def _logged(self, error: Exception) -> Exception:
        failure = agent_failed(error)
        if failure is not error:
            log.warning(
                "failed with %s: %s",
                failure.code,
                failure_line(error, words=self._log_words),
                exc_info=in_the_code(error),
            )
            failure.__cause__ = None if error.__cause__ is failure else error
        return failure
