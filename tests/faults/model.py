"""A model's endpoint as a process: it says what the prompt tells it to, and notes what it saw.

A prompt is a `Script` as JSON. Both of OpenAI's APIs are served; which one is in the path.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tests.faults import child
from tests.faults.model_dialects import DIALECTS, Dialect

Json = dict[str, Any]
Send = Callable[[Json], Awaitable[None]]
Receive = Callable[[], Awaitable[Json]]

_START: Json = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What to answer: `words` words, `pause` seconds after each, each naming the script's `id`.

    `size` is how many characters a word has at least. `stays` words are all that it says when it is
    asked first: then it is silent, and does not end. With `tool` that tool is called first, and
    `tool_pause` is what it is told to take. `cut` ends the stream after so many bytes of its body:
    in good order, or `abrupt`.
    """

    id: str
    words: int = 10
    pause: float = 0.0
    tool: str | None = None
    tool_pause: float = 0.0
    size: int = 0
    stays: int | None = None
    cut: int | None = None
    abrupt: bool = False

    def prompt(self) -> str:
        """As a person would have to type it."""
        values = {name: getattr(self, name) for name in _USUAL}
        return json.dumps({n: value for n, value in values.items() if value != _USUAL[n]})

    def text(self, words: int | None = None) -> str:
        """The whole answer, or its first words."""
        count = self.words if words is None else words
        return "".join(map(self.word, range(count)))

    def word(self, number: int) -> str:
        """One of its words, and the blank after it."""
        return f"{self.id}.{number}".ljust(self.size, ".") + " "


_USUAL = {field.name: field.default for field in fields(Script)}


class Model:
    """The ASGI app."""

    def __init__(self, notes: child.Notes) -> None:
        self._notes = notes
        self._asked: set[str] = set()

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Answer one request, and note whether it was heard to its end."""
        if scope["type"] != "http":
            return None
        dialect = next(d for ending, d in DIALECTS.items() if scope["path"].endswith(ending))
        body = json.loads(await _body(receive))
        script = Script(**json.loads(dialect.prompt(body)))
        if script.id in self._asked:
            script = replace(script, stays=None)
        self._asked.add(script.id)
        self._notes.write("asked", id=script.id, path=scope["path"], step=dialect.steps(body))
        speaking = asyncio.create_task(self._speak(script, dialect, body, send))
        hanging_up = asyncio.create_task(_gone(receive))
        await asyncio.wait({speaking, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        said = "whole" if speaking.done() and not speaking.exception() else "gone"
        self._notes.write(said, id=script.id)
        hanging_up.cancel()
        if speaking.done():
            return speaking.result()
        speaking.cancel()
        return None

    async def _speak(self, script: Script, dialect: Dialect, body: Json, send: Send) -> None:
        await send(_START)
        left = sys.maxsize if script.cut is None else script.cut
        async for chunk in _chunks(script, dialect, body):
            await send({"type": "http.response.body", "body": chunk[:left], "more_body": True})
            left -= len(chunk)
            if left <= 0:
                break
        if script.abrupt:
            raise ConnectionAbortedError
        await send({"type": "http.response.body", "body": b""})


async def _chunks(script: Script, dialect: Dialect, body: Json) -> AsyncGenerator[bytes, None]:
    if script.tool and not dialect.steps(body):
        arguments = json.dumps({"order": script.id, "pause": script.tool_pause})
        yield dialect.call(f"call_{script.id}", script.tool, arguments)
        return
    yield dialect.opening()
    for number in range(script.words):
        if number == script.stays:
            await asyncio.Event().wait()
        yield dialect.delta(script.word(number))
        if script.pause:
            await asyncio.sleep(script.pause)
    yield dialect.closing(script.text())


def whole_body(script: Script, dialect: Dialect) -> bytes:
    """All that is sent for a script without tools."""
    words = (dialect.delta(script.word(number)) for number in range(script.words))
    return dialect.opening() + b"".join(words) + dialect.closing(script.text())


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


if __name__ == "__main__":
    child.serve(Model(child.Notes(Path(sys.argv[1]))))
