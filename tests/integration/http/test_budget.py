"""One caller never stops the others: however a body is made, few of its values are looked at.

What is counted is work: calls of Python functions while a request is answered, and the errors that
a schema makes. How long the loop was held meanwhile is printed (`-s`).
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from types import FrameType
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chatbridge.container import Container
from chatbridge.domain.model.caller import TASKS_TOOLS, Caller
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.limits import (
    MAX_BODY,
    MAX_CONTENT,
    MAX_DEPTH,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_VALUES,
)
from chatbridge.entrypoints.tasks.server import TASKS_PATH
from chatbridge.main import create_app
from tests.chatkit_client import Json
from tests.integration.http.asking import (
    FOR_FILES,
    NO_TURN,
    NOBODYS,
    OPERATIONS,
    body_for,
    operation,
)
from tests.integration.http.living import living
from tests.integration.http.published import ROUTES, Route
from tests.serving import Served, settings_for

# of a request with as many values as are allowed; 500,000 wrong entries once made 5,000,000
MOST_CALLS = 15 * MAX_VALUES
# what one object can lack
MOST_ERRORS = 6

TASKS: Route = ("POST", TASKS_PATH)
TOOL_CALL: Json = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "add_task", "arguments": {"title": "buy oat milk"}},
}
WITH_BODY = [
    route
    for route in (*ROUTES, TASKS)
    if route[0] in ("POST", "PUT", "PATCH") and route not in FOR_FILES
]
CHATKIT: Route = ("POST", "/chatkit")
GOOD: list[tuple[Route, Json]] = [
    *((CHATKIT, operation(name, NOBODYS) | {"metadata": {}}) for name in OPERATIONS),
    *((route, body_for(route)) for route in WITH_BODY if route not in (CHATKIT, TASKS)),
    (TASKS, TOOL_CALL),
]


def flooded(unit: bytes, begin: bytes = b"[", end: bytes = b"]") -> bytes:
    """A megabyte of it."""
    room = MAX_BODY - 100
    return begin + (unit * (room // len(unit))).rstrip(b",") + end


FLOODS = {
    "numbers": flooded(b"1,"),
    "lists": flooded(b"[],"),
    "tables": flooded(b"{},"),
    "texts": flooded(b'"",'),
    "quotes": flooded(b'"'),
    "depth": flooded(b"["),
    "tags": flooded(b'{"type":"input_tag"},'),
    "one name": flooded(b'"a":0,', b"{", b"}"),
    "names": b"{" + b",".join(b'"%x":0' % n for n in range(MAX_BODY // 11)) + b"}",
}
WRONG: dict[str, Any] = {
    "a list": [{"type": "input_tag"}] * (MAX_VALUES // 2 - 20),
    "a table": {f"n{n}": 0 for n in range(MAX_VALUES - 40)},
}


def spoiled(good: Json) -> Iterator[tuple[str, Json]]:
    """The body with each of its places in turn made wrong, by as many values as are allowed."""
    for at, held in places(good):
        if at == ("type",):
            continue
        for name in WRONG if isinstance(held, dict | list) else ("a list",):
            body: Any = deepcopy(good)
            holder = body
            for step in at[:-1]:
                holder = holder[step]
            holder[at[-1]] = WRONG[name]
            yield f"{'.'.join(map(str, at))} is {name}", body
    if "type" not in good:
        yield "names that nobody knows", good | WRONG["a table"]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    inner: Any = ()
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(cast(list[Any], value))
    for step, held in inner:
        yield (*at, step), held
        yield from places(held, (*at, step))


@dataclass
class Cost:
    """What an answer has cost."""

    answer: httpx.Response
    calls: int
    errors: int


class Metered:
    """A client of an app, that tells what an answer has cost."""

    def __init__(self, app: FastAPI, container: Container) -> None:
        self._app = app
        self._errors = 0
        here = Served("", container)
        caller = Caller(user_id=UserId("alice"))
        tool = container.issuer().issue(caller, audience=TASKS_TOOLS, lifetime=timedelta(hours=1))
        self._tokens = defaultdict(lambda: here.token("alice"))
        self._tokens[TASKS] = tool.token
        self._tokens["POST", "/development/token"] = container.key().value
        self._count(ChatbridgeError)
        self._count(RequestValidationError)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        )

    def _count(self, kind: type[Exception]) -> None:
        answer: Any = self._app.exception_handlers[kind]

        async def counted(request: Request, error: Exception) -> Response:
            match error:
                case RequestValidationError():
                    self._errors = len(error.errors())
                case Exception(__context__=ValidationError() as schema):
                    self._errors = schema.error_count()
                case _:
                    pass
            return await answer(request, error)

        self._app.add_exception_handler(kind, counted)

    async def cost(self, route: Route, body: bytes, what: str) -> Cost:
        calls, self._errors = 0, 0

        def seen(_: FrameType, event: str, __: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        method, path = route
        url = path.format(
            user_id="alice",
            conversation_id=NOBODYS,
            thread_id=NOBODYS,
            turn_id=NO_TURN,
            message_id="msg_0",
        )
        headers = {
            "Authorization": f"Bearer {self._tokens[route]}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        begun = perf_counter()
        sys.setprofile(seen)
        try:
            answer = await self.http.request(method, url, content=body, headers=headers)
        finally:
            sys.setprofile(None)
        held = perf_counter() - begun
        errors = self._errors or told_by_the_sdk(answer)
        print(f"{path}, {what}: {calls} calls, {errors} errors, {held * 1000:.1f} ms")
        return Cost(answer, calls, errors)


def told_by_the_sdk(answer: httpx.Response) -> int:
    """How many errors the tools' endpoint has made of a body: it says so."""
    return int((re.findall(r"(\d+) validation error", answer.text) or "0")[0])


