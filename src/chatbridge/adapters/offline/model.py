"""A model that needs no network: the same words always bring the same answer.

It understands the five tools of a task list in everyday English, small talk, and questions about
what was said before. It reaches tools only as any model does: it asks the Runner to call those that
it is offered, and reads what they brought.

A tool of a host's own it calls by its name: `order_status 1001`; the page's `switch_theme`, where
there is one, also by "dark mode, please".

Asked for a title it says the first four words of the message.

For demonstrations and tests it can rehearse what goes wrong:

    rehearse a failing tool             calls `rehearse` with {"outcome": "fail"}
    rehearse a slow tool for 5 seconds  calls `rehearse` with {"outcome": "slow", "seconds": 5}; 3
                                        seconds if none are named
    rehearse a crashing tool            calls `rehearse` with {"outcome": "crash"}
    rehearse a failing model            says half a sentence, then fails as a lost connection does
    rehearse a long answer of 50 words  says that many words; 200 if no number is named
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, cast
from uuid import uuid4

from agents import (
    AgentOutputSchemaBase,
    FunctionTool,
    Handoff,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Tool,
    TResponseInputItem,
    Usage,
)
from agents.items import TResponseStreamEvent
from openai.types import responses as r
from openai.types.responses.response_prompt_param import ResponsePromptParam

from chatbridge.adapters.offline.plan import Ask, Say, Step, plan
from chatbridge.domain.model.conversation import TITLE_ASKED

_TITLE_WORDS = 4
_WORD = re.compile(r"\s*\S+|\s+")

Output = r.ResponseOutputMessage | r.ResponseFunctionToolCall


class OfflineModel(Model):
    """Plans by rules and speaks word by word, with `delay` seconds before each word."""

    model = "offline"
    reads_files = False

    def __init__(self, *, delay: float = 0.02) -> None:
        self._delay = delay

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        """The whole answer at once. Raises ConnectionError where it rehearses a failure."""
        steps = _plan(system_instructions, input, tools, model_settings)
        if _breaks(steps):
            raise ConnectionError("a rehearsed failure")
        output = [_output(step) for step in steps]
        return ModelResponse(output=[*output], usage=Usage(requests=1), response_id=_id("resp"))

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The answer as the Responses API streams it. Raises ConnectionError in a rehearsal."""
        steps = _plan(system_instructions, input, tools, model_settings)
        broken = _breaks(steps)
        async for event in self._paced(_Stream([_output(step) for step in steps]).events()):
            if broken and event.type == "response.output_text.done":
                raise ConnectionError("a rehearsed failure")
            yield event

    async def _paced(
        self, events: Iterator[TResponseStreamEvent]
    ) -> AsyncIterator[TResponseStreamEvent]:
        for event in events:
            if event.type == "response.output_text.delta":
                await asyncio.sleep(self._delay)
            yield event


