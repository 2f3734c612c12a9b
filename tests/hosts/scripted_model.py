"""A model of the Agents SDK that says what a script says, as the Responses API would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseReasoningSummaryTextDoneEvent,
    ResponseReasoningTextDeltaEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)
from openai.types.responses.response_reasoning_item import Content, Summary

Step = list[Any]


def text(id: str, *deltas: str) -> Any:
    async def say(n: int) -> AsyncIterator[Any]:
        whole = "".join(deltas)
        begun = ResponseOutputMessage(
            id=id, type="message", role="assistant", status="in_progress", content=[]
        )
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", output_index=n, sequence_number=0, item=begun
        )
        part = ResponseOutputText(type="output_text", text="", annotations=[])
        yield ResponseContentPartAddedEvent(
            type="response.content_part.added",
            content_index=0,
            item_id=id,
            output_index=n,
            sequence_number=0,
            part=part,
        )
        for d in deltas:
            await asyncio.sleep(0)
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta",
                content_index=0,
                delta=d,
                item_id=id,
                output_index=n,
                sequence_number=0,
                logprobs=[],
            )
        yield ResponseTextDoneEvent(
            type="response.output_text.done",
            content_index=0,
            text=whole,
            item_id=id,
            output_index=n,
            sequence_number=0,
            logprobs=[],
        )
        done = ResponseOutputText(type="output_text", text=whole, annotations=[])
        yield ResponseContentPartDoneEvent(
            type="response.content_part.done",
            content_index=0,
            item_id=id,
            output_index=n,
            sequence_number=0,
            part=done,
        )
        item = begun.model_copy(update={"status": "completed", "content": [done]})
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", output_index=n, sequence_number=0, item=item
        )

    return say


def raising(error: Exception) -> Any:
    async def say(n: int) -> AsyncIterator[Any]:
        raise error
        yield

    return say


def thinking(id: str, *deltas: str) -> Any:
    """What is thought itself, of which nobody makes a summary."""

    async def say(n: int) -> AsyncIterator[Any]:
        for d in deltas:
            yield ResponseReasoningTextDeltaEvent(
                type="response.reasoning_text.delta",
                delta=d,
                item_id=id,
                output_index=n,
                content_index=0,
                sequence_number=0,
            )
        whole = Content(type="reasoning_text", text="".join(deltas))
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done",
            output_index=n,
            sequence_number=0,
            item=ResponseReasoningItem(id=id, type="reasoning", summary=[], content=[whole]),
        )

    return say


def thought(id: str, *deltas: str | None) -> Any:
    """A summary; one that ends with None never ends."""

    async def say(n: int) -> AsyncIterator[Any]:
        item = ResponseReasoningItem(id=id, type="reasoning", summary=[])
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", output_index=n, sequence_number=0, item=item
        )
        for d in deltas:
            if d is None:
                await asyncio.Event().wait()
            yield ResponseReasoningSummaryTextDeltaEvent(
                type="response.reasoning_summary_text.delta",
                delta=d or "",
                item_id=id,
                output_index=n,
                summary_index=0,
                sequence_number=0,
            )
        whole = "".join(filter(None, deltas))
        yield ResponseReasoningSummaryTextDoneEvent(
            type="response.reasoning_summary_text.done",
            text=whole,
            item_id=id,
            output_index=n,
            summary_index=0,
            sequence_number=0,
        )
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done",
            output_index=n,
            sequence_number=0,
            item=item.model_copy(update={"summary": [Summary(type="summary_text", text=whole)]}),
        )

    return say


def call(name: str, arguments: str = "{}", id: str | None = "fc_1") -> Any:
    async def say(n: int) -> AsyncIterator[Any]:
        item = ResponseFunctionToolCall(
            id=id,
            call_id=f"call_{id}",
            name=name,
            arguments=arguments,
            type="function_call",
            status="completed",
        )
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", output_index=n, sequence_number=0, item=item
        )
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", output_index=n, sequence_number=0, item=item
        )

    return say


class Scripted(Model):
    """Each answer of the model is one list of sayings; the script begins anew after its last."""

    def __init__(self, *steps: Step | Callable[[Any], Step]) -> None:
        self.steps, self.n = steps, 0
        self.inputs: list[Any] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """A title, in one piece."""
        m = ResponseOutputMessage(
            id="m",
            type="message",
            role="assistant",
            status="completed",
            content=[ResponseOutputText(type="output_text", text="a fine title.", annotations=[])],
        )
        return ModelResponse(output=[m], usage=Usage(), response_id=None)

    def _unique(self, event: Any) -> Any:
        """Ids as a provider gives them: never twice, but for Chat Completions'."""
        for thing in (event, getattr(event, "item", None)):
            for name in ("item_id", "id"):
                id = getattr(thing, name, None)
                if isinstance(id, str) and not id.startswith("__") and "~" not in id:
                    setattr(thing, name, f"{id}~{self.n}_{'x' * 8}")
        return event

    async def stream_response(
        self, system: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        self.inputs.append(input)
        step = self.steps[self.n % len(self.steps)]
        self.n += 1
        output: list[Any] = []
        for n, say in enumerate(step):
            async for event in say(n):
                yield self._unique(event)
                if event.type == "response.output_item.done":
                    output.append(event.item)
        response = Response(
            id="resp",
            created_at=0,
            model="m",
            object="response",
            output=output,
            tool_choice="auto",
            tools=[],
            parallel_tool_calls=False,
            status="completed",
        )
        yield ResponseCompletedEvent(
            type="response.completed", response=response, sequence_number=0
        )
