"""Tool servers that run as a child process and speak over its standard input and output."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field

from mcp import Client, MCPError, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp_types import INVALID_REQUEST, ElicitRequestParams, ElicitResult, ErrorData

from chatbridge.adapters.mcp.approval import Approval
from chatbridge.adapters.mcp.child_process import messages
from chatbridge.adapters.mcp.elicitation.during import elicited
from chatbridge.adapters.mcp.exchange import (
    CLIENT_INFO,
    Alive,
    Answer,
    ServersList,
    Unreachable,
    ask_for_call,
    ask_for_tools,
    heeding,
)
from chatbridge.adapters.mcp.sieve import Sieve
from chatbridge.domain.model.tool import OnBehalf, ToolRequest
from chatbridge.domain.model.words import Words

_log = logging.getLogger(__name__)

_NOBODY = "There is not one call that goes on, with a person to ask, so nobody was asked."


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioServer:
    """A command that is a tool server; `env` is added to the few variables that are inherited.

    All users share the one process, and it is not told who asks: it is for tools that do the same
    for everybody, or that are given the user as an argument. `timeout` is of a call, `starting` of
    the first listing, `longest` of a call that reports its progress; all in seconds. `tools`,
    `user_argument`, `instructions` and `approval` are as in `Offered`, and
    `approve_for_conversation`, `widget` and `widget_actions` as in HttpServer.
    """

    name: str
    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout: float = 30.0
    longest: float = 600.0
    starting: float = 10.0
    tools: Sequence[str] | None = None
    user_argument: str | None = None
    instructions: bool = False
    approval: Approval = "never"
    approve_for_conversation: bool = False
    widget: str | None = None
    widget_actions: bool = False


class StdioSource:
    """Started when first used, and again when used after its process has died.

    Each life of the process belongs to a task of its own, so that whoever happened to start it
    can be cancelled without ending it for the others.
    """

    def __init__(self, server: StdioServer, changed: Callable[[], None]) -> None:
        self.name = server.name
        self.timeout = server.timeout
        self.patience = server.starting
        self._parameters = StdioServerParameters(
            command=server.command, args=list(server.args), env=dict(server.env)
        )
        self._changed = changed
        self._client: asyncio.Future[Client] | None = None
        self._sieve = Sieve()
        self._lives: set[asyncio.Task[None]] = set()
        self._calls: list[ToolRequest] = []

    def credential(self, on_behalf: OnBehalf) -> None:
        """It is not told who asks."""

    async def tools(self, on_behalf: OnBehalf) -> ServersList:
        """All tools of the server, in its order."""
        client = await self._connected()
        self._sieve.left_out.clear()
        tools = await ask_for_tools(client)
        return ServersList(
            tools=tools, left_out=dict(self._sieve.left_out), instructions=client.instructions
        )

    async def call(self, request: ToolRequest, on_behalf: OnBehalf, alive: Alive) -> Answer:
        """Call a tool, once; cancelling asks the server to stop it."""
        client = await self._connected()
        self._calls.append(request)
        try:
            return await ask_for_call(client, request, alive)
        finally:
            self._calls.remove(request)

    async def close(self) -> None:
        """End the process, by force where it does not go by itself within 2 s."""
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    async def _connected(self) -> Client:
        if self._client is None:
            self._client = asyncio.get_running_loop().create_future()
            # it outlives the request that happens to start it
            life = asyncio.create_task(
                self._live(self._client), name=f"tool server {self.name}", context=Context()
            )
            self._lives.add(life)
            life.add_done_callback(self._lives.discard)
        return await asyncio.shield(self._client)

    async def _live(self, connected: asyncio.Future[Client]) -> None:
        over = asyncio.Event()

        def end() -> None:
            # at once: whoever asks from now on starts a new process, while this one is cleared away
            self._forget(connected)
            self._changed()
            over.set()

        def aside(line: str) -> None:
            # until it is ready it speaks of itself, then of what it was asked
            _log.info("tool server %s: %s", self.name, Words(line) if connected.done() else line)

        self._sieve = sieve = Sieve()
        try:
            async with self._connecting(sieve, end, aside) as client:
                connected.set_result(client)
                async with self._heeding(client):
                    await over.wait()
        except Exception as error:
            _log.warning("tool server %s: ended with %s", self.name, type(error).__name__)
        finally:
            self._forget(connected)
            _give_up(connected)

    def _connecting(
        self, sieve: Sieve, end: Callable[[], None], aside: Callable[[str], None]
    ) -> Client:
        return Client(
            sieve.around(messages(self._parameters, end, aside)),
            mode="auto",
            message_handler=heeding(self._changed),
            elicitation_callback=self._elicited,
            cache=None,
            client_info=CLIENT_INFO,
        )

    # Nothing in such a request says in which call it is made, and no one may be asked for another.
    async def _elicited(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult | ErrorData:
        answer = elicited(self.name, self._calls[0].ask) if len(self._calls) == 1 else None
        if answer is None:
            return ErrorData(code=INVALID_REQUEST, message=_NOBODY)
        return await answer(context, params)

    # Since 2026-07-28 a server says that its list has changed only to those who have asked it to.
    @asynccontextmanager
    async def _heeding(self, client: Client) -> AsyncGenerator[None]:
        hearing = asyncio.create_task(self._hear(client))
        try:
            yield
        finally:
            hearing.cancel()

    async def _hear(self, client: Client) -> None:
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._changed()
        except (ListenNotSupportedError, SubscriptionLost, MCPError) as error:
            _log.debug(
                "tool server %s: says no more of its list (%s)", self.name, type(error).__name__
            )

    def _forget(self, connected: asyncio.Future[Client]) -> None:
        if self._client is connected:
            self._client = None


def _give_up(connected: asyncio.Future[Client]) -> None:
    if not connected.done():
        connected.set_exception(Unreachable("the process did not start"))
        # nobody may be waiting for it any more
        connected.exception()
