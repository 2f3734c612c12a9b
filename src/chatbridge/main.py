"""create_app: a container in, a FastAPI application out; and the ways to serve it."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from math import ceil
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from chatbridge.adapters.postgres.embedded import EmbeddedPostgresError
from chatbridge.container import Container, running, tasks_running
from chatbridge.entrypoints.chatkit.routes import chatkit_router
from chatbridge.entrypoints.errors import add_error_handlers
from chatbridge.entrypoints.openapi import document
from chatbridge.entrypoints.rest.chat import chat_router
from chatbridge.entrypoints.rest.conversations import conversations_router
from chatbridge.entrypoints.rest.health import health_router
from chatbridge.entrypoints.rest.sessions import sessions_router
from chatbridge.settings import Settings


def create_app(container: Container | None = None) -> FastAPI:
    """The service. Without a container it is configured by the environment.

    In a host's own FastAPI application, mount it: `host.mount("/chat", create_app())`, and enter
    `app.router.lifespan_context(app)` in the host's lifespan.
    """
    container = container or Container(settings=Settings())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with running(container):
            yield

    app = FastAPI(
        title="chatbridge",
        version=version("chatbridge-server"),
        summary="A self-hosted back end for ChatKit.",
        lifespan=lifespan,
    )
    turns, history = container.turns(), container.history()
    authenticator, tasks_app = container.authenticator(), container.tasks_app()
    app.include_router(chatkit_router(turns, history, authenticator))
    app.include_router(chat_router(turns, authenticator))
    app.include_router(sessions_router(history, authenticator, container.issuer()))
    app.include_router(conversations_router(turns, history, container.tasks(), authenticator))
    app.include_router(health_router(container.require_ready()))
    app.router.routes.append(Route(tasks_app.path, tasks_app, include_in_schema=False))
    add_error_handlers(app)
    document(app)
    return app


def serve(settings: Settings) -> None:
    """Serve until a signal comes. Raises ValueError when it can't be started as configured."""
    with _in_words():
        listening = _listening(settings.host, settings.port)
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        container = Container(settings=settings)
        app = create_app(container)
        _run(app, listening, settings, _greeting(settings), container.turns().stop)


def serve_tasks(settings: Settings) -> None:
    """Serve the bundled task tools alone. Raises like `serve`."""
    with _in_words():
        container = Container(settings=settings)
        tasks_app = container.tasks_app()

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            async with tasks_running(container):
                yield

        app = Starlette(routes=[Route(tasks_app.path, tasks_app)], lifespan=lifespan)
        address = f"http://{settings.host}:{settings.port}{tasks_app.path}"
        listening = _listening(settings.host, settings.port)
        _run(app, listening, settings, f"Task tools: {address}", _nothing_to_stop)


async def _nothing_to_stop() -> None: ...


@contextmanager
def _in_words() -> Generator[None]:
    try:
        yield
    except EmbeddedPostgresError as error:
        raise ValueError(f"The database can't be started: {error}.") from error


class _Server(uvicorn.Server):
    """Says where it is once it really is there, and lets its work end as soon as it is to stop."""

    def __init__(
        self, config: uvicorn.Config, greeting: str, stop: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._greeting, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # it waits for its connections, and those that watch a turn end with the turn
        stopping = asyncio.ensure_future(self._stop())
        await super().shutdown(sockets)
        await stopping


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


def _run(
    app: Starlette,
    listening: socket.socket,
    settings: Settings,
    greeting: str,
    stop: Callable[[], Awaitable[None]],
) -> None:
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "httpx2", "mcp", "chatkit", "alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel("WARNING")
    startable = _Startable(app)
    config = uvicorn.Config(
        startable,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=ceil(settings.turns.drain) + 1,
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


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise ValueError(
            f"Can't listen on {host}:{port} ({error.strerror}): set PORT to a free one."
        ) from error


def _greeting(settings: Settings) -> str:
    address = f"http://{settings.host}:{settings.port}"
    keeps = {
        "embedded": f"kept in {settings.data_dir}/postgres",
        "memory": "kept in memory until it stops",
        "postgres": "kept in Postgres",
    }[settings.store]
    head = f"chatbridge: {address} ({keeps}; model: {settings.agent.model})"
    if settings.environment != "development":
        return head
    me = _own_command()
    return f"""{head}

Say something:
  curl -N {address}/api/alice/chat \\
    -H "Authorization: Bearer $({me} token --user alice)" \\
    -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \\
    -d '{{"message": "add a task: buy oat milk"}}'

Or chat here:
  {me} chat "what are my tasks?"
"""


def _own_command() -> str:
    command = Path(sys.argv[0]).absolute()
    here = Path.cwd()
    return str(command.relative_to(here) if command.is_relative_to(here) else command)
