"""The client of a model endpoint, which builds each object as what it is."""

from contextlib import suppress
from typing import Any, cast

import httpx2
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseRefusalDeltaEvent,
    ResponseTextDeltaEvent,
)
from pydantic import BaseModel, ValidationError

_KINDS: dict[Any, type[BaseModel]] = {
    "chat.completion.chunk": ChatCompletionChunk,
    "response.output_text.delta": ResponseTextDeltaEvent,
    "response.refusal.delta": ResponseRefusalDeltaEvent,
    "response.output_item.added": ResponseOutputItemAddedEvent,
    "response.output_item.done": ResponseOutputItemDoneEvent,
    "response.completed": ResponseCompletedEvent,
}
"""What leaves a dialect, but for the rare citation."""


class EndpointClient(AsyncOpenAI):
    """Validates each event as the one kind that it says it is.

    The client itself tries a union of some fifty kinds at each, which costs twenty times as much,
    and a third of a second in a process that does so for the first time. What is not valid goes its
    way.
    """

    def _process_response_data(self, *, data: Any, cast_to: Any, response: httpx2.Response) -> Any:
        told = cast(dict[str, Any], data) if isinstance(data, dict) else {}
        if kind := _KINDS.get(told.get("type") or told.get("object")):
            with suppress(ValidationError):
                return kind.model_validate(told)
        return super()._process_response_data(
            data=cast(Any, data), cast_to=cast_to, response=response
        )
