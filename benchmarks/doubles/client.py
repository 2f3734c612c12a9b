"""Drains many streams at once, checks that no word is missing, and says when they came.

Reads one JSON object (`Load`) from standard input and prints one (`Drained`). It parses only when
all streams have ended, so that it keeps up with the fastest server.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import uvloop

from benchmarks.doubles.answers import words

_TEXT_DELTA = "assistant_message.content_part.text_delta"
_PART_ADDED = "assistant_message.content_part.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to ask for. `marker` is what every frame with words holds, and no other.

    Streams begin over `ramp` seconds; each asks `repeat` times, one after the other. `deltas` is
    how many the model says; 0 checks no words.
    """

    port: int
    path: str
    body: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    method: str = "POST"
    marker: str
    streams: int = 1
    ramp: float = 0.0
    repeat: int = 1
    deltas: int = 0
    seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What came: counts over all answers; times in seconds, sorted.

    `gaps` lie between arrivals of words in a stream, `firsts` before the first, `lasts` before the
    end of an answer. `cpu` is the client's own. `heads` are the first answer's.
    """

    frames: int
    bytes: int
    gaps: list[float]
    firsts: list[float]
    lasts: list[float]
    cpu: float
    heads: dict[str, str]


class WordsAreMissing(Exception):
    """What was shown is not what the model said."""


class Stream(asyncio.Protocol):
    """One connection, with one answer after the other."""

    def __init__(self, load: Load, request: bytes) -> None:
        self._load, self._request = load, request
        self._marker = load.marker.encode()
        self._transport: asyncio.WriteTransport | None = None
        self._left = load.repeat
        self._begun = self._last = 0.0
        self._tail = b""
        self._parts: list[bytes] = []
        self.answers: list[bytes] = []
        self.gaps: list[float] = []
        self.firsts: list[float] = []
        self.lasts: list[float] = []
        self.frames = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none of asyncio's classes
        self._transport = cast(asyncio.WriteTransport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._parts.append(data)
        seen = self._tail + data
        # a marker that is whole in the tail was counted when it came
        marks = seen.count(self._marker) - self._tail.count(self._marker)
        self._tail = seen[-len(self._marker) :]
        if marks > 0:
            self.frames += marks
            (self.gaps if self._last else self.firsts).append(now - (self._last or self._begun))
            self._last = now
        if len(self._parts) == 1 and not data.startswith(b"HTTP/1.1 200"):
            self._fail(data[:500].decode(errors="replace"))
        elif seen.endswith(b"\r\n0\r\n\r\n"):
            self._answered(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self._fail(f"the connection was lost amid an answer: {exc}")

    def _ask(self) -> None:
        self._left -= 1
        self._parts, self._tail, self._last = [], b"", 0.0
        self._begun = time.monotonic()
        if self._transport:
            self._transport.write(self._request)

    def _answered(self, now: float) -> None:
        self.answers.append(b"".join(self._parts))
        self.lasts.append(now - self._begun)
        if self._left:
            self._ask()
        else:
            self.ended.set_result(None)
            if self._transport:
                self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(why))


def shown(answer: bytes) -> str:
    """The words that a whole response of any of the peers has shown."""
    return text_of(_body(answer))


def text_of(frames: bytes) -> str:
    """The same of some of its frames, each of them whole."""
    return "".join(_words(event) for event in _events(frames))


def _body(answer: bytes) -> bytes:
    place = answer.index(b"\r\n\r\n") + 4
    parts: list[bytes] = []
    while True:
        line = answer.index(b"\r\n", place)
        length = int(answer[place:line], 16)
        if not length:
            return b"".join(parts)
        parts.append(answer[line + 2 : line + 2 + length])
        place = line + 4 + length


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.splitlines():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


def _words(event: dict[str, Any]) -> str:
    match event:
        case {"type": "thread.item.updated", "update": {"type": kind} as update}:
            return update["delta"] if kind == _TEXT_DELTA else _begun_with(update)
        case {"type": "response.output_text.delta", "delta": str(delta)}:
            return delta
        case {"type": "text.delta", "text": str(text)}:
            return text
        case {"choices": [{"delta": {"content": str(content)}}]}:
            return content
        case {"delta": str(delta)} if "type" not in event:
            return delta
        case _:
            return ""


def _begun_with(update: dict[str, Any]) -> str:
    return update["content"].get("text", "") if update["type"] == _PART_ADDED else ""


def _request(load: Load) -> bytes:
    lines = [f"{load.method} {load.path} HTTP/1.1", "Host: 127.0.0.1"]
    heads = {
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Content-Length": str(len(load.body.encode())),
        **load.headers,
    }
    lines += [f"{name}: {value}" for name, value in heads.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + load.body).encode()


def _heads(answer: bytes) -> dict[str, str]:
    lines = answer.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")[1:]
    return {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def _check(load: Load, streams: list[Stream]) -> None:
    expected = words(load.deltas)
    for answer in (each for stream in streams for each in stream.answers):
        said = shown(answer)
        if said != expected:
            raise WordsAreMissing(
                f"of {len(expected)} characters {len(said)} were shown: ...{said[-40:]!r}"
            )


async def _drain(load: Load) -> Drained:
    loop = asyncio.get_running_loop()
    request, begun = _request(load), time.monotonic()
    streams: list[Stream] = []
    async with asyncio.timeout(load.seconds):
        for number in range(load.streams):
            due = begun + load.ramp * number / load.streams
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            _, stream = await loop.create_connection(
                lambda: Stream(load, request), "127.0.0.1", load.port
            )
            streams.append(stream)
        for stream in streams:
            await stream.ended
    cpu = time.process_time()
    if load.deltas:
        _check(load, streams)
    answers = [answer for stream in streams for answer in stream.answers]
    return Drained(
        frames=sum(stream.frames for stream in streams),
        bytes=sum(map(len, answers)),
        gaps=sorted(gap for stream in streams for gap in stream.gaps),
        firsts=sorted(first for stream in streams for first in stream.firsts),
        lasts=sorted(last for stream in streams for last in stream.lasts),
        cpu=cpu,
        heads=_heads(answers[0]),
    )


if __name__ == "__main__":
    json.dump(asdict(uvloop.run(_drain(Load(**json.load(sys.stdin))))), sys.stdout)
