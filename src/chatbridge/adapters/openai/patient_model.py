"""A model that is asked again while it has not begun."""

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import asdict
from typing import Any, cast

from agents import Model, ModelResponse
from agents import Usage as SdkUsage
from agents.items import TResponseStreamEvent
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai import APIConnectionError, APIStatusError
from openai.types.responses import Response, ResponseUsage

from chatbridge.adapters.openai.carried import carried
from chatbridge.adapters.openai.cost import cost_in_responses
from chatbridge.adapters.openai.failures import code_of, words_of
from chatbridge.adapters.openai.shorter import shorter
from chatbridge.adapters.openai.troubles import (
    EmptyAnswer,
    EndpointTrouble,
    NotAStream,
    ProviderFailure,
    Silence,
    TruncatedStream,
)
from chatbridge.domain.model.usage import Usage

log = logging.getLogger(__name__)

RETRIES = 2
LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5
_LOADING_WAIT = 2.0
_TAIL_SECONDS = 0.5
_PASSING = ("model_unavailable", "model_rate_limited", "model_timeout")
_LOADS = re.compile(r"\bload(s|ing)?\b", re.I)


class PatientModel(Model):
    """Another model, of which an answer is asked for three times at most.

    It is asked again only before its first event, when it is busy or unreachable: after a
    moment, or when the endpoint says so; where that is more than a minute away, not at all. One
    that was silent is not, for it may be loading, and would begin anew; one that says that it is
    loading is asked for `first` seconds. After an answer that is empty it is asked once more.
    Before it is given up, it is asked without files, if there are any. Where the prompt is too
    long, it is asked without the older files, with half of it, and without any files.
    """

    def __init__(self, model: Model, *, first: float) -> None:
        self.model = model
        self._first = first

    # The SDK asks by this name whether it may group requests in the provider's prompt cache.
    def _supports_default_prompt_cache_key(self) -> bool:
        supports = getattr(self.model, "_supports_default_prompt_cache_key", None)
        return bool(supports and supports())

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the model itself advises."""
        return self.model.get_retry_advice(request)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The whole answer at once, as agents get it that others use as a tool."""
        tries = _Tries(self.model, self._first)
        while True:
            try:
                answer = await self.model.get_response(*args, **kwargs)
                tries.count(answer)
                return answer
            except Exception as error:
                tries.count_in(error)
                args = await tries.again(error, args)

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The model's events. Raises an EndpointTrouble or an error of the client's."""
        tries = _Tries(self.model, self._first)
        while True:
            events = self.model.stream_response(*args, **kwargs)
            begun = False
            try:
                async with aclosing(cast(Any, events)):
                    async for event in events:
                        begun = True
                        if event.type == "response.completed":
                            tries.count(event.response)
                        yield event
                        if event.type == "response.completed":
                            await _to_the_end(events)
                            return
                raise TruncatedStream(None)
            except Exception as error:
                tries.count_in(error)
                if begun and not isinstance(error, EmptyAnswer):
                    raise
                args = await tries.again(error, args)


class _Tries:
    """How often one answer was asked for, and whether it may be once more."""

    def __init__(self, model: Model, first: float) -> None:
        self._model = model
        self._until = asyncio.get_running_loop().time() + first
        self._made = 0
        self._empty = self._bare = False
        self._ways = [_without_older_files, shorter, _without_files]
        self._spent: Usage | None = None

    async def again(self, error: Exception, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Wait until the model may be asked again; answers with what. Raises the error if never."""
        if isinstance(error, EmptyAnswer):
            # what it has cost so far is in it by now
            self._spent = error.usage
            if self._empty:
                return self._without_files(error, args)
            self._empty = True
            log.info("The model is asked once more, after an answer without a word")
            return args
        if code_of(error) == "context_too_long":
            return self._half(error, args)
        self._made += 1
        seconds = self._seconds(error)
        if seconds is None and _may_be_for_files(error):
            return self._without_files(error, args)
        if seconds is None or seconds > LONGEST_WAIT:
            raise error
        log.info("The model is asked again in %.1f s, after %s", seconds, type(error).__name__)
        await asyncio.sleep(seconds)
        return args

    def count_in(self, error: Exception) -> None:
        """The same for what has no answer."""
        if isinstance(error, EndpointTrouble) and self._spent:
            error.usage = self._spent + error.usage if error.usage else self._spent

    def count(self, answer: Response | ModelResponse) -> None:
        """Add to what the answer has cost what the empty one before it has."""
        spent = self._spent
        if spent is None:
            return
        both = spent.input_tokens + spent.output_tokens
        if isinstance(answer, ModelResponse):
            answer.usage.add(SdkUsage(**asdict(spent), total_tokens=both))
        elif answer.usage is None:
            answer.usage = ResponseUsage.model_validate(cost_in_responses(asdict(spent)))
        else:
            answer.usage.input_tokens += spent.input_tokens
            answer.usage.output_tokens += spent.output_tokens
            answer.usage.total_tokens += both

    # The first two arguments are the instructions and the input.
    def _half(self, error: Exception, args: tuple[Any, ...]) -> tuple[Any, ...]:
        instructions, given, *others = args if len(args) > 1 else (None, None)
        while self._ways:
            if (less := self._ways.pop(0)(given)) is not None:
                log.warning(
                    "The prompt is too long for the model, which is asked with less of it: "
                    "a lower CHATBRIDGE_WINDOW__MAX_CHARACTERS spares the first try"
                )
                return (instructions, less, *others)
        raise error

    def _without_files(self, error: Exception, args: tuple[Any, ...]) -> tuple[Any, ...]:
        instructions, given, *others = args if len(args) > 1 else (None, None)
        less = None if self._bare else carried().files.left_out(given, last=True, too_long=False)
        if less is None:
            raise error
        self._bare = True
        log.warning("The model is asked without files, after %s", type(error).__name__)
        return (instructions, less, *others)

    def _seconds(self, error: Exception) -> float | None:
        usual = _FIRST_WAIT * 2 ** (self._made - 1) * random.uniform(0.75, 1.25)  # noqa: S311
        if _is_loading(error):
            left = self._until - asyncio.get_running_loop().time()
            return _LOADING_WAIT if left > 0 else None
        if self._made > RETRIES or isinstance(error, Silence | NotAStream):
            return None
        if isinstance(error, TruncatedStream):
            return usual if error.reason is None else None
        if isinstance(error, ProviderFailure):
            return usual if code_of(error) in _PASSING else None
        asked = ModelRetryAdviceRequest(error=error, attempt=self._made, stream=True)
        advice = self._model.get_retry_advice(asked)
        if advice is None or not advice.suggested:
            return None
        return usual if advice.retry_after is None else advice.retry_after


# A refusal by a status is dealt with by the endpoint's HTTP client.
def _may_be_for_files(error: Exception) -> bool:
    if isinstance(error, TruncatedStream):
        return error.reason is None
    if isinstance(error, ProviderFailure):
        return code_of(error) not in ("model_unauthorized", "model_rate_limited")
    return isinstance(error, APIConnectionError)


def _without_older_files(given: Any) -> list[Any] | None:
    return carried().files.left_out(given)


def _without_files(given: Any) -> list[Any] | None:
    return carried().files.left_out(given, last=True)


# What llama.cpp, TGI and others say while they read the model from the disk.
def _is_loading(error: Exception) -> bool:
    status = error.status_code if isinstance(error, APIStatusError) else 0
    return status == 503 and bool(_LOADS.search(words_of(error)))


# So that the connection can be used again; an endpoint may leave it open, or break it.
async def _to_the_end(events: AsyncIterator[TResponseStreamEvent]) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_TAIL_SECONDS):
            async for _ in events:
                pass
