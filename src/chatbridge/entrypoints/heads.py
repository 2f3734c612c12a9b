"""The heads of requests and answers: how large the one may be, and what the other always says."""

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbridge.domain.model.limits import MAX_HEAD, MAX_HEADERS
from chatbridge.entrypoints.errors import ALWAYS, answer_of, head_too_large

_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


def add_heads(app: FastAPI) -> None:
    """Refuse what can't be a request, and let no answer be kept, guessed at or framed."""
    app.add_middleware(_Heads)


class _Heads:
    """What an answer says by itself stands: pages have a policy of their own, files are kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(MutableHeaders(scope=message))
            await send(message)

        app = answer_of(head_too_large()) if _is_too_large(scope) else self._app
        return await app(scope, receive, completed)


def _is_too_large(scope: Scope) -> bool:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(headers) > MAX_HEADERS:
        return True
    address = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in headers) > MAX_HEAD


def _complete(headers: MutableHeaders) -> None:
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    if not headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", _NO_PAGE)
