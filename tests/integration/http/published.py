"""The contract as the app has it, and whether something is as it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs

from chatbridge.container import Container
from chatbridge.main import create_app
from tests.chatkit_client import Json
from tests.serving import settings_for

Route = tuple[str, str]

DOCUMENT: Json = create_app(Container(settings=settings_for("memory:"))).openapi()
ROUTES: tuple[Route, ...] = tuple(
    (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
)


def documented(route: Route) -> Json:
    """The contract of an operation."""
    method, path = route
    return DOCUMENT["paths"][path][method.lower()]


def found(reference: str) -> Any:
    """What a reference in the contract leads to."""
    assert reference.startswith("#/")
    there: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        there = there[part]
    return there


def references(value: Any) -> Iterator[str]:
    """All references in a part of the contract."""
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for entry in value.values():
                yield from references(entry)
        case list():
            for entry in value:
                yield from references(entry)


def refusals(request: httpx.Request) -> set[tuple[int, str]] | None:
    """The refusals that the contract has for this request; None: it is for no operation."""
    for method, path in ROUTES:
        if request.method == method and re.fullmatch(
            re.sub(r"\{\w+\}", "[^/]+", path), request.url.path
        ):
            return set(told(DOCUMENT["paths"][path][method.lower()]))
    return None


def told(operation: Json) -> Iterator[tuple[int, str]]:
    """The status and code of each refusal in an operation's documentation."""
    for status, response in operation["responses"].items():
        problem = response.get("content", {}).get("application/problem+json", {})
        for code in problem.get("examples", {}):
            yield int(status), code


def require_valid(value: Any, schema: Json) -> None:
    """Assert that this fits the schema, whose references lead into the contract."""
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(value)


def events_of(text: str) -> list[Json]:
    """The events of a whole stream as the contract speaks of them."""
    parts = text.split("\n\n")
    assert parts.pop() == ""
    events = [dict(line.split(": ", 1) for line in part.split("\n")) for part in parts]
    return [event for event in events if set(event) != {""}]


def require_told(text: str, event: Json) -> None:
    """Assert that this is a stream of such events, and each one's data what it should be."""
    for each in events_of(text):
        require_valid(each, event)
        require_valid(json.loads(each["data"]), event["properties"]["data"]["contentSchema"])