class _Stream:
    """The events of one response, numbered."""

    def __init__(self, output: Sequence[Output]) -> None:
        self._output = output
        self._numbers = count()
        self._id = _id("resp")
        self._created = time.time()

    def events(self) -> Iterator[TResponseStreamEvent]:
        """From `response.created` to `response.completed`."""
        begun = self._response(done=False)
        yield r.ResponseCreatedEvent(
            type="response.created", response=begun, sequence_number=self._next()
        )
        yield r.ResponseInProgressEvent(
            type="response.in_progress", response=begun, sequence_number=self._next()
        )
        for index, item in enumerate(self._output):
            yield from self._item(index, item)
        yield r.ResponseCompletedEvent(
            type="response.completed",
            response=self._response(done=True),
            sequence_number=self._next(),
        )

    def _next(self) -> int:
        return next(self._numbers)

    def _response(self, *, done: bool) -> r.Response:
        return r.Response(
            id=self._id,
            created_at=self._created,
            model="offline",
            object="response",
            output=[*self._output] if done else [],
            parallel_tool_calls=True,
            status="completed" if done else "in_progress",
            tool_choice="auto",
            tools=[],
        )

    def _item(self, index: int, item: Output) -> Iterator[TResponseStreamEvent]:
        text = isinstance(item, r.ResponseOutputMessage)
        hidden: dict[str, Any] = {"content": []} if text else {"arguments": ""}
        yield r.ResponseOutputItemAddedEvent(
            type="response.output_item.added",
            item=item.model_copy(update={**hidden, "status": "in_progress"}),
            output_index=index,
            sequence_number=self._next(),
        )
        if isinstance(item, r.ResponseOutputMessage):
            yield from self._text(index, item)
        else:
            yield from self._arguments(index, item)
        yield r.ResponseOutputItemDoneEvent(
            type="response.output_item.done",
            item=item,
            output_index=index,
            sequence_number=self._next(),
        )

    def _text(self, index: int, item: r.ResponseOutputMessage) -> Iterator[TResponseStreamEvent]:
        part = cast(r.ResponseOutputText, item.content[0])
        where: dict[str, Any] = {"item_id": item.id, "output_index": index, "content_index": 0}
        yield r.ResponseContentPartAddedEvent(
            type="response.content_part.added",
            part=part.model_copy(update={"text": ""}),
            sequence_number=self._next(),
            **where,
        )
        for word in _WORD.findall(part.text):
            yield r.ResponseTextDeltaEvent(
                type="response.output_text.delta",
                delta=word,
                logprobs=[],
                sequence_number=self._next(),
                **where,
            )
        yield r.ResponseTextDoneEvent(
            type="response.output_text.done",
            text=part.text,
            logprobs=[],
            sequence_number=self._next(),
            **where,
        )
        yield r.ResponseContentPartDoneEvent(
            type="response.content_part.done", part=part, sequence_number=self._next(), **where
        )

    def _arguments(
        self, index: int, item: r.ResponseFunctionToolCall
    ) -> Iterator[TResponseStreamEvent]:
        where: dict[str, Any] = {"item_id": item.id, "output_index": index}
        yield r.ResponseFunctionCallArgumentsDeltaEvent(
            type="response.function_call_arguments.delta",
            delta=item.arguments,
            sequence_number=self._next(),
            **where,
        )
        yield r.ResponseFunctionCallArgumentsDoneEvent(
            type="response.function_call_arguments.done",
            arguments=item.arguments,
            sequence_number=self._next(),
            **where,
        )


def _plan(
    told: str | None,
    input: str | list[TResponseInputItem],
    tools: Sequence[Tool],
    settings: ModelSettings,
) -> tuple[Step, ...]:
    items: list[Any] = [{"role": "user", "content": input}] if isinstance(input, str) else [*input]
    if told == TITLE_ASKED:
        return (Say(_title(items[-1]["content"])),)
    schemas = {tool.name: _schema(tool) for tool in tools}
    chosen = settings.tool_choice if settings.tool_choice in schemas else None
    return plan(cast(list[Mapping[str, Any]], items), schemas, chosen=chosen)


def _title(text: str) -> str:
    words = text.split()[:_TITLE_WORDS]
    return " ".join(words).rstrip(",;:.!?").capitalize()


def _schema(tool: Tool) -> Mapping[str, Any]:
    return tool.params_json_schema if isinstance(tool, FunctionTool) else {}


def _breaks(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Say) and step.broken for step in steps)


def _output(step: Step) -> Output:
    if isinstance(step, Ask):
        return r.ResponseFunctionToolCall(
            id=_id("fc"),
            call_id=_id("call"),
            type="function_call",
            name=step.name,
            arguments=json.dumps(step.arguments, ensure_ascii=False),
            status="completed",
        )
    part = r.ResponseOutputText(type="output_text", text=step.text, annotations=[], logprobs=[])
    return r.ResponseOutputMessage(
        id=_id("msg"), type="message", role="assistant", status="completed", content=[part]
    )


def _id(kind: str) -> str:
    return f"{kind}_{uuid4().hex}"
