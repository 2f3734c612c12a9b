"""Streams of Chat Completions, mended where an endpoint leaves something out."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from typing import Any, cast

from openai import AsyncOpenAI, AsyncStream
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall
from openai.types.completion_usage import CompletionUsage

from chatbridge.adapters.openai.failures import TruncatedStream
from chatbridge.domain.model.identifiers import new_call_id
from chatbridge.domain.model.usage import Usage

log = logging.getLogger(__name__)

_TAIL_SECONDS = 1.0


class MendingClient(AsyncOpenAI):
    """A client whose streams of Chat Completions are whole, or end with TruncatedStream."""

    @cached_property
    def chat(self) -> AsyncChat:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The API, mended."""
        return _Chat(self)


class _Chat(AsyncChat):
    def __init__(self, client: AsyncOpenAI) -> None:
        super().__init__(client)
        self._mended = _Completions(client)

    @property
    def completions(self) -> AsyncCompletions:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._mended


class _Completions(AsyncCompletions):
    async def create(self, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        answer: Any = await super().create(*args, **kwargs)
        if isinstance(answer, AsyncStream):
            return _whole(cast(AsyncStream[ChatCompletionChunk], answer))
        return answer


# The SDK takes a stream that just ends for a whole answer, unless the endpoint is OpenAI's own.
async def _whole(
    stream: AsyncStream[ChatCompletionChunk],
) -> AsyncGenerator[ChatCompletionChunk, None]:
    mender = _Mender()
    async with aclosing(stream):
        while (chunk := await _next(stream, ended=mender.reason is not None)) is not None:
            mender.mend(chunk)
            yield chunk
    if mender.reason in (None, "length"):
        raise TruncatedStream(f"finish reason: {mender.reason}", _cost(mender.usage))


# Behind the finish reason there is nothing but the cost: without it the answer is whole too.
async def _next(
    stream: AsyncStream[ChatCompletionChunk], *, ended: bool
) -> ChatCompletionChunk | None:
    try:
        async with asyncio.timeout(_TAIL_SECONDS if ended else None):
            return await anext(stream)
    except StopAsyncIteration:
        return None
    except Exception as error:
        if not ended:
            raise
        log.info("The end of a stream was lost: %s", type(error).__name__)
        return None


class _Mender:
    """Puts in the indices and ids without which the SDK would pass over what is there."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.usage: CompletionUsage | None = None
        self._ids: list[str | None] = []

    def mend(self, chunk: ChatCompletionChunk) -> None:
        self.usage = chunk.usage or self.usage
        for place, choice in enumerate(chunk.choices or []):
            if _index(choice) is None:
                choice.index = place
            self.reason = choice.finish_reason or self.reason
            for call in (choice.delta and choice.delta.tool_calls) or []:
                self._mend_call(call)

    def _mend_call(self, call: ChoiceDeltaToolCall) -> None:
        index = _index(call)
        call.index = self._place(call) if index is None else index
        if call.index >= len(self._ids):
            self._ids += [None] * (call.index + 1 - len(self._ids))
        if self._ids[call.index] is None:
            self._ids[call.index] = call.id = call.id or new_call_id()

    # Without an index, a name begins a call, and all else belongs to the last one.
    def _place(self, call: ChoiceDeltaToolCall) -> int:
        if call.id in self._ids and call.id:
            return self._ids.index(call.id)
        begins = bool(call.function and call.function.name) or not self._ids
        return len(self._ids) if begins else len(self._ids) - 1


# A frame is read without being checked: a field that is missing is missing in the object too.
def _index(of: Any) -> int | None:
    return getattr(of, "index", None)


def _cost(usage: CompletionUsage | None) -> Usage | None:
    if usage is None:
        return None
    return Usage(input_tokens=usage.prompt_tokens or 0, output_tokens=usage.completion_tokens or 0)
