"""Has the messages in the bodies of a tool server's answers read leniently."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2

from chatbridge.adapters.mcp.envelopes import readable

_DATA = b"data:"
_OK, _PROBLEM = 200, 400
_MAYBE_JSON = ("", "text/plain", "text/json", "application/octet-stream")
_BOM = b"\xef\xbb\xbf"


def read_leniently(response: httpx2.Response) -> None:
    """Have each message of the body put into the form that the client's types take."""
    kind = response.headers.get("content-type", "").lower()
    if response.status_code == _OK and kind.partition(";")[0].strip() in _MAYBE_JSON:
        kind = response.headers["content-type"] = "application/json"
    stream, asked = cast(httpx2.AsyncByteStream, response.stream), _id_of(response.request)
    if kind.startswith("application/json"):
        is_problem = response.status_code >= _PROBLEM
        response.stream = _OneMessage(stream, asked, only_json_rpc=is_problem)
    elif kind.startswith("text/event-stream"):
        response.stream = _Events(stream, asked)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, asked: Any) -> None:
        self._inner = inner
        self._asked = asked

    async def aclose(self) -> None:
        await self._inner.aclose()


class _OneMessage(_Body):
    """A body that is one message. What says nothing of JSON-RPC may be a gateway's error."""

    def __init__(self, inner: httpx2.AsyncByteStream, asked: Any, *, only_json_rpc: bool) -> None:
        super().__init__(inner, asked)
        self._only_json_rpc = only_json_rpc

    async def __aiter__(self) -> AsyncIterator[bytes]:
        text = b"".join([chunk async for chunk in self._inner])
        if self._only_json_rpc and b'"jsonrpc"' not in text:
            yield text
        else:
            yield readable(text, self._asked)


class _Events(_Body):
    """A stream of events, each with its message in one line of data."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held, first = bytearray(), True
        async for chunk in self._inner:
            held += chunk.removeprefix(_BOM) if first else chunk
            first = False
            if b"\n" in chunk or b"\r" in chunk:
                lines = bytes(held).splitlines(keepends=True)
                held = bytearray() if lines[-1].endswith((b"\n", b"\r")) else bytearray(lines.pop())
                yield b"".join(map(self._line, lines))
        # the last event may not have been ended
        yield self._line(bytes(held)) + b"\n\n"

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(_DATA):
            return line
        text = line.removeprefix(_DATA).strip()
        read = readable(text, self._asked)
        return line if read == text else _DATA + b" " + read + line[len(line.rstrip()) :]


def _id_of(request: httpx2.Request) -> Any:
    """What an answer to it would be known by; None where it asks for none."""
    try:
        asked = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):
        return None
    return cast(dict[str, Any], asked).get("id") if isinstance(asked, dict) else None
