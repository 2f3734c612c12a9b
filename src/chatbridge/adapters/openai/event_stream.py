"""A body of bytes as the events that it holds, or as the one document that it is instead."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from chatbridge.adapters.openai.troubles import NotAStream

Json = dict[str, Any]
MAX_BYTES = 64_000_000
"""Of one body, after decompression."""

_MAX_EVENT = 32_000_000
_LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])")
_DOCUMENT = (b"{", b"[", b"<")


class EventStream:
    """Takes a body's bytes as they come; gives each event as the decoded JSON of its `data:` lines.

    Bytes that are no UTF-8 are kept as surrogates, for the rest of a character may follow in the
    next event. An event without an end is none. `size` is how many bytes have come.
    """

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._buffer = bytearray()
        self._data: list[str] = []
        self._name = ""
        self.size = 0
        self._odd = False
        self._is_document: bool | None = None
        self.done = False

    def feed(self, piece: bytes) -> Iterator[Json]:
        """The events that this piece completes. Raises NotAStream for what can't be one."""
        self.size += len(piece)
        self._buffer += piece
        if self.size > MAX_BYTES or len(self._buffer) > _MAX_EVENT:
            raise NotAStream(f"{self._content_type}, too long")
        if self._is_document is None:
            self._look()
        if self._is_document or not (b"\n" in piece or b"\r" in piece):
            return
        *lines, rest = _LINE_END.split(self._buffer)
        self._buffer = bytearray(rest)
        for line in lines:
            yield from self._line(line)

    def document(self) -> Json | None:
        """What the body is if it is no stream. Raises NotAStream if nobody can read it."""
        if not self._is_document:
            if self._odd:
                raise NotAStream(self._content_type)
            return None
        try:
            whole = json.loads(bytes(self._buffer))
        except (ValueError, RecursionError):
            raise NotAStream(self._content_type) from None
        if isinstance(whole, list) and whole:
            whole = cast(list[Any], whole)[0]
        if not isinstance(whole, dict):
            raise NotAStream(self._content_type)
        return cast(Json, whole)

    def _look(self) -> None:
        begins = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not begins:
            return
        self._is_document = begins.startswith(_DOCUMENT)
        if begins.startswith(b"<"):
            raise NotAStream(self._content_type)

    def _line(self, line: bytes | bytearray) -> Iterator[Json]:
        text = line.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        if not text:
            yield from self._event()
            return
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._name = value
            case "" | "id" | "retry":
                pass
            case _:
                self._odd = True

    def _event(self) -> Iterator[Json]:
        data, name = "\n".join(self._data), self._name
        self._data, self._name = [], ""
        if data.strip().startswith("[DONE]"):
            self.done = True
        if self.done or not data.strip():
            return
        event = _decoded(data)
        if isinstance(event, dict):
            self._odd = False
            told = cast(Json, event)
            yield told if name != "error" or "error" in told else {"error": told}
        elif isinstance(event, str) or name == "error":
            yield {"error": str(event)}


def _decoded(data: str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise NotAStream("text/event-stream, nested too deep") from None


def framed(event: Json) -> bytes:
    """The event as a strict endpoint sends it."""
    return b"data: " + json.dumps(event).encode() + b"\n\n"


async def bounded(body: AsyncIterator[bytes], most: int = MAX_BYTES) -> bytes:
    """The whole body. Raises NotAStream where it is longer, after decompression."""
    pieces: list[bytes] = []
    size = 0
    async for piece in body:
        size += len(piece)
        if size > most:
            raise NotAStream(f"longer than {most // 1_000_000} MB")
        pieces.append(piece)
    return b"".join(pieces)
