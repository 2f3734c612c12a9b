"""What goes over HTTP in an exchange with a tool server: what is sent along, what is noted."""

import json
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import httpx2

from chatbridge.adapters.mcp.bodies import read_leniently
from chatbridge.adapters.mcp.bounded import bound
from chatbridge.adapters.mcp.exchange import TooLarge
from chatbridge.adapters.mcp.problems import own_words, what_came

AsgiApp = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

_CONNECTING = 5.0
_ENDING = 1.0
# shorter than the 5 s after which uvicorn closes an idle connection, so none is used as it closes
_KEPT_ALIVE = 2.0


# a redirect that is not followed was never at the tool; but what was done may end in 303
_REDIRECTS = (301, 302, 307, 308)


@dataclass(slots=True)
class Traffic:
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
        """Whether the server did not let in what was asked last."""
        return 400 <= self.status < 500 or self.status in _REDIRECTS

    def note(self, too_large: TooLarge) -> None:
        """An answer was too large."""
        self.too_large = too_large


_now: ContextVar[Traffic] = ContextVar("_now")


@contextmanager
def exchange(headers: Mapping[str, str]) -> Generator[Traffic]:
    """What is sent in this context has these headers, and is noted in the traffic."""
    traffic = Traffic(headers)
    reset = _now.set(traffic)
    try:
        yield traffic
    finally:
        _now.reset(reset)


def http_client(apps: Mapping[str, AsgiApp]) -> httpx2.AsyncClient:
    """The one client for them all: many users share its connections, and nothing else.

    What is sent to the URL of one of the `apps` does not go over the network.
    """
    return httpx2.AsyncClient(
        mounts={
            f"all://{httpx2.URL(url).host}": httpx2.ASGITransport(app, raise_app_exceptions=False)
            for url, app in apps.items()
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


class _OwnHeaders(httpx2.Auth):
    """Adds the headers of the exchange that sends, and notes how it is answered.

    The MCP client sends in the asker's context.
    """

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        traffic = _now.get()
        request.headers.update(traffic.headers)
        traffic.in_a_session = "mcp-session-id" in request.headers
        traffic.asked = _id_of(request) or traffic.asked
        response = yield request
        if request.method == "POST":
            traffic.status = response.status_code


async def _bound(response: httpx2.Response) -> None:
    bound(response, _now.get().note)
    # a stream that is taken up again with GET is still about what was asked
    traffic = _now.get()
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
