"""Takes what MCP's types refuse out of a server's list of tools, so that the rest can be read."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self, cast

from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse
from mcp_types.methods import parse_server_result
from pydantic import ValidationError

_log = logging.getLogger(__name__)

# a mistake in what is not used costs nothing
_USED = ("name", "title", "description", "inputSchema")

_Received = SessionMessage | Exception


class Sieve:
    """What comes from a server, without bad tools: for one of them the client refuses all.

    `version` is the protocol's that the client has agreed on; until it is known all goes through.
    """

    def __init__(self, server: str) -> None:
        self.version: str | None = None
        self._server = server

    @asynccontextmanager
    async def around(self, transport: Transport) -> AsyncGenerator[tuple[Any, Any]]:
        """The transport, with the sieve in what comes from the server."""
        async with transport as (read, write):
            yield _Sieved(read, self), write

    def sift(self, received: _Received) -> _Received:
        """The message itself; a list in it has lost its bad tools, and each is logged."""
        if isinstance(received, SessionMessage) and isinstance(received.message, JSONRPCResponse):
            result = received.message.result
            if self.version is not None and isinstance(result.get("tools"), list):
                self._sift(result, self.version)
        return received

    def _sift(self, result: dict[str, Any], version: str) -> None:
        good: list[Any] = []
        for tool in map(_used, cast(list[Any], result["tools"])):
            refusal = _refusal({**result, "tools": [tool]}, version)
            if refusal is None:
                good.append(tool)
            else:
                _log.warning(
                    "tool server %s: %s is not offered: %s", self._server, _name(tool), refusal
                )
        result["tools"] = good


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
    return repr(named)[:100]
