"""A token as it was sent: taken apart strictly, believed in nothing."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from chatbridge.domain.model import refusals

MAX_TOKEN_CHARS = 8192
MAX_KEY_ID_CHARS = 128

_PART = "([A-Za-z0-9_-]+)"
_THREE_PARTS = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_TYPES = frozenset({"jwt", "at+jwt"})

# They let a token bring its own key or its own rules along; no sign-in we serve sends one.
_REFUSED_HEADERS = frozenset({"crit", "jku", "jwk", "x5u", "x5c"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedToken:
    """What a token says of itself. `claims` serve to choose who verifies it, and no other end."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str | None = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)


def read_token(text: str) -> UnverifiedToken:
    """Takes a signed token apart: at most 8 kB, three parts, JSON objects without repeated names.

    Raises Unauthenticated: `token_malformed`, or `wrong_type` for a token whose header says that
    it was made for something else, such as a session cache.
    """
    try:
        header, claims = _objects(text)
        algorithm, key_id = _algorithm(header), _key_id(header)
    except ValueError:
        raise refusals.token_malformed() from None
    _check_type(header)
    return UnverifiedToken(text=text, algorithm=algorithm, key_id=key_id, claims=claims)


def json_object(data: bytes) -> dict[str, object]:
    """Strict JSON: an object, no name twice at any depth, no NaN or Infinity.

    Raises ValueError for everything else, nesting beyond the interpreter's depth included.
    """
    try:
        value: object = json.loads(
            data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return cast("dict[str, object]", value)


def decoded(part: str) -> bytes:
    """base64url without padding, in its one canonical spelling. Raises ValueError."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=") != part.encode():
        raise ValueError("not canonical base64url")
    return data


def _objects(text: str) -> tuple[dict[str, object], dict[str, object]]:
    if len(text) > MAX_TOKEN_CHARS or not (parts := _THREE_PARTS.fullmatch(text)):
        raise ValueError("not three parts")
    header, claims, _signature = (decoded(part) for part in parts.groups())
    return json_object(header), json_object(claims)


def _algorithm(header: Mapping[str, object]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or not _REFUSED_HEADERS.isdisjoint(header):
        raise ValueError("not a header that we take")
    return algorithm


def _key_id(header: Mapping[str, object]) -> str | None:
    if "kid" not in header:
        return None
    key_id = header["kid"]
    if not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_CHARS:
        raise ValueError("not a key id")
    return key_id


def _check_type(header: Mapping[str, object]) -> None:
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise refusals.wrong_type()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
