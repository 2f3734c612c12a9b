"""Tool servers over streamable HTTP: each call is a request of its own, with a token of its own."""

import asyncio
import json
from collections.abc import (
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from secrets import randbelow
from typing import TypeVar, cast

import httpx2
from mcp import Client, MCPError
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from chatbridge.adapters.mcp.approval import Approval
from chatbridge.adapters.mcp.elicitation.during import elicited
from chatbridge.adapters.mcp.exchange import (
    CLIENT_INFO,
    Alive,
    Answer,
    NoMessage,
    OwnWords,
    ServersList,
    TooLarge,
    ask_for_call,
    ask_for_tools,
    heeding,
)
from chatbridge.adapters.mcp.listed import ListedTool
from chatbridge.adapters.mcp.meant import SessionLost, meant
from chatbridge.adapters.mcp.sieve import Sieve
from chatbridge.adapters.mcp.traffic import AsgiApp, exchange
from chatbridge.domain.model.correlation import correlation
from chatbridge.domain.model.tool import OnBehalf, ToolRequest

_T = TypeVar("_T")

_NEGOTIATE = "auto"
# a server of several replicas may forget a session more than once
_SESSIONS = 3
_LOOKING = 1.0
_MOST_BEFORE = 2**40

_Work = Callable[[Client, Sieve], Awaitable[_T]]


class OldTransport(OwnWords):
    """The server speaks HTTP+SSE (2024-11-05), which streamable HTTP has replaced."""

    def __init__(self) -> None:
        super().__init__(
            "this is the address of the old transport, HTTP+SSE; give that of the server's "
            "streamable HTTP, which often ends in /mcp"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServer:
    """A tool server at a URL.

    `token` mints the bearer token for one exchange, listing included; None sends none, as is
    right for a server that is not ours. With `one_list` it lists the same for all users all the
    same. `headers` are sent as they are. `timeout` is in seconds, as is `longest`, of a call that
    reports its progress. `tools`, `user_argument`, `instructions` and `approval` are as in
    `Offered`; with `approve_for_conversation` a person may approve one for the whole conversation.
    Under the key `widget` its results give a widget, with `widget_actions` one that can be pressed.
    With `app`, an ASGI application of this process, nothing goes over the network to it.
    """

    name: str
    url: str
    token: Callable[[OnBehalf], str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout: float = 30.0
    longest: float = 600.0
    one_list: bool = False
    tools: Sequence[str] | None = None
    user_argument: str | None = None
    instructions: bool = False
    approval: Approval = "never"
    approve_for_conversation: bool = False
    widget: str | None = None
    widget_actions: bool = False
    app: AsgiApp | None = None


class HttpSource:
    """No session is kept, so there is none to lose: a restarted server is simply asked again.

    The first exchange finds out which protocol the server speaks, the others rely on it. Since
    2026-07-28 a call is one POST; an older server's session lives for one exchange. So `changed`,
    for a list that has, is only told what the server says while it is being asked.
    """

    patience = None

    def __init__(
        self, server: HttpServer, http: httpx2.AsyncClient, changed: Callable[[], None]
    ) -> None:
        self.name = server.name
        self.timeout = server.timeout
        self._server = server
        self._http = http
        self._hear = heeding(changed)
        self._mode = _NEGOTIATE
        self._mirroring: frozenset[str] = frozenset()

    def credential(self, on_behalf: OnBehalf) -> str | None:
        """The user, where each comes with a token of his own."""
        own = self._server.token is not None and not self._server.one_list
        return on_behalf.user_id if own else None

    async def tools(self, on_behalf: OnBehalf) -> ServersList:
        """All tools of the server, in its order."""

        async def work(client: Client, sieve: Sieve) -> ServersList:
            tools = await ask_for_tools(client)
            said = client.instructions
            return ServersList(tools=tools, left_out=sieve.left_out, instructions=said)

        try:
            listed = await self._exchange(on_behalf, work)
        except Exception as error:
            # it may come back as another version
            self._mode = _NEGOTIATE
            await self._look_for_another_transport(error, on_behalf)
            raise
        self._mirroring = frozenset(tool.name for tool in listed.tools if _mirrors(tool))
        return listed

    async def call(self, request: ToolRequest, on_behalf: OnBehalf, alive: Alive) -> Answer:
        """Call a tool, once; cancelling closes the request, which tells the server to stop."""

        async def work(client: Client, _: Sieve) -> Answer:
            if request.name in self._mirroring:
                # the client fills those headers from a list that it has seen itself
                await ask_for_tools(client)
            return await ask_for_call(client, request, alive)

        return await self._exchange(on_behalf, work, elicited(self.name, request.ask))

    async def close(self) -> None:
        """Nothing of its own is open: the HTTP client belongs to the provider."""

    async def _exchange(
        self, on_behalf: OnBehalf, work: _Work[_T], elicit: ElicitationFnT | None = None
    ) -> _T:
        left = _SESSIONS
        while True:
            left -= 1
            try:
                return await self._try(on_behalf, work, elicit)
            except SessionLost as lost:
                # nothing was done, so nothing is done twice
                if not left:
                    raise lost.error from lost

    async def _try(self, on_behalf: OnBehalf, work: _Work[_T], elicit: ElicitationFnT | None) -> _T:
        # a call that comes again with answers has another id, in whichever process
        sieve = Sieve(before=randbelow(_MOST_BEFORE))
        with exchange(self._headers_for(on_behalf)) as traffic:
            try:
                client = self._client(sieve, elicit)
                return await _outcome(client, self._noting_the_version(sieve, work))
            except Exception as error:
                stands_for = meant(error, traffic)
                if stands_for is error:
                    raise
                raise stands_for from error

    async def _look_for_another_transport(self, error: Exception, on_behalf: OnBehalf) -> None:
        """Raises what is wrong, if the address is one of the old transport's."""
        if not isinstance(error, MCPError | NoMessage):
            return
        accept = {"Accept": "text/event-stream"}
        with exchange(self._headers_for(on_behalf)):
            try:
                async with (
                    asyncio.timeout(_LOOKING),
                    self._http.stream("GET", self._server.url, headers=accept) as response,
                ):
                    if response.status_code == 200:
                        first = await anext(response.aiter_text(), "")
                        if "event: endpoint" in first:
                            raise OldTransport
            except (TimeoutError, httpx2.HTTPError, TooLarge):
                return

    def _headers_for(self, on_behalf: OnBehalf) -> Mapping[str, str]:
        asked_in = correlation().request_id
        headers = {**({"X-Request-Id": asked_in} if asked_in else {}), **self._server.headers}
        if self._server.token is None:
            return headers
        return {**headers, "Authorization": f"Bearer {self._server.token(on_behalf)}"}

    def _client(self, sieve: Sieve, elicit: ElicitationFnT | None) -> Client:
        transport = streamable_http_client(self._server.url, http_client=self._http)
        return Client(
            sieve.around(transport),
            mode=self._mode,
            message_handler=self._hear,
            elicitation_callback=elicit,
            cache=None,
            client_info=CLIENT_INFO,
        )

    def _noting_the_version(
        self, sieve: Sieve, work: _Work[_T]
    ) -> Callable[[Client], Awaitable[_T]]:
        async def noting(client: Client) -> _T:
            spoken = client.protocol_version
            self._mode = spoken if spoken in MODERN_PROTOCOL_VERSIONS else "legacy"
            return await work(client, sieve)

        return noting


async def _outcome(connecting: Client, work: Callable[[Client], Awaitable[_T]]) -> _T:
    """What the work answers or raises, freed from the groups of the client's tasks."""
    outcome: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
    try:
        async with connecting as client:
            try:
                outcome.set_result(await work(client))
            except Exception as error:
                outcome.set_exception(error)
    except ExceptionGroup as group:
        # an answer that is there outweighs trouble with the goodbye
        if not outcome.done():
            raise _first(cast(Exception, group)) from group
    return outcome.result()


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = cast(ExceptionGroup[Exception], error).exceptions[0]
    return error


def _mirrors(tool: ListedTool) -> bool:
    return "x-mcp-header" in json.dumps(tool.schema)
