"""Each request has an id: the caller's own where it is a good one, else a new one."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbridge.domain.model.correlation import in_request

HEADER = "X-Request-Id"

_GOOD = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}")


class RequestIds:
    """Every response names it; so do the lines that are logged for it, and what tools are asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = _id_of(Headers(scope=scope))

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = id
            await send(message)

        with in_request(id):
            await self._app(scope, receive, send_named)


def _id_of(headers: Headers) -> str:
    given = headers.get(HEADER, "")
    return given if _GOOD.fullmatch(given) else f"req_{uuid4().hex}"