@pytest.fixture(scope="module")
async def metered() -> AsyncGenerator[Metered]:
    container = Container(settings=settings_for("memory:"))
    app = create_app(container)
    async with living(app):
        # no answer begins: what a body costs is counted
        await container.turns().stop()
        metered = Metered(app, container)
        for route, good in GOOD[-3:]:
            # what only a first request takes is not what is counted
            await metered.cost(route, json.dumps(good).encode(), "at first")
        yield metered


@pytest.mark.parametrize("route", WITH_BODY, ids=" ".join)
async def test_a_megabyte_of_anything_is_refused_before_it_is_parsed(
    metered: Metered, route: Route
) -> None:
    for name, body in FLOODS.items():
        cost = await metered.cost(route, body, f"a megabyte of {name}")
        assert (cost.answer.status_code, cost.answer.json()["code"]) == (413, "too_complex")
        assert cost.errors == 0
        assert cost.calls <= MOST_CALLS


@pytest.mark.parametrize(
    ("route", "good"),
    GOOD,
    ids=lambda value: str(value.get("type", "")) if isinstance(value, dict) else " ".join(value),
)
async def test_the_worst_body_that_is_read_makes_few_errors(
    metered: Metered, route: Route, good: Json
) -> None:
    for what, body in spoiled(good):
        cost = await metered.cost(route, json.dumps(body).encode(), what)
        assert cost.answer.status_code not in (413, 500)
        assert cost.errors <= MOST_ERRORS
        assert cost.calls <= MOST_CALLS


def listing(**more: Any) -> bytes:
    return json.dumps({"type": "threads.list", "params": {}, **more}).encode()


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


AROUND = 6
"""Values of a listing around a list in its metadata."""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (listing(metadata={"a": [0] * (MAX_VALUES - AROUND)}), None),
        (listing(metadata={"a": [0] * (MAX_VALUES - AROUND + 1)}), "too_complex"),
        (listing(metadata={"a": nested(MAX_DEPTH - 2)}), None),
        (listing(metadata={"a": nested(MAX_DEPTH - 1)}), "too_complex"),
        (listing(metadata={"a": "[{,]}" * 2000 + '\\"' * 5000}), None),
        (listing(metadata={"a": "x" * MAX_CONTENT}), None),
        (listing(metadata={"a": "x" * (MAX_CONTENT + 1)}), "text_too_long"),
        (listing(metadata={"x" * (MAX_CONTENT + 1): "a"}), "text_too_long"),
    ],
    ids=["values", "more", "levels", "deeper", "signs in a text", "text", "longer", "name"],
)
async def test_a_body_is_read_up_to_the_limits(
    metered: Metered, body: bytes, code: str | None
) -> None:
    answer = (await metered.cost(CHATKIT, body, "at a limit")).answer
    assert (answer.status_code == 200) == (code is None)
    assert answer.json().get("code") == code


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/alice/conversations?" + "a=1&" * 10_000, {}),
        (f"/api/alice/conversations/{'x' * MAX_HEAD}", {}),
        ("/healthz", {"X-Long": "x" * MAX_HEAD}),
        ("/healthz", {f"X-{n}": "x" for n in range(MAX_HEADERS)}),
    ],
    ids=["query", "path", "header", "headers"],
)
async def test_a_head_that_is_too_large_is_refused_before_anybody_reads_it(
    metered: Metered, path: str, headers: dict[str, str]
) -> None:
    answer = await metered.http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (431, "head_too_large")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/openapi.json", "/nothing", "/api/alice/tasks", TASKS_PATH]
)
async def test_no_answer_is_kept_guessed_at_or_framed(metered: Metered, path: str) -> None:
    headers = (await metered.http.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
