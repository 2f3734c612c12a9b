"""What callers send: bounded while it is read, and only what a database can hold."""

from math import isfinite
from typing import Any, cast

from fastapi import Request
from pydantic_core import from_json
from starlette.types import Receive, Scope

from chatbridge.domain.model import refusals
from chatbridge.domain.model.limits import MAX_BODY
from chatbridge.domain.model.message import storable
from chatbridge.entrypoints.errors import not_json, too_large

_UNREAD = object()
_WITH_BODY = ("POST", "PUT", "PATCH")


class GuardedRequest(Request):
    """A request whose body is bounded while it is read, and JSON whatever its depth."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._bytes: bytes | None = None
        self._value: Any = _UNREAD

    async def body(self) -> bytes:
        """The body. Raises TooLarge as soon as it is over the limit."""
        if self._bytes is None:
            announced = self.headers.get("content-length", "")
            size = int(announced) if announced.isdecimal() else 0
            _require_bounded(size)
            self._bytes = await self._read()
        return self._bytes

    async def json(self) -> Any:
        """The body as JSON. Raises like `parsed`."""
        if self._value is _UNREAD:
            self._value = parsed(await self.body())
        return self._value

    async def _read(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in self.stream():
            size += len(part)
            _require_bounded(size)
            parts.append(part)
        return b"".join(parts)


async def guarded_request(request: Request) -> GuardedRequest:
    """The request with JSON or no body. Raises NotJson, TooLarge and like `parsed`."""
    _require_json(request)
    guarded = GuardedRequest(request.scope, request.receive)
    # FastAPI would answer 400 to whatever is wrong with a body
    if request.method in _WITH_BODY and await guarded.body():
        await guarded.json()
    return guarded


def parsed(body: bytes) -> Any:
    """JSON, by a parser that bounds its depth. Raises Invalid, also for what can't be kept."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise refusals.malformed_json() from error
    _require_storable(value)
    return value


def _require_json(request: Request) -> None:
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in _WITH_BODY and media_type != "application/json":
        raise not_json()


def _require_bounded(size: int) -> None:
    if size > MAX_BODY:
        raise too_large()


def _require_storable(value: Any) -> None:
    match value:
        case str() if not storable(value):
            raise refusals.unstorable("text")
        case float() if not isfinite(value):
            # 1e999 is well-formed, and no JSON when it is written again
            raise refusals.invalid_number()
        case dict():
            for key, entry in cast(dict[str, Any], value).items():
                _require_storable(key)
                _require_storable(entry)
        case list():
            for entry in cast(list[Any], value):
                _require_storable(entry)
        case _:
            pass
