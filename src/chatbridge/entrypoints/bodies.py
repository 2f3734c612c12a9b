"""What callers send: bounded before it is parsed, and only what a database can hold.

Whatever is in a body, no more than `MAX_VALUES` of it are looked at one by one, by whichever
schema: a request that is refused costs everybody else no more than one that is answered.
"""

import re
from math import isfinite
from typing import Any, cast

from fastapi import Request
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError, from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.limits import MAX_BODY, MAX_CONTENT, MAX_DEPTH, MAX_VALUES
from chatbridge.domain.model.message import storable
from chatbridge.entrypoints.errors import answer_of, not_json, too_complex, too_large

# a string, ended or not, is passed over in one step
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{},]', re.S)
_MAX_TOKENS = 4 * MAX_VALUES
"""Well-formed, a value has at most its name, itself, a comma and its end."""

Place = tuple[str, ...]
"""The names that lead to a value in a body."""

_UNREAD = object()
_WITH_BODY = ("POST", "PUT", "PATCH")


class GuardedRequest(Request):
    """A request whose body is bounded while it is read, and JSON whatever its depth."""

    def __init__(self, scope: Scope, receive: Receive, long: Place | None = None) -> None:
        super().__init__(scope, receive)
        self._long = long
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
            self._value = parsed(await self.body(), self._long)
        return self._value

    async def _read(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in self.stream():
            size += len(part)
            _require_bounded(size)
            parts.append(part)
        return b"".join(parts)


async def guarded_request(request: Request, long: Place | None = None) -> GuardedRequest:
    """The request with JSON or no body. Raises NotJson, TooLarge and like `parsed`."""
    _require_json(request)
    guarded = GuardedRequest(request.scope, request.receive, long)
    # FastAPI would answer 400 to whatever is wrong with a body
    if request.method in _WITH_BODY and await guarded.body():
        await guarded.json()
    return guarded


class Body(BaseModel):
    """A request's body: a field that is not known is a mistake, and one mistake is told."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _of_known_fields(cls, value: object) -> object:
        fields = cast(dict[str, object], value) if isinstance(value, dict) else {}
        if unknown := next((name for name in fields if name not in cls.model_fields), None):
            raise PydanticCustomError("extra_forbidden", "{name}: unknown", {"name": unknown[:40]})
        return cast(object, value)


async def with_bounded_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call an app that parses what it reads: nothing that is too large or too complex.

    It reads nothing then, and what it says to that is not sent: the refusal is.
    """
    request = GuardedRequest(scope, receive)
    refused: ChatbridgeError | None = None
    given = False

    async def bounded() -> Message:
        nonlocal refused, given
        if given:
            return await receive()
        given = True
        try:
            body = await request.body()
            _require_simple(body)
        except ChatbridgeError as error:
            refused, body = error, b""
        return {"type": "http.request", "body": body, "more_body": False}

    async def say(message: Message) -> None:
        if refused is None:
            await send(message)

    await app(scope, bounded, say)
    if refused:
        await answer_of(refused)(scope, receive, send)


def parsed(body: bytes, long: Place | None = None) -> Any:
    """JSON. The text at `long` may be as long as the body.

    Raises TooLarge for too much of it, and Invalid, also for what can't be kept.
    """
    _require_simple(body)
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise refusals.malformed_json() from error
    _require_storable(value, long)
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


def _require_simple(body: bytes) -> None:
    values, depth = 1, 0
    for count, token in enumerate(_TOKEN.finditer(body), 1):
        sign = body[token.start()]
        if sign in b",[{":
            values += 1
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
        if values > MAX_VALUES or depth > MAX_DEPTH or count > _MAX_TOKENS:
            raise too_complex()


def _require_storable(value: Any, long: Place | None = None) -> None:
    match value:
        case str() if len(value) > MAX_CONTENT and long != ():
            raise refusals.text_too_long()
        case str() if not storable(value):
            raise refusals.unstorable("text")
        case float() if not isfinite(value):
            # 1e999 is well-formed, and no JSON when it is written again
            raise refusals.invalid_number()
        case dict():
            for key, entry in cast(dict[str, Any], value).items():
                _require_storable(key)
                there = long[1:] if long and key == long[0] else None
                _require_storable(entry, there)
        case list():
            for entry in cast(list[Any], value):
                _require_storable(entry)
        case _:
            pass
