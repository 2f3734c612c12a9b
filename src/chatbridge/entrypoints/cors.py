"""Which pages of other origins may read the answers of the chat and the REST API."""

import re
from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ORIGIN = re.compile(r"https?://(?:[a-z0-9]+(?:[.-]+[a-z0-9]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?")
_DEFAULT_PORT = re.compile(r"http://.*:80|https://.*:443")
_METHODS = ("GET", "POST", "PATCH", "DELETE")
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
    "X-Request-Id",
)
_ANSWERED_WITH = (
    "Link",
    "Retry-After",
    "X-Chatbridge-Stream",
    "X-Conversation-Id",
    "X-Request-Id",
    "X-Turn-Id",
)


def add_cors(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of exactly these origins in. Raises ValueError for what can't be one.

    The page, its files, the development sign-in and the tools are for no other origin.
    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin):
            raise ValueError(
                "CHATBRIDGE_CORS_ORIGINS holds origins as browsers name them, such as "
                "https://app.example.com: lower case, a port only if it is not the usual one, no "
                "path, no slash at the end, no `*`."
            )
    if origins:
        app.add_middleware(_ApiCors, origins=origins)


class _ApiCors:
    """CORS below `/chatkit` and `/api`, and for the element; everything else is as without it."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._opened = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_ASKED_WITH,
            expose_headers=_ANSWERED_WITH,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        opened = scope["type"] == "http" and _is_open(scope)
        await (self._opened if opened else self._app)(scope, receive, send)


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    element = path.startswith("/page/") and path.endswith(".js") and path != "/page/page.js"
    return path == "/chatkit" or element or path.startswith(("/chatkit/", "/api/"))
