"""In an application of somebody else's: how we learn that its server stops, and which one it is."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

_OF_THE_HOST = ("router", "app_root_path")
_LOOK_EVERY = 0.1


class Hosted:
    """Our application where another has mounted it.

    The other is kept in the scope: its state is what the host's own functions know, and below a
    mount `request.app` is ours. Its router and its root would make addresses that are not ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = {name: value for name, value in scope.items() if name not in _OF_THE_HOST}
        await self._app({**ours, "chatbridge.host": scope.get("app")}, receive, send)


@asynccontextmanager
async def until_server_stops(stop: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Await `stop` as soon as the uvicorn that runs us is to stop.

    It ends an application's lifespan only when the last stream has ended, and a stream ends with
    its turn: that would be minutes, and for ever without a `timeout_graceful_shutdown`.
    """
    watching = asyncio.create_task(_watched(stop))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def _watched(stop: Callable[[], Awaitable[None]]) -> None:
    # uvicorn's own answer to a signal is a method of the server
    server: Any = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, uvicorn.Server):
        return
    while not server.should_exit:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(_LOOK_EVERY)
    await stop()
