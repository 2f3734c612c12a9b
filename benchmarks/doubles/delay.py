"""A line to the database that takes its time, each way.

Run as `python -m benchmarks.doubles.delay PORT HOST:PORT SECONDS`.
"""

import asyncio
import sys
from typing import cast

import uvloop


class End(asyncio.Protocol):
    """One end of a connection through the line: what it hears, the other one says later."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._transport: asyncio.WriteTransport | None = None
        self._before: list[bytes] = []
        self.other: End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is none of asyncio's classes
        self._transport = cast(asyncio.WriteTransport, transport)
        for data in self._before:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.other:
            asyncio.get_running_loop().call_later(self._delay, self.other.say, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other:
            asyncio.get_running_loop().call_later(self._delay, self.other.close)

    def say(self, data: bytes) -> None:
        """Say it now, or as soon as there is a connection."""
        if self._transport is None:
            self._before.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()


async def _serve(port: int, target: str, delay: float) -> None:
    loop = asyncio.get_running_loop()
    host, _, target_port = target.rpartition(":")
    connecting: set[asyncio.Task[object]] = set()

    def accept() -> End:
        near, far = End(delay), End(delay)
        near.other, far.other = far, near
        task = loop.create_task(loop.create_connection(lambda: far, host, int(target_port)))
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return near

    server = await loop.create_server(accept, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
