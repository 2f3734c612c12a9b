"""A TCP proxy in front of a server: counts round trips, and can be the network that fails."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from tests.ports import free_port

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a client sent after the server had spoken (or at the start), on which connection."""

    connection: int
    data: bytes


@dataclass(slots=True)
class _Pair:
    """A client's connection and ours to the server; `way` is clear while nothing passes."""

    number: int
    way: asyncio.Event
    answered: bool = True
    doomed: bool = False


class TcpProxy:
    """Forwards to `host`:`port` and notes each round trip."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()
        self._connections = 0
        self._way = _open_way()
        self._losing: tuple[bytes, ...] = ()
        self.port = free_port()
        self.trips: list[RoundTrip] = []
        self.answers_lost = 0

    async def start(self) -> None:
        """Take connections; after a stop on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def lead_to(self, host: str, port: int) -> None:
        """From now on new connections are forwarded there."""
        self._upstream = (host, port)

    async def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for pair in tuple(self._pairs):
            pair.cancel()
        if self._pairs:
            await asyncio.wait(self._pairs)

    async def stop(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    def hold(self) -> None:
        """Let nothing through, on any connection, until `release`; nobody is told."""
        self._way.clear()

    def release(self) -> None:
        """Let everything through again, what was held back first."""
        self._way.set()

    def forget(self) -> None:
        """Let nothing through, ever, on the connections that there are; new ones are served."""
        self._way.clear()
        self._way = _open_way()

    def lose_the_answer(self, *to: bytes) -> None:
        """The next data that hold all of this reach the server; in place of its answer, which
        comes when it has done all, the connection breaks."""
        self._losing = to

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        pair = asyncio.create_task(self._forward(self._connections, reader, writer))
        self._pairs.add(pair)
        pair.add_done_callback(self._pairs.discard)

    async def _forward(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writers = [writer]
        way = self._way
        try:
            await way.wait()
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            writers.append(up_writer)
            pair = _Pair(number, way)
            ways = {
                asyncio.create_task(self._up(pair, reader, up_writer)),
                asyncio.create_task(self._down(pair, up_reader, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in ways:
                    each.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def _up(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            await pair.way.wait()
            if pair.answered:
                pair.answered = False
                self.trips.append(RoundTrip(pair.number, data))
            if self._losing and all(part in data for part in self._losing):
                pair.doomed, self._losing = True, ()
            writer.write(data)
            await writer.drain()

    async def _down(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            await pair.way.wait()
            pair.answered = True
            if pair.doomed:
                self.answers_lost += 1
                return
            writer.write(data)
            await writer.drain()


def _open_way() -> asyncio.Event:
    way = asyncio.Event()
    way.set()
    return way


@asynccontextmanager
async def proxied(url: str) -> AsyncGenerator[tuple[TcpProxy, str]]:
    """A proxy in front of the database at `url`, and the URL that leads through it."""
    target = make_url(url)
    proxy = TcpProxy(target.host or "127.0.0.1", target.port or 5432)
    await proxy.start()
    through = target.set(host="127.0.0.1", port=proxy.port)
    try:
        yield proxy, through.render_as_string(hide_password=False)
    finally:
        with suppress(OSError):
            await proxy.stop()
