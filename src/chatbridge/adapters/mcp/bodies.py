"""Has the messages in the bodies of a tool server's answers read leniently."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2

from chatbridge.adapters.mcp.envelopes import Ours

_DATA, _NAME = b"data:", b"event:"
_OK, _PROBLEM = 200, 400
_MAYBE_JSON = ("", "text/plain", "text/json", "application/octet-stream")
_BOM = b"\xef\xbb\xbf"
_NO_EVENTS = (b"{", b"[")


def read_leniently(response: httpx2.Response, asked: Any) -> None:
    """Have each message of the body put into the form that the client's types take.

    Of its answers only that to `asked`, an id, is passed on.
    """
    kind = response.headers.get("content-type", "").lower()
    if response.status_code == _OK and kind.partition(";")[0].strip() in _MAYBE_JSON:
        kind = response.headers["content-type"] = "application/json"
    stream = cast(httpx2.AsyncByteStream, response.stream)
    ours = Ours(asked, telling=response.request.method == "POST")
    if kind.startswith("application/json"):
        response.stream = _OneMessage(stream, ours, problem=response.status_code >= _PROBLEM)
    elif kind.startswith("text/event-stream"):
        response.stream = _Events(stream, ours)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, ours: Ours) -> None:
        self._inner = inner
        self._ours = ours

    async def aclose(self) -> None:
        await self._inner.aclose()


class _OneMessage(_Body):
    """A body that is one message. A problem that says nothing of JSON-RPC may be a gateway's."""

    def __init__(self, inner: httpx2.AsyncByteStream, ours: Ours, *, problem: bool) -> None:
        super().__init__(inner, ours)
        self._problem = problem

    async def __aiter__(self) -> AsyncIterator[bytes]:
        text = b"".join([chunk async for chunk in self._inner])
        if not self._problem:
            yield self._ours.only(text)
        elif b'"jsonrpc"' in text:
            # refuses this request, by whatever id: some servers send "server-error"
            yield self._ours.whoever_it_names(text)
        else:
            yield text


class _Events(_Body):
    """A stream of events. One whose data is a message is read under whatever name."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        event: list[bytes] = []
        async for line in self._lines():
            if line:
                event.append(line)
            elif event:
                yield self._event(event)
                event = []
        # the last event may not have been ended
        yield self._event(event)
        yield _sent(self._ours.left_over())

    async def _lines(self) -> AsyncIterator[bytes]:
        held, first, half = bytearray(), True, False
        async for chunk in self._inner:
            part = chunk.removeprefix(_BOM) if first else chunk
            part = part.removeprefix(b"\n") if half else part
            first, half = False, chunk.endswith(b"\r")
            held += part
            if b"\n" in part or b"\r" in part:
                lines = bytes(held).splitlines()
                ended = held.endswith((b"\n", b"\r"))
                held = bytearray() if ended else bytearray(lines.pop())
                for line in lines:
                    yield line
        yield bytes(held)

    def _event(self, lines: list[bytes]) -> bytes:
        if lines and lines[0].lstrip().startswith(_NO_EVENTS):
            # one message in JSON
            return _sent(self._ours.taken(b"\n".join(lines)))
        data = b"\n".join(
            line.removeprefix(_DATA).strip() for line in lines if line.startswith(_DATA)
        )
        names = [line.removeprefix(_NAME).strip() for line in lines if line.startswith(_NAME)]
        if not data or (names and names != [b"message"] and b'"jsonrpc"' not in data):
            return b"".join(line + b"\n" for line in [*lines, b""])
        others = [line for line in lines if not line.startswith((_DATA, _NAME))]
        return b"".join(line + b"\n" for line in others) + _sent(self._ours.taken(data))


def _sent(message: bytes) -> bytes:
    """The message as the data of an event, and the end of the event."""
    return b"".join(_DATA + b" " + line + b"\n" for line in message.splitlines()) + b"\n"
