"""A TCP proxy as a process: the network between a replica and its database, in bad times.

Commands, one JSON object a line: `do` is `cut` (break all connections), `refuse` or `hole` (nothing
gets through, nothing is closed) until `heal`; `slow` delays statements that hold `text` by
`seconds`, each or so many `times`, none longer than until `heal`; `lose` breaks a connection
`times` times after a statement that holds `text` was sent on it, before its answer; `lost` says how
often.
"""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from tests.faults import child
from tests.faults.statements import Sent
from tests.ports import free_port

_CHUNK = 1 << 16
_RUNS_WITHIN = 0.5


class Proxy:
    """Forwards connections to one server, and obeys."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._pairs: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._slow, self._pause, self._delays = b"", 0.0, 0
        self._healed = asyncio.Event()
        self._text, self._left, self.lost = b"", 0, 0
        self._hold, self._released, self.held = b"", asyncio.Event(), 0
        self.port = free_port()

    async def listen(self) -> None:
        """Take connections, always on the same port."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port, backlog=512)

    async def obey(self, command: dict[str, Any]) -> object:
        """Do what is asked."""
        match command["do"]:
            case "cut":
                self._cut()
            case "refuse":
                assert self._server
                self._server.close()
                self._cut()
            case "hole":
                self._open.clear()
            case "heal":
                await self._heal()
            case "slow":
                self._slow, self._pause = command["text"].encode(), command["seconds"]
                self._delays = command.get("times", sys.maxsize)
                self._healed.clear()
            case "lose":
                self._text, self._left = command["text"].encode(), command["times"]
            case "hold" | "release":
                self._hold_back(command.get("text"))
            case _:
                pass
        return self.held if command["do"] == "held" else self.lost

    def _hold_back(self, text: str | None) -> None:
        if text is None:
            self._released.set()
        else:
            self._hold = text.encode()

    async def _heal(self) -> None:
        self._open.set()
        self._healed.set()
        self._delays = 0
        if self._server and not self._server.is_serving():
            await self.listen()

    def _cut(self) -> None:
        for pair in tuple(self._pairs):
            pair.cancel()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = asyncio.create_task(self._forward(reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            await self._open.wait()
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            writers.append(up_writer)
            losing = asyncio.Event()
            ways = {
                asyncio.create_task(self._up(reader, up_writer, losing)),
                asyncio.create_task(self._down(up_reader, writer, losing)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def _up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        sent = Sent()
        while data := await reader.read(_CHUNK):
            await self._open.wait()
            statement = sent.run_by(data)
            if self._left and self._text in statement:
                self._left -= 1
                losing.set()
            if self._delays and self._slow in statement:
                self._delays -= 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause):
                        await self._healed.wait()
            held = self._hold and self._hold in statement
            if held:
                self.held += 1
                await self._released.wait()
            writer.write(data)
            await writer.drain()
            if held:
                # who has sent it may be gone: the server is to run it all the same
                await asyncio.sleep(_RUNS_WITHIN)

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._open.wait()
            if losing.is_set():
                # the server has done it, and its client will never hear
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()


async def main() -> None:
    """Serve and obey, until our parent has gone; each command is answered in its own time."""
    proxy = Proxy(sys.argv[1], int(sys.argv[2]))
    await proxy.listen()
    child.say(proxy.port)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        child.say(await proxy.obey(json.loads(line)))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
