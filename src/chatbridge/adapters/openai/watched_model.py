"""A model whose every event is read before the Agents SDK acts on it."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import aclosing
from typing import Any

from agents import (
    AgentOutputSchemaBase,
    Handoff,
    Model,
    ModelResponse,
    ModelSettings,
    ModelTracing,
    Tool,
    TResponseInputItem,
)
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai.types.responses.response_prompt_param import ResponsePromptParam

from chatbridge.adapters.openai.events import ResponseReader
from chatbridge.adapters.openai.hosts_model import with_files

_WORDS = (
    "response.output_text.delta",
    "response.refusal.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
)
"""Nothing in the SDK acts on these, and there are thousands of them."""


class WatchedModel(Model):
    """Another model, read as it speaks.

    The SDK hands events on through a queue that its tools overtake and that it drops when it
    fails. Read here, a call is known before it runs, and no text is lost before an error.
    """

    def __init__(
        self,
        model: Model,
        reader: Callable[[Model, Collection[str]], ResponseReader],
        fail: Callable[[Exception], None],
        replayed: Callable[[], Iterator[TResponseStreamEvent] | None],
    ) -> None:
        self._model = model
        self._reader = reader
        self._fail = fail
        self._replayed = replayed

    # The SDK asks by this name whether it may group requests in the provider's prompt cache.
    def _supports_default_prompt_cache_key(self) -> bool:
        supports = getattr(self._model, "_supports_default_prompt_cache_key", None)
        return bool(supports and supports())

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the model itself advises."""
        return self._model.get_retry_advice(request)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Never asked for in a streamed run."""
        raise NotImplementedError

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
        """The model's events but its words, each read first; or those of a step that was read
        before, and of which no provider is asked.

        What the model raises is noted, then raised.
        """
        reader = self._reader(
            self._model, {*(t.name for t in tools), *(h.tool_name for h in handoffs)}
        )
        replayed = self._replayed()
        if replayed is not None:
            reader.called = True
            for event in replayed:
                yield event
            return
        try:
            events = with_files(
                self._model,
                input,
                lambda given: self._model.stream_response(
                    system_instructions,
                    given,
                    model_settings,
                    tools,
                    output_schema,
                    handoffs,
                    tracing,
                    previous_response_id=previous_response_id,
                    conversation_id=conversation_id,
                    prompt=prompt,
                ),
            )
            async with aclosing(events):
                async for event in events:
                    reader.read(event)
                    if event.type not in _WORDS:
                        yield event
            reader.end()
        except Exception as error:
            reader.broke_off(error)
            self._fail(error)
            raise
