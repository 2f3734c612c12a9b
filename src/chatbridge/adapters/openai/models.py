"""The models behind an OpenAI-compatible endpoint, and the one client that reaches them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from agents import Model, OpenAIChatCompletionsModel, OpenAIResponsesModel
from openai import AsyncOpenAI, AsyncStream, Timeout
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletionChunk

from chatbridge.adapters.openai.failures import TruncatedStream

_OPENAI = "https://api.openai.com/v1"
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 30.0
_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model, and what is awaited to let go of its connections."""

    model: Model
    close: Callable[[], Awaitable[None]]


def openai_model(
    *,
    model: str,
    base_url: str | None,
    api_key: str | None,
    api: Literal["responses", "chat_completions"],
) -> Endpoint:
    """A model at OpenAI, or at the compatible endpoint `base_url`, over one client.

    A request is tried three times before its first event and never after it; 10 s to connect, 30 s
    of silence at most. Raises ValueError when OpenAI itself is meant and there is no key for it.
    """
    if not api_key and not base_url:
        raise ValueError(
            "There is no key for OpenAI: set OPENAI_API_KEY, name another endpoint, or run "
            "without a model: CHATBRIDGE_AGENT__MODEL=offline."
        )
    client = _Client(
        # never left out: the client would look into the environment and send that key anywhere
        api_key=api_key or "none",
        base_url=base_url or _OPENAI,
        timeout=Timeout(_IDLE_SECONDS, connect=_CONNECT_SECONDS),
        max_retries=_RETRIES,
    )
    if api == "responses":
        return Endpoint(OpenAIResponsesModel(model, client), client.close)
    return Endpoint(OpenAIChatCompletionsModel(model, client), client.close)


class _Completions(AsyncCompletions):
    async def create(self, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        answer: Any = await super().create(*args, **kwargs)
        if isinstance(answer, AsyncStream):
            return _whole(cast(AsyncStream[ChatCompletionChunk], answer))
        return answer


class _Chat(AsyncChat):
    @cached_property
    def completions(self) -> AsyncCompletions:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Completions(self._client)


class _Client(AsyncOpenAI):
    @cached_property
    def chat(self) -> AsyncChat:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _Chat(self)


# The SDK takes a stream that just ends for a whole answer, unless the endpoint is OpenAI's own.
async def _whole(
    stream: AsyncStream[ChatCompletionChunk],
) -> AsyncGenerator[ChatCompletionChunk, None]:
    reason: str | None = None
    async with aclosing(stream):
        async for chunk in stream:
            reason = next((c.finish_reason for c in chunk.choices if c.finish_reason), reason)
            yield chunk
    if reason in (None, "length"):
        raise TruncatedStream(f"finish reason: {reason}")
