"""A body of bytes as the events that it holds, or as the one document that it is instead."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, cast

from chatbridge.adapters.openai.troubles import NotAStream

Json = dict[str, Any]
MAX_BYTES = 64_000_000
"""Of one body, after decompression."""

_MAX_EVENT = 32_000_000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DOCUMENT = (b"{", b"[", b"<")
_ALIVE = re.compile(
    r"\W*(ping|pong|heart-?_?beat|keep-?_?alive|alive|processing|ok|noop|"
    r"queued|pending|waiting|loading|progress|in[ _-]?progress)\W*",
    re.I,
)
_DONE = re.compile(r"\[DONE\].*|\W*done\W*", re.I | re.S)
_AGAIN = re.compile(r"(?:data:\s*){2,}")
_MAY_BE_JSON = ("{", "[", '"')


class EventStream:
    """Takes a body's bytes as they come; gives each event as the decoded JSON of its `data:` lines.

    Bytes that are no UTF-8 are kept as surrogates, for the rest of a character may follow in the
    next event. What is no JSON is a sign of life. `size` is how many bytes have come, `done` is
    whether the last event was there, `is_document` whether the body is one answer and no stream.
    """

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._buffer = bytearray()
        self._data: list[str] = []
        self._name = ""
        self._odd = self._heard = False
        self._after_return = False
        self.size = 0
        self.is_document: bool | None = None
        self.done = False

    def feed(self, piece: bytes) -> Iterator[Json]:
        """The events that this piece completes. Raises NotAStream for what can't be one."""
        self.size += len(piece)
        self._buffer += piece[1:] if self._after_return and piece[:1] == b"\n" else piece
        self._after_return = piece[-1:] == b"\r"
        if self.size > MAX_BYTES or len(self._buffer) > _MAX_EVENT:
            raise NotAStream(f"{self._content_type}, too long")
        if self.is_document is None:
            self._look()
        if self.is_document or not (b"\n" in piece or b"\r" in piece):
            return
        *lines, rest = _LINE_END.split(self._buffer)
        self._buffer = bytearray(rest)
        for line in lines:
            yield from self._line(line)

    def rest(self) -> Iterator[Json]:
        """What the body ends with: an event that nothing ends, or the document that it is.

        Raises NotAStream if nobody can read it.
        """
        line, self._buffer = self._buffer, bytearray()
        with suppress(ValueError):
            if self.is_document:
                yield from self._told([*_values(line.decode("utf-8-sig", "surrogateescape"))])
            elif not self.done:
                yield from self._line(line)
                yield from self._event()
        if not self._heard and (self._odd or self.is_document):
            raise NotAStream(self._content_type)

    def _look(self) -> None:
        begins = self._buffer.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not begins:
            return
        self.is_document = begins.startswith(_DOCUMENT)
        if begins.startswith(b"<"):
            raise NotAStream(self._content_type)

    def _line(self, line: bytes | bytearray) -> Iterator[Json]:
        text = line.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        if not text.strip():
            yield from self._event()
            return
        again = _AGAIN.match(text)
        name, _, value = (f"data:{text[again.end() :]}" if again else text).partition(":")
        if text.startswith("{"):
            name, value = "data", text
        match name.strip().lower():
            case "data":
                yield from self._event_before(value)
                self._data.append(value.removeprefix(" "))
            case "event":
                yield from self._event_before("{")
                self._name = value.strip()
            case "" | "id" | "retry":
                pass
            case _:
                self._odd = True

    # Where the blank line between two events was left out.
    def _event_before(self, value: str) -> Iterator[Json]:
        if (
            self._data
            and self._data[-1].endswith("}")
            and value.lstrip().startswith(("{", "[DONE"))
        ):
            with suppress(ValueError):
                whole = [*_values("\n".join(self._data))]
                self._data = []
                yield from self._told(whole)

    def _event(self) -> Iterator[Json]:
        data, self._data = self._data, []
        text = "\n".join(data).strip()
        self.done = self.done or bool(_DONE.fullmatch(text))
        if text and not self.done and not _ALIVE.fullmatch(self._name):
            try:
                values = [*_values(text)]
            except ValueError:
                values = [*_values("".join(data))]
            self._odd = self._odd or not values
            yield from self._told(values if values or self._name != "error" else [text])
        self._name = ""

    def _told(self, values: list[Any]) -> Iterator[Json]:
        for value in values:
            if isinstance(value, dict):
                self._heard = True
                yield _typed(cast(Json, value), self._name)
            elif isinstance(value, list):
                yield from self._told(cast(list[Any], value))
            elif isinstance(value, str) and not _ALIVE.fullmatch(value):
                self._heard = True
                yield {"error": value}


def _typed(event: Json, name: str) -> Json:
    """The event, which may say only by its name what it is."""
    if name == "error" and "error" not in event:
        return {"error": event}
    return {"type": name, **event} if "." in name else event


def _values(text: str) -> Iterator[Any]:
    """The values of JSON in the text, one behind the other; nothing where it begins like none.

    Raises ValueError where it only begins like one.
    """
    rest = text.lstrip()
    while rest.startswith(_MAY_BE_JSON):
        try:
            value, end = _DECODER.raw_decode(rest)
        except RecursionError:
            raise NotAStream("text/event-stream, nested too deep") from None
        except ValueError:
            if rest.startswith("{"):
                raise
            return
        yield value
        rest = rest[end:].lstrip()


# What is no number of JSON is nothing, for the next reader may be a strict one.
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


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
