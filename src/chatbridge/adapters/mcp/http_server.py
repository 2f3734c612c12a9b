"""Tool servers over streamable HTTP: each call is a request of its own, with a token of its own."""

import asyncio
import json
import re
from collections.abc import (
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar, cast

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import INVALID_PARAMS, INVALID_REQUEST
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from chatbridge.adapters.mcp.bodies import read_leniently
from chatbridge.adapters.mcp.bounded import bound
from chatbridge.adapters.mcp.exchange import (
    CLIENT_INFO,
    Alive,
    Answer,
    NoMessage,
    OwnWords,
    Refused,
    ServersList,
    TooLarge,
    ask_for_call,
    ask_for_tools,
    heeding,
)
from chatbridge.adapters.mcp.listed import ListedTool
from chatbridge.adapters.mcp.problems import own_words, what_came
from chatbridge.adapters.mcp.sieve import Sieve
from chatbridge.domain.model.correlation import correlation
from chatbridge.domain.model.tool import OnBehalf, ToolRequest

_T = TypeVar("_T")
AsgiApp = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

_CONNECTING = 5.0
_ENDING = 1.0
# shorter than the 5 s after which uvicorn closes an idle connection, so none is used as it closes
_KEPT_ALIVE = 2.0

_NEGOTIATE = "auto"
# a server of several replicas may forget a session more than once
_SESSIONS = 3
_LOOKING = 1.0
_NOT_FOUND = 404
# a redirect that is not followed was never at the tool; but what was done may end in 303
_REDIRECTS = (301, 302, 307, 308)
# how begins what the client itself says of an answer that is no message
_NO_MESSAGE = (
    "Server returned an error response",
    "Session terminated",
    "Redirect to ",
)
_NOT_OURS = "Unexpected content type: "
_OK = 200
_LOST_SESSION = re.compile(
    r"session.{0,20}(not found|expired|terminated|unknown|invalid)"
    r"|(no valid|invalid|unknown|expired) session"
    r"|server not initialized|before initialization was complete",
    re.IGNORECASE,
)
# with a status of success only these say for sure that nothing was done
_NOT_LET_IN = (INVALID_REQUEST, INVALID_PARAMS)


class _SessionLost(Exception):
    """The server did not let the request in, for it does not know the session any more."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@dataclass(slots=True)
class _Traffic:
    """The headers of one exchange's requests, the id of the last that asked for something, the
    last answer's status and what else is known of it, and one too large.
    """

    headers: Mapping[str, str]
    asked: Any = None
    status: int = 0
    came: str = ""
    said: str = ""
    in_a_session: bool = False
    too_large: TooLarge | None = None

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500 or self.status in _REDIRECTS

    def note(self, too_large: TooLarge) -> None:
        """An answer was too large."""
        self.too_large = too_large


_traffic: ContextVar[_Traffic] = ContextVar("_traffic")

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
    reports its progress. `tools`, `user_argument` and `instructions` are as in `Offered`. With
    `app`, an ASGI application of this process, nothing goes over the network to it.
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
    app: AsgiApp | None = None


def http_client(servers: Iterable[HttpServer] = ()) -> httpx2.AsyncClient:
    """The one client for them all: many users share its connections, and nothing else."""
    return httpx2.AsyncClient(
        mounts={
            f"all://{httpx2.URL(server.url).host}": httpx2.ASGITransport(
                server.app, raise_app_exceptions=False
            )
            for server in servers
            if server.app
        },
        auth=_OwnHeaders(),
        # no server may have one user's cookies sent with another's call
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        # a call's time is bounded as a whole, by whoever calls
        timeout=httpx2.Timeout(None, connect=_CONNECTING),
        limits=httpx2.Limits(
            max_connections=None, max_keepalive_connections=100, keepalive_expiry=_KEPT_ALIVE
        ),
        # some endings can be packed a thousandfold
        headers={"Accept-Encoding": "identity"},
        event_hooks={"request": [_hurry_goodbyes], "response": [_bound]},
    )


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

        return await self._exchange(on_behalf, work)

    async def close(self) -> None:
        """Nothing of its own is open: the HTTP client belongs to the provider."""

    async def _exchange(self, on_behalf: OnBehalf, work: _Work[_T]) -> _T:
        left = _SESSIONS
        while True:
            left -= 1
            try:
                return await self._try(on_behalf, work)
            except _SessionLost as lost:
                # nothing was done, so nothing is done twice
                if not left:
                    raise lost.error from lost

    async def _try(self, on_behalf: OnBehalf, work: _Work[_T]) -> _T:
        traffic = _Traffic(self._headers_for(on_behalf))
        reset = _traffic.set(traffic)
        sieve = Sieve()
        try:
            return await _outcome(self._client(sieve), self._noting_the_version(sieve, work))
        except Exception as error:
            meant = _meant(error, traffic)
            if meant is error:
                raise
            raise meant from error
        finally:
            _traffic.reset(reset)

    async def _look_for_another_transport(self, error: Exception, on_behalf: OnBehalf) -> None:
        """Raises what is wrong, if the address is one of the old transport's."""
        if not isinstance(error, MCPError | NoMessage):
            return
        reset = _traffic.set(_Traffic(self._headers_for(on_behalf)))
        accept = {"Accept": "text/event-stream"}
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
        finally:
            _traffic.reset(reset)

    def _headers_for(self, on_behalf: OnBehalf) -> Mapping[str, str]:
        asked_in = correlation().request_id
        headers = {**({"X-Request-Id": asked_in} if asked_in else {}), **self._server.headers}
        if self._server.token is None:
            return headers
        return {**headers, "Authorization": f"Bearer {self._server.token(on_behalf)}"}

    def _client(self, sieve: Sieve) -> Client:
        transport = streamable_http_client(self._server.url, http_client=self._http)
        return Client(
            sieve.around(transport),
            mode=self._mode,
            message_handler=self._hear,
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


class _OwnHeaders(httpx2.Auth):
    """Adds the headers of the exchange that sends, and notes how it is answered.

    The MCP client sends in the asker's context.
    """

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        traffic = _traffic.get()
        request.headers.update(traffic.headers)
        traffic.in_a_session = "mcp-session-id" in request.headers
        traffic.asked = _id_of(request) or traffic.asked
        response = yield request
        if request.method == "POST":
            traffic.status = response.status_code


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


def _meant(error: Exception, traffic: _Traffic) -> Exception:
    """What an error of the client's stands for."""
    if traffic.too_large is not None:
        return traffic.too_large
    if not isinstance(error, MCPError):
        return error
    words = str(error)
    # with a status of success these words are the server's own
    if words.startswith(_NOT_OURS) or (traffic.status > _OK and words.startswith(_NO_MESSAGE)):
        kind = Refused if traffic.refused else NoMessage
        refused = kind(traffic.came, traffic.said)
        lost = traffic.status == _NOT_FOUND or (
            traffic.refused and _LOST_SESSION.search(traffic.said)
        )
        return _SessionLost(refused) if lost and traffic.in_a_session else refused
    not_let_in = traffic.refused or error.code in _NOT_LET_IN
    if not_let_in and traffic.in_a_session and _LOST_SESSION.search(str(error)):
        return _SessionLost(error)
    return error


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = cast(ExceptionGroup[Exception], error).exceptions[0]
    return error


async def _bound(response: httpx2.Response) -> None:
    bound(response, _traffic.get().note)
    # a stream that is taken up again with GET is still about what was asked
    traffic = _traffic.get()
    read_leniently(response, traffic.asked)
    if response.request.method == "POST":
        traffic.came = what_came(response)
        traffic.said = await own_words(response)


def _id_of(request: httpx2.Request) -> Any:
    """What an answer to it would be known by; None where it asks for nothing."""
    try:
        message = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):
        return None
    asks = isinstance(message, dict) and "method" in message
    return cast(dict[str, Any], message).get("id") if asks else None


async def _hurry_goodbyes(request: httpx2.Request) -> None:
    if request.method == "DELETE":
        # sent when an exchange with an older server ends, also one that has timed out
        request.extensions["timeout"] = httpx2.Timeout(_ENDING).as_dict()


def _mirrors(tool: ListedTool) -> bool:
    return "x-mcp-header" in json.dumps(tool.schema)
