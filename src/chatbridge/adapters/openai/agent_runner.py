"""The Agents SDK as the one who answers."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

from agents import (
    Agent,
    Model,
    ModelSettings,
    RunConfig,
    Runner,
    RunResultStreaming,
    ToolCallOutputItem,
)
from agents.exceptions import ModelRefusalError

from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.events import ResponseReader
from chatbridge.adapters.openai.failures import agent_failed
from chatbridge.adapters.openai.messages import model_input
from chatbridge.adapters.openai.tools import Toolbox, ToolHooks
from chatbridge.adapters.openai.watched_model import WatchedModel
from chatbridge.domain.model.turn_event import ToolCallStarted, TurnEvent
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.tool_provider import ToolProvider

log = logging.getLogger(__name__)

_CLOSING_SECONDS = 10.0


class OpenAIAgentRunner(AgentRunner):
    """Answers with a model of the Agents SDK and the tools of a provider.

    `max_steps` is how often the model may speak in one turn. With `tracing` the SDK sends prompts
    and tool data to OpenAI.
    """

    def __init__(
        self,
        model: Model,
        tools: ToolProvider,
        *,
        instructions: str,
        max_steps: int = 10,
        tracing: bool = False,
    ) -> None:
        self._model = model
        self._tools = tools
        self._instructions = instructions
        self._max_steps = max_steps
        self._tracing = tracing

    async def run(self, request: AgentRequest) -> AsyncGenerator[TurnEvent, None]:
        """The events of one streamed run of the SDK, each as soon as it is known.

        Raises AgentFailed (its codes are those of `failures`), and whatever `before_call` raises
        of the domain's own errors.
        """
        run = _Run(request, self._tools)
        try:
            await run.start(self._model, self._instructions, self._max_steps, self._tracing)
            while (event := await run.next()) is not None:
                yield event
                run.delivered(event)
        finally:
            await run.close()


class _Run:
    """One run: everything that happens in it goes through one queue, in the order it happened."""

    def __init__(self, request: AgentRequest, tools: ToolProvider) -> None:
        self._request = request
        self._queue: asyncio.Queue[TurnEvent | Exception | None] = asyncio.Queue()
        self._calls = Calls(self._queue.put_nowait)
        self._toolbox = Toolbox(tools, request, self._calls)
        self._result: RunResultStreaming | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self, model: Model, instructions: str, max_steps: int, tracing: bool) -> None:
        """List the tools and let the SDK run. Raises AgentFailed."""
        try:
            agent = await self._agent(model, instructions)
            hooks = ToolHooks(self._request, self._calls, self._queue.put_nowait)
            self._result = Runner.run_streamed(
                agent,
                model_input(self._request.window),
                max_turns=max_steps,
                hooks=hooks,
                run_config=self._config(hooks, tracing),
            )
        except Exception as error:
            raise _logged(error)  # noqa: B904 - it carries its cause
        self._pump = asyncio.create_task(self._drain(self._result))

    async def next(self) -> TurnEvent | None:
        """The next event, or None when the run is over. Raises what ended it early."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise _logged(item)
        return item

    def delivered(self, event: TurnEvent) -> None:
        """The event has reached the reader: a call that began may ask to run."""
        if isinstance(event, ToolCallStarted):
            self._calls.show(event.call.id)

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

    async def _agent(self, model: Model, instructions: str) -> Agent[None]:
        return Agent(
            name="chatbridge",
            instructions=instructions,
            model=WatchedModel(model, self._reader, self._queue.put_nowait),
            model_settings=ModelSettings(include_usage=True),
            tools=await self._toolbox.open(),
        )

    def _reader(self) -> ResponseReader:
        return ResponseReader(self._queue.put_nowait, self._calls)

    def _config(self, hooks: ToolHooks, tracing: bool) -> RunConfig:
        return RunConfig(
            group_id=self._request.on_behalf.conversation_id,
            tool_not_found_behavior="return_error_to_model",
            tool_error_formatter=hooks.describe,
            tracing_disabled=not tracing,
        )

    async def _drain(self, result: RunResultStreaming) -> None:
        try:
            async for event in result.stream_events():
                if event.type == "run_item_stream_event" and event.name == "tool_output":
                    self._settle(event.item)
        except ModelRefusalError:
            self._queue.put_nowait(None)  # its words were the answer
        except Exception as error:
            self._queue.put_nowait(error)
        else:
            self._queue.put_nowait(None)

    # A tool that the hooks did not see end, such as one that a hosted endpoint has run.
    def _settle(self, item: Any) -> None:
        if isinstance(item, ToolCallOutputItem):
            self._calls.finish(item.call_id, str(item.output))


def _logged(error: Exception) -> Exception:
    failure = agent_failed(error)
    if failure is not error:
        log.warning("The run failed with %s", type(error).__name__)
        failure.__cause__ = error
    return failure
