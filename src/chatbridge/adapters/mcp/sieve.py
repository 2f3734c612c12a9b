"""Takes out of a server's answers what MCP's types refuse, so that the rest can be read."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self, cast

from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse
from mcp_types.methods import parse_server_result
from pydantic import ValidationError

from chatbridge.adapters.mcp.answers import legible

# a mistake in what is not used costs nothing
_USED = ("name", "title", "description", "inputSchema")

_Received = SessionMessage | Exception


class Sieve:
    """What comes from a server: lists without bad tools, results of calls as text.

    For one bad tool or block the client would refuse all. `version` is the protocol's that the
    client has agreed on; until it is known all lists go through. `left_out` are the bad tools.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self.left_out: dict[str, str] = {}
        self._calls: set[str] = set()

    @asynccontextmanager
    async def around(self, transport: Transport) -> AsyncGenerator[tuple[Any, Any]]:
        """The transport, with the sieve in what comes from the server."""
        async with transport as (read, write):
            yield _Sieved(read, self), _Noted(write, self)

    def note(self, sent: SessionMessage) -> None:
        """A request is about to be sent."""
        if isinstance(sent.message, JSONRPCRequest) and sent.message.method == "tools/call":
            self._calls.add(str(sent.message.id))

    def sift(self, received: _Received) -> _Received:
        """The message itself; what can't be read in its result is gone."""
        if not isinstance(received, SessionMessage):
            return received
        message = received.message
        if isinstance(message, JSONRPCResponse):
            if str(message.id) in self._calls:
                message.result = legible(message.result)
            elif self.version is not None and isinstance(message.result.get("tools"), list):
                self._sift(message.result, self.version)
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._calls.discard(str(message.id))
        return received

    def _sift(self, result: dict[str, Any], version: str) -> None:
        good: list[Any] = []
        for tool in map(_used, cast(list[Any], result["tools"])):
            refusal = _refusal({**result, "tools": [tool]}, version)
            if refusal is None:
                good.append(tool)
            else:
                self.left_out[_name(tool)] = refusal
        result["tools"] = good
        if not isinstance(result.get("nextCursor", ""), str):
            del result["nextCursor"]


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


def _used(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    return {part: value for part, value in cast(dict[str, Any], tool).items() if part in _USED}


def _refusal(result: Mapping[str, Any], version: str) -> str | None:
    try:
        parse_server_result("tools/list", version, result)
    except ValidationError as error:
        # what is wrong with the answer as a whole is the client's to say
        for each in error.errors():
            if each["loc"][0] == "tools":
                return " ".join([".".join(map(str, each["loc"][2:])), each["msg"]]).strip()
    return None


def _name(tool: Any) -> str:
    named = cast(dict[str, Any], tool).get("name") if isinstance(tool, dict) else tool
    return str(named)[:100]
