"""Takes out of a server's answers what MCP's types refuse, so that the rest can be read."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import (
    PROTOCOL_VERSION_META_KEY,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from chatbridge.adapters.mcp.answers import legible
from chatbridge.adapters.mcp.greeting import readable_greeting
from chatbridge.adapters.mcp.listed import readable_list

_Received = SessionMessage | Exception


class Sieve:
    """What comes from a server: its greeting and lists in a form that can be read, results as text.

    For one bad tool or block the client would refuse all. `left_out` are the bad tools. Ids of
    requests are sent as so many more than `before`, which the client counts from 1.
    """

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self.left_out: dict[str, str] = {}
        self._asked: dict[str, JSONRPCRequest] = {}

    @asynccontextmanager
    async def around(self, transport: Transport) -> AsyncGenerator[tuple[Any, Any]]:
        """The transport, with the sieve in what comes from the server."""
        async with transport as (read, write):
            yield _Sieved(read, self), _Noted(write, self)

    def note(self, sent: SessionMessage) -> None:
        """A request is about to be sent."""
        if isinstance(sent.message, JSONRPCRequest):
            sent.message.id = self._numbered(sent.message.id)
            self._asked[str(sent.message.id)] = sent.message
        elif isinstance(sent.message, JSONRPCNotification) and sent.message.params:
            named = sent.message.params.get("requestId")
            if named is not None:
                sent.message.params["requestId"] = self._numbered(named)

    def _numbered(self, id: Any) -> Any:
        return id + self._before if isinstance(id, int) else id

    def sift(self, received: _Received) -> _Received:
        """The message itself; what can't be read in its result is gone."""
        if not isinstance(received, SessionMessage):
            return received
        message = received.message
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            asked = self._asked.pop(str(message.id), None)
            if asked is not None and isinstance(asked.id, int):
                message.id = asked.id - self._before
            if isinstance(message, JSONRPCResponse) and asked is not None:
                self._mend(message, asked)
        return received

    def _mend(self, answer: JSONRPCResponse, asked: JSONRPCRequest) -> None:
        if asked.method == "tools/call":
            meta: dict[str, Any] = (asked.params or {}).get("_meta") or {}
            answer.result = legible(answer.result, version=meta.get(PROTOCOL_VERSION_META_KEY))
        elif asked.method == "initialize":
            version = (asked.params or {}).get("protocolVersion")
            answer.result = readable_greeting(answer.result, version)
        elif asked.method == "tools/list":
            answer.result, left_out = readable_list(answer.result)
            self.left_out |= left_out


class _Sieved:
    """The stream that the client reads, in the way in which it does."""

    def __init__(self, inner: Any, sieve: Sieve) -> None:
        self._inner = inner
        self._sieve = sieve

    @property
    def last_context(self) -> Any:
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> _Received:
        return self._sieve.sift(await self._inner.receive())

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Received:
        return self._sieve.sift(await self._inner.__anext__())

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> bool | None:
        return await self._inner.__aexit__(*details)


class _Noted:
    """The stream that the client writes, in the way in which it does."""

    def __init__(self, inner: Any, sieve: Sieve) -> None:
        self._inner = inner
        self._sieve = sieve

    async def send(self, message: SessionMessage) -> None:
        self._sieve.note(message)
        await self._inner.send(message)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> bool | None:
        return await self._inner.__aexit__(*details)
