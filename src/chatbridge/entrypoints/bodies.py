"""What callers send: bounded while it is read, and only what a database can hold."""

from typing import Any, cast

from fastapi import Request
from pydantic_core import from_json

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.message import storable
from chatbridge.entrypoints.errors import Refused

MAX_BODY = 1024 * 1024


class GuardedRequest(Request):
    """A request whose body is bounded while it is read, and JSON whatever its depth."""

    async def body(self) -> bytes:
        """The body. Raises Refused (413) as soon as it is over the limit."""
        if not hasattr(self, "_body"):
            parts: list[bytes] = []
            size = 0
            async for part in self.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise Refused(413, "too_large", f"A body has at most {MAX_BODY:,} bytes.")
                parts.append(part)
            self._body = b"".join(parts)
        return self._body

    async def json(self) -> Any:
        """The body as JSON. Raises Invalid (`malformed_json`)."""
        return parsed(await self.body())


def parsed(body: bytes) -> Any:
    """JSON, by a parser that bounds its depth. Raises Invalid, also for text that can't be kept."""
    try:
        value = from_json(body)
    except ValueError as error:
        raise Invalid("The body is no well-formed JSON.", code="malformed_json") from error
    if not _all_storable(value):
        raise Invalid("The text holds a NUL or a lone surrogate.", code="invalid_text")
    return value


def _all_storable(value: Any) -> bool:
    match value:
        case str():
            return storable(value)
        case dict():
            entries = cast(dict[str, Any], value)
            return all(storable(k) and _all_storable(v) for k, v in entries.items())
        case list():
            return all(map(_all_storable, cast(list[Any], value)))
        case _:
            return True
