"""The one room that reads a model's events before anything is built of them.

Each event is read here as the decoded JSON of its `data:` line and leaves in the strict dialect of
its API. Whatever builds objects of a client's stands behind it.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, Protocol, cast

import httpx2

from chatbridge.adapters.openai.event_stream import EventStream, framed
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.troubles import EndpointTrouble, LimitReached, NotAStream, Silence

log = logging.getLogger(__name__)

Json = dict[str, Any]
_DRAIN_SECONDS = 0.5
_FAIR_BYTES, _FAIR_RATIO = 1_000_000, 100
_CALL_AS_TEXT = re.compile(
    r"\s*(?:```\w*\s*)?(?:</?tool_call|<\|python_tag\|>|<function[=\s]|<\|tool|\[TOOL_|<invoke|"
    r"\{\s*\"(?:name|tool|tool_name|function|tool_call)\"\s*:)",
    re.I,
)


class Dialect(Protocol):
    """What an API's events may look like; its own words are those of ChatDialect."""

    @property
    def begun(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def grace(self) -> float | None: ...
    @property
    def length(self) -> int: ...
    @property
    def said(self) -> str: ...

    def read(self, event: Json) -> Iterator[Json]:
        """The event in the strict dialect."""
        ...

    def goes_on(self, event: Json, more: Json) -> bool:
        """Whether there is nothing but further words in `more`: they are added to the event."""
        ...

    def document(self, whole: Json) -> Iterator[Json]:
        """The events of an answer that came as one object."""
        ...

    def end(self, *, done: bool = False) -> Iterator[Json]:
        """What was held back, when nothing follows; `done` is whether the stream has said so."""
        ...

    def answer(self, events: list[Json]) -> Json:
        """All these events as the one answer, where nobody wanted it streamed."""
        ...


class Room(httpx2.AsyncByteStream):
    """The body of an endpoint's answer in its strict dialect.

    Reading it raises an EndpointTrouble for what is no whole answer. `asked` is when the endpoint
    was asked, by the loop's clock; `tools` whether it was given any.
    """

    def __init__(
        self,
        answer: httpx2.Response,
        dialect: Dialect,
        patience: Patience,
        asked: float,
        tools: bool,
    ) -> None:
        self._answer = answer
        self._dialect = dialect
        self._patience = patience
        self._asked = self._last = asked
        self._tools = tools
        self._events = EventStream(answer.headers.get("content-type", "no content type"))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = cast(Any, self._answer.aiter_bytes())
        try:
            while not self._events.done and (piece := await self._next(body)) is not None:
                for event in together(self._read(piece), self._dialect):
                    yield framed(event)
            if self._events.done:
                await _to_the_end(body)
            for event in rest_of(self._events, self._dialect):
                yield framed(event)
        except EndpointTrouble as trouble:
            trouble.address = str(self._answer.request.url.copy_with(query=None))
            raise
        self._hint()

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._answer.aclose()

    def _read(self, piece: bytes) -> Iterator[Json]:
        self._require_fair()
        for event in self._events.feed(piece):
            self._last = asyncio.get_running_loop().time()
            yield from self._dialect.read(event)
            if self._dialect.length > self._patience.max_characters:
                raise LimitReached("CHATBRIDGE_AGENT__MAX_CHARACTERS")

    # A few packed bytes that become megabytes of comments are no answer.
    def _require_fair(self) -> None:
        if self._events.size > _FAIR_BYTES + _FAIR_RATIO * self._answer.num_bytes_downloaded:
            raise NotAStream(f"{self._answer.headers.get('content-type')}, packed too well")

    # Behind the reason for its end there is only what the answer cost: it is whole without, too.
    async def _next(self, body: AsyncIterator[bytes]) -> bytes | None:
        until, trouble, setting = self._deadline()
        try:
            async with asyncio.timeout_at(until):
                return await anext(body)
        except StopAsyncIteration:
            return None
        except Exception as error:
            if self._dialect.ended:
                log.info("The end of a stream was lost: %s", type(error).__name__)
                return None
            if isinstance(error, TimeoutError):
                raise trouble(setting) from None
            raise

    # When it is too late, and what is raised then with which setting.
    def _deadline(self) -> tuple[float, type[Silence | LimitReached], str]:
        if (grace := self._dialect.grace) is not None:
            return self._last + min(grace, self._patience.idle), Silence, ""
        begun = self._dialect.begun
        since, wait = (
            (self._last, self._patience.idle) if begun else (self._asked, self._patience.first)
        )
        whole = self._asked + self._patience.max_seconds
        if begun and whole < since + wait:
            return whole, LimitReached, "CHATBRIDGE_AGENT__MAX_SECONDS"
        return since + wait, Silence, f"CHATBRIDGE_AGENT__{'IDLE' if begun else 'FIRST'}"

    def _hint(self) -> None:
        if self._tools and _CALL_AS_TEXT.match(self._dialect.said):
            log.warning(
                "The model wrote what looks like a tool call into its text, so no tool was run. "
                "Its server may need a parser for its calls (vLLM: --enable-auto-tool-choice and "
                "--tool-call-parser; llama.cpp: --jinja), or the model can't call tools."
            )


def together(events: Iterator[Json], dialect: Dialect) -> Iterator[Json]:
    """The events of one piece, in which words that follow each other are one."""
    held: Json | None = None
    try:
        for event in events:
            if held and dialect.goes_on(held, event):
                continue
            if held:
                yield held
            held = event
    except Exception:
        if held:
            yield held
        raise
    if held:
        yield held


def rest_of(stream: EventStream, dialect: Dialect) -> Iterator[Json]:
    """What an answer has besides its events, when its body has ended."""
    last = [*stream.rest()]
    read = dialect.document if stream.is_document and len(last) == 1 else dialect.read
    for event in last:
        yield from read(event)
    yield from dialect.end(done=stream.done)


# So that the connection can be used again; an endpoint may leave it open, or break it.
async def _to_the_end(body: AsyncIterator[bytes]) -> None:
    with suppress(Exception):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in body:
                pass
