"""The address of a model endpoint, as people paste it."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

AGENTS = "CHATBRIDGE_AGENT__BASE_URL"
_ROUTE = re.compile(
    r"/(chat/completions|responses|completions|embeddings|models|audio/transcriptions)/*$|/(?=/*$)",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the endpoint is, what each request's query holds besides, and what was mended."""

    url: str
    query: dict[str, str]
    notes: tuple[str, ...] = ()


def endpoint_address(given: str, name: str = AGENTS) -> Address:
    """The address without the route that each request adds; `name` is the setting that gave it.

    Raises ValueError for what is none.
    """
    parts = urlsplit(given.strip().strip("'\"<>"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{name} must be the address of an endpoint, such as https://api.example.com/v1."
        )
    path, notes = _without_route(parts.path, name)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if query:
        notes.append(f"{name} has a query: {', '.join(query)} is sent with each request")
    return Address(
        url=urlunsplit((parts.scheme, parts.netloc, path, "", "")), query=query, notes=tuple(notes)
    )


def _without_route(path: str, name: str) -> tuple[str, list[str]]:
    notes: list[str] = []
    while found := _ROUTE.search(path):
        path = path[: found.start()]
        if route := found[1]:
            notes.append(f"{name} ends in /{route}, which each request adds: it was taken off")
    return path, notes
