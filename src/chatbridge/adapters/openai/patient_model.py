"""A model that is asked again while it has not begun, and not waited for without end."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, cast

from agents import Model, ModelResponse
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest

from chatbridge.adapters.openai.failures import TruncatedStream

log = logging.getLogger(__name__)

RETRIES = 2
LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5
_TAIL_SECONDS = 0.5


class PatientModel(Model):
    """Another model, of which an answer is asked for three times at most.

    It is asked again only before its first event, when it is busy, unreachable or silent: after a
    moment, or when the endpoint says so; where that is more than a minute away, not at all. `idle`
    is how many seconds may pass without an event: comments that keep a connection open are none.
    """

    def __init__(self, model: Model, *, idle: float) -> None:
        self.model = model
        self._idle = idle

    # The SDK asks by this name whether it may group requests in the provider's prompt cache.
    def _supports_default_prompt_cache_key(self) -> bool:
        supports = getattr(self.model, "_supports_default_prompt_cache_key", None)
        return bool(supports and supports())

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the model itself advises."""
        return self.model.get_retry_advice(request)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The whole answer at once, as agents get it that others use as a tool."""
        attempt = 1
        while True:
            try:
                return await self.model.get_response(*args, **kwargs)
            except Exception as error:
                await self._wait(error, attempt)
            attempt += 1

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The model's events. Raises TimeoutError when none comes, and TruncatedStream."""
        attempt, begun = 1, False
        while not begun:
            events = self.model.stream_response(*args, **kwargs)
            try:
                async with aclosing(cast(Any, events)):
                    async for event in _punctual(events, self._idle):
                        begun = True
                        yield event
                        if event.type == "response.completed":
                            await _to_the_end(events)
                            return
                raise TruncatedStream("no final response")
            except Exception as error:
                if begun:
                    raise
                await self._wait(error, attempt)
            attempt += 1

    async def _wait(self, error: Exception, attempt: int) -> None:
        """Wait until the model may be asked again; raises the error where it may not."""
        seconds = self._seconds(error, attempt)
        if attempt > RETRIES or seconds is None or seconds > LONGEST_WAIT:
            raise error
        log.info("The model is asked again in %.1f s, after %s", seconds, type(error).__name__)
        await asyncio.sleep(seconds)

    def _seconds(self, error: Exception, attempt: int) -> float | None:
        usual = _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311
        if isinstance(error, TimeoutError | TruncatedStream):
            return usual
        asked = ModelRetryAdviceRequest(error=error, attempt=attempt, stream=True)
        advice = self.model.get_retry_advice(asked)
        if advice is None or not advice.suggested:
            return None
        return usual if advice.retry_after is None else advice.retry_after


# So that the connection can be used again; an endpoint may leave it open, or break it.
async def _to_the_end(events: AsyncIterator[TResponseStreamEvent]) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_TAIL_SECONDS):
            async for _ in events:
                pass


async def _punctual(
    events: AsyncIterator[TResponseStreamEvent], idle: float
) -> AsyncIterator[TResponseStreamEvent]:
    while True:
        try:
            async with asyncio.timeout(idle):
                event = await anext(events)
        except StopAsyncIteration:
            return
        yield event
