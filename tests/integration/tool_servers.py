"""Tool servers for the tests: real uvicorn on a free port of 127.0.0.1, and tokens that expire."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from pydantic import Field
from starlette.responses import Response

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.errors import Unauthenticated
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId, new_call_id
from chatbridge.domain.model.tool import CALL_KEY, OnBehalf, ToolRequest
from chatbridge.entrypoints.tasks.server import TasksApp
from chatbridge.ports.token_issuer import IssuedToken, TokenIssuer

AUDIENCE = "chatbridge:tasks"
A_MINUTE = timedelta(minutes=1)
MEETING = 8
PROBE_TOOLS = ("echo", "slow", "fail", "crash", "protocol", "media", "mirror")


class FakeTokens(TokenIssuer):
    """Hands out numbered tokens and remembers what each is good for."""

    def __init__(self) -> None:
        self.issued: dict[str, tuple[Caller, str, datetime]] = {}
        self._numbers = count(1)

    def issue(self, caller: Caller, *, audience: str, lifetime: timedelta) -> IssuedToken:
        token = f"token-{next(self._numbers)}"
        expires_at = datetime.now(UTC) + lifetime
        self.issued[token] = (caller, audience, expires_at)
        return IssuedToken(token=token, expires_at=expires_at)

    def verify(self, token: str, *, audience: str) -> Caller:
        caller, good_for, expires_at = self.issued.get(token, (None, "", datetime.now(UTC)))
        if caller is None or good_for != audience or datetime.now(UTC) >= expires_at:
            raise Unauthenticated("This token is not good here.")
        return caller

    def token_for(
        self, user: str, *, audience: str = AUDIENCE, lifetime: timedelta = A_MINUTE
    ) -> str:
        caller = Caller(user_id=UserId(user))
        return self.issue(caller, audience=audience, lifetime=lifetime).token


@dataclass
class Running:
    """A server that runs; `stop` ends it as a crash would, cutting off what is under way."""

    server: uvicorn.Server
    task: asyncio.Task[None]
    port: int

    async def stop(self) -> None:
        self.server.should_exit = True
        for connection in list(self.server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await self.task


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def started(app: Any, port: int = 0) -> Running:
    """The app behind uvicorn, ready to answer."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
    server = _Uvicorn(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    return Running(server, task, int(listener.getsockname()[1]))


@asynccontextmanager
async def serving(app: Any, port: int = 0) -> AsyncIterator[str]:
    """The app's address while it is served."""
    running = await started(app, port)
    try:
        yield f"http://127.0.0.1:{running.port}"
    finally:
        await running.stop()


def app_with(tasks: TasksApp) -> FastAPI:
    """A FastAPI app that serves the tool server among its own routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with tasks.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.router.routes.append(tasks.route)
    return app


@dataclass
class Probe:
    """A foreign tool server without authentication; it notes what its tools went through."""

    name: str = "probe"
    stateless: bool = True
    log: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    keys: list[object] = field(default_factory=list)
    offered: Sequence[str] = PROBE_TOOLS
    meeting: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(MEETING))

    def app(self) -> Callable[..., Any]:
        """A new ASGI app over the same notes."""
        inner = self._server().streamable_http_app(stateless_http=self.stateless)

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                seen = {key.decode(): value.decode() for key, value in scope["headers"]}
                self.headers.append(seen)
                self.requests.append(f"{scope['method']} {seen.get('mcp-method', '')}".strip())
            await inner(scope, receive, send)

        return noting

    def _server(self) -> MCPServer:
        server = MCPServer(self.name)
        for name in self.offered:
            server.add_tool(getattr(self, name), structured_output=False)
        return server

    async def echo(self, text: str, context: Context) -> str:
        """Say it again."""
        self.log.append(f"echo {text}")
        self.keys.append((context.request_context.meta or {}).get(CALL_KEY))
        return text

    async def slow(self, seconds: float) -> str:
        """Take some time."""
        self.log.append("start")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        self.log.append("end")
        return "slept"

    async def meet(self) -> str:
        """Wait until all are here."""
        await self.meeting.wait()
        return "met"

    async def fail(self) -> str:
        """Fail with words."""
        raise ToolError("The printer is out of paper.")

    async def crash(self) -> str:
        """Fail with a secret."""
        raise KeyError("postgres://user:secret@host/db")

    async def protocol(self) -> str:
        """Fail outside the result."""
        raise MCPError(code=-32050, message="upstream exploded")

    async def mirror(
        self, place: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Place"})]
    ) -> str:
        """Has an argument that must be sent as a header too."""
        return place

    async def media(self) -> CallToolResult:
        """Text, a picture, a file, a link and more text."""
        picture = ImageContent(type="image", data="aGk=", mime_type="image/png")
        texts = [TextContent(type="text", text=text) for text in ("before", "after")]
        file = TextResourceContents(uri="file:///a.txt", text="in a file")
        link = ResourceLink(type="resource_link", name="a map", uri="https://maps.example/1")
        return CallToolResult(
            content=[
                texts[0],
                picture,
                EmbeddedResource(type="resource", resource=file),
                link,
                texts[1],
            ]
        )


def older(app: Callable[..., Any]) -> Callable[..., Any]:
    """The app as a server that knows only the protocol's versions before 2026-07-28."""

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        if headers.get(b"mcp-protocol-version", b"").startswith(b"2026"):
            await Response("Bad Request", 400)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return refusing


@asynccontextmanager
async def provider(
    *servers: HttpServer | StdioServer, times: ListingTimes | None = None
) -> AsyncIterator[McpToolProvider]:
    """The tools of the servers, closed at the end."""
    made = McpToolProvider(servers, times=times)
    try:
        yield made
    finally:
        await made.close()


def probe_at(address: str, *, name: str = "probe", timeout: float = 10) -> HttpServer:
    """A probe that is served at the address."""
    return HttpServer(name=name, url=f"{address}/mcp", timeout=timeout)


async def names(tools: McpToolProvider) -> Sequence[str]:
    """The names of the tools, as a model would see them."""
    return [tool.name for tool in await tools.tools(behalf("alice"))]


def behalf(user: str) -> OnBehalf:
    """In a turn of the user's."""
    return OnBehalf(
        user_id=UserId(user),
        conversation_id=ConversationId(f"conv_of_{user}"),
        turn_id=TurnId(f"turn_of_{user}"),
    )


def request(name: str, **arguments: Any) -> ToolRequest:
    """A new call of the tool."""
    return ToolRequest(call_id=new_call_id(), name=name, arguments=arguments)


def read(output: str) -> Any:
    """The JSON that a task tool answered."""
    return json.loads(output)
