"""uvicorn, with a greeting when it is up, a word of its own when it can't be, and a clean end."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from chatbridge.entrypoints.logs.opening import tell_of_the_loop
from chatbridge.entrypoints.screen import say

_GRACE = 1
"""How many seconds connections get to end once the work of the server has ended."""

_DEAD_PEER_MS = 30_000

_OF_THE_PORT = (errno.EADDRINUSE, errno.EACCES)


class _Server(uvicorn.Server):
    """Says where it is once it really is there, and lets its work end as soon as it is to stop."""

    def __init__(
        self, config: uvicorn.Config, greeting: str, stop: Callable[[], Awaitable[None]] | None
    ) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        tell_of_the_loop(asyncio.get_running_loop())
        await super().startup(sockets)
        if self.started:
            say(self._greeting)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # first, while it still listens: whoever balances the load is told, viewers see the end
        if self._stop:
            await self._stop()
        await super().shutdown(sockets)


class _Startable:
    """An app that remembers why it could not start, in place of the traceback in the log."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_traceback(message: Message) -> None:
            failed = message["type"] == "lifespan.startup.failed"
            await send({**message, "message": ""} if failed else message)

        try:
            await self._app(scope, receive, send_without_traceback)
        except Exception as error:
            self.failure = error
            raise


def run(
    app: Starlette,
    listening: socket.socket,
    *,
    greeting: str,
    stop: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until a signal comes; `stop` is then awaited before the last connections are closed.

    Raises whatever kept the app from starting.
    """
    startable = _Startable(app)
    config = uvicorn.Config(
        startable,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config, greeting, stop)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        return
    except SystemExit:
        if startable.failure:
            raise startable.failure from None
        raise


def listening_on(host: str, port: int) -> socket.socket:
    """A socket that listens; an IPv6 address may be in brackets. Raises ValueError where that
    can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server(
            (host.strip("[]"), port),
            family=family,
            backlog=2048,
            # `::` is every address of this machine, as `0.0.0.0` is
            dualstack_ipv6=family == socket.AF_INET6 and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        mend = (
            "set PORT to a free one"
            if error.errno in _OF_THE_PORT
            else "set CHATBRIDGE_HOST to an address of this machine, such as 127.0.0.1"
        )
        raise ValueError(f"Can't listen on {host}:{port} ({error.strerror}): {mend}.") from error
    # what a peer does not take for so long is given up by the kernel; its connections inherit it
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_PEER_MS)
    return listening
