"""The client of a model endpoint, which builds the objects that are many as what they are."""

from contextlib import suppress
from typing import Any, cast

import httpx2
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel, ValidationError

_MANY: dict[Any, type[BaseModel]] = {
    "chat.completion.chunk": ChatCompletionChunk,
    "response.output_text.delta": ResponseTextDeltaEvent,
}


class EndpointClient(AsyncOpenAI):
    """Validates each piece of text as the one kind that it says it is.

    The client itself tries a union of some fifty kinds at each, which costs twenty times as much.
    What is not valid goes its way.
    """

    def _process_response_data(self, *, data: Any, cast_to: Any, response: httpx2.Response) -> Any:
        told = cast(dict[str, Any], data) if isinstance(data, dict) else {}
        if kind := _MANY.get(told.get("type") or told.get("object")):
            with suppress(ValidationError):
                return kind.model_validate(told)
        return super()._process_response_data(
            data=cast(Any, data), cast_to=cast_to, response=response
        )
