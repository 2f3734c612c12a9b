"""Which pages of other origins may read the answers of the chat and the REST API."""

import logging
import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

_ORIGIN = re.compile(r"https?://(?:[a-z0-9]+(?:[.-]+[a-z0-9]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?")
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")
_HERE = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_MOST_TOLD = 20
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ASKED_WITH = (
    "Authorization",
    "Content-Type",
    "Accept-Language",
    "ChatKit-Frame-Instance-Id",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Chatbridge-On-Busy",
    "X-Chatbridge-Stream",
    "X-Chatbridge-Time-Zone",
    "X-Chatbridge-User",
    "X-Request-Id",
)
_ANSWERED_WITH = (
    "Link",
    "Retry-After",
    "X-Chatbridge-Feedback",
    "X-Chatbridge-Waiting",
    "X-Chatbridge-Stream",
    "X-Conversation-Id",
    "X-Request-Id",
    "X-Turn-Id",
)


def add_cors(
    app: FastAPI, origins: Sequence[str], *, loopback: bool = False, cookies: bool = False
) -> None:
    """Let pages of exactly these origins in, with `loopback` those of this machine too. Raises
    ValueError for what can't be an origin.

    With `cookies` those of these origins may send them, and of this machine's none may: any
    program on it can serve a page.

    Others are named in the log, once each: a browser tells only its own console. The page, its
    files, the development sign-in and the tools are for no other origin.
    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
            raise ValueError(
                "CHATBRIDGE_CORS_ORIGINS holds origins as browsers name them, such as "
                "https://app.example.com: lower case, a port only if it is not the usual one, no "
                "path, no slash at the end, no `*`."
            )
    app.add_middleware(_ApiCors, origins=origins, loopback=loopback, cookies=cookies)


class _ApiCors:
    """CORS below `/chatkit` and `/api`, and for the element; everything else is as without it."""

    def __init__(
        self, app: ASGIApp, origins: Sequence[str], *, loopback: bool, cookies: bool
    ) -> None:
        self._app = app
        self._named = ", ".join(origins) or ("those of this machine" if loopback else "none")
        self._told: set[str] = set()
        self._lets_in = bool(origins) or loopback
        self._opened = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_origin_regex=_HERE if loopback else None,
            allow_methods=_METHODS,
            allow_headers=_ASKED_WITH,
            expose_headers=_ANSWERED_WITH,
            allow_credentials=cookies and bool(origins),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        opened = scope["type"] == "http" and _is_open(scope)
        if opened:
            self._tell(Headers(scope=scope))
        await (self._opened if opened and self._lets_in else self._app)(scope, receive, send)

    def _tell(self, headers: Headers) -> None:
        origin = headers.get("origin", "")
        if not origin or self._opened.is_allowed_origin(origin) or _is_own(origin, headers):
            return
        if origin in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add(origin)
        if not _ORIGIN.fullmatch(origin):
            _log.warning("A page without an origin, from a file or a sandbox, is not let in.")
            return
        _log.warning(
            "A page of %s is not let in: CHATBRIDGE_CORS_ORIGINS names the origins that are (now: "
            "%s).",
            origin,
            self._named,
        )


def _is_own(origin: str, headers: Headers) -> bool:
    """Whether it is a page of this server's address, whatever its scheme behind a proxy."""
    same = headers.get("sec-fetch-site") in ("same-origin", "none")
    return same or origin.partition("://")[2] == headers.get("host")


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    element = path.startswith("/page/") and path.endswith(".js") and path != "/page/page.js"
    return path == "/chatkit" or element or path.startswith(("/chatkit/", "/api/"))
