"""A model server that costs next to nothing: what to say is told it by `PUT /script`.

Run as `python -m benchmarks.doubles.model PORT`.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import uvloop

from benchmarks.doubles.answers import MARK, Answer, Script, calling, spoken

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\nx-request-id: req_0\r\n\r\n"
)
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
# the output of a call, by either API
_ANSWERED = re.compile(rb'function_call_output|"role" *: *"tool"')


@dataclass(slots=True)
class Desk:
    """What all connections share."""

    script: Script = field(default_factory=Script)
    answered: int = 0
    held: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])

    def follow(self, script: Script) -> None:
        """What was held back under the earlier script ends."""
        held, self.held = self.held, []
        for end in held:
            end()
        self.script = script

    def answer(self, api: str, body: bytes) -> tuple[Answer, bytes]:
        """What is said to a request, and what stands for MARK in it."""
        self.answered += 1
        calls = self.script.calls and not _ANSWERED.search(body)
        answer = (
            calling(api, self.script.tool, self.script.calls)
            if calls
            else spoken(api, self.script.deltas)
        )
        return answer, b"%025d" % self.answered


class Connection(asyncio.Protocol):
    """One connection of a client; requests come one after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none of asyncio's classes
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received[:end])
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            head, body = self._received[:end], self._received[end + 4 : whole]
            self._received = self._received[whole:]
            self._asked(head.split(b" ", 2)[1].decode(), body)

    def write(self, data: bytes) -> bool:
        """False when nobody listens any more."""
        if self._transport is None:
            return False
        self._transport.write(data)
        return True

    def _asked(self, path: str, body: bytes) -> None:
        if path == "/script":
            self._desk.follow(Script(**json.loads(body)))
            self.write(_OK)
            return
        api = "chat_completions" if path.endswith("/chat/completions") else "responses"
        answer, name = self._desk.answer(api, body)
        Speaking(self, answer, name, self._desk).begin()


class Speaking:
    """One answer, at its pace."""

    def __init__(self, to: Connection, answer: Answer, name: bytes, desk: Desk) -> None:
        self._to, self._answer, self._name = to, answer, name
        self._desk, self._script = desk, desk.script
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._said = 0

    def begin(self) -> None:
        """Say all of it, or the first words and then the rest as time goes by."""
        self._say(_HEAD + self._answer.begin)
        if self._script.pace and self._answer.deltas:
            self._go_on()
        else:
            self._say(b"".join(self._answer.deltas))
            self._end()

    def _go_on(self) -> None:
        passed = self._loop.time() - self._begun
        due = min(len(self._answer.deltas), int(passed * self._script.pace) + 1)
        for number in range(self._said, due):
            # a packet each, as from a model
            if not self._say(self._answer.deltas[number]):
                return
        self._said = due
        if due == len(self._answer.deltas):
            self._end()
        else:
            self._loop.call_at(self._begun + due / self._script.pace, self._go_on)

    def _end(self) -> None:
        if self._script.held:
            self._desk.held.append(partial(self._say, self._answer.end))
        else:
            self._say(self._answer.end)

    def _say(self, data: bytes) -> bool:
        return self._to.write(data.replace(MARK.encode(), self._name))


async def _serve(port: int) -> None:
    desk = Desk()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
