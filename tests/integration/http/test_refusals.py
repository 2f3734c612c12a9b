"""What is refused, and how: every input a problem document, none a server error."""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest
from chatkit.types import ThreadStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter

from chatbridge.container import Container
from chatbridge.domain.model.limits import MAX_BODY, MAX_CONTENT, MAX_ENTRIES
from chatbridge.main import create_app
from chatbridge.sections import Database
from tests.chatkit_client import Json, add, create, frames, items, retry
from tests.integration.http.asking import (
    GUARDED,
    NOBODYS,
    OPERATIONS,
    a_conversation,
    ask,
    operation,
    require_refused,
    somebody,
)
from tests.integration.http.living import living
from tests.ports import free_port
from tests.serving import Served, served, settings_for
from tests.tcp_proxy import proxied

JSON = {"Content-Type": "application/json"}
PATIENCE = 10.0
WITH_BODY = (
    ("POST", "/chatkit"),
    ("POST", f"/chatkit/threads/{NOBODYS}/cancel"),
    ("POST", "/api/alice/chat"),
    ("POST", "/api/alice/chatkit/session"),
    ("POST", f"/api/alice/conversations/{NOBODYS}/cancel"),
    ("PATCH", f"/api/alice/conversations/{NOBODYS}"),
)
DEAD_DATABASE = "postgresql://nobody:nothing@127.0.0.1:{port}/nowhere?connect_timeout=0.5"

_with_body = pytest.mark.parametrize(("method", "path"), WITH_BODY)


@pytest.fixture(scope="module")
async def thread_id(service: Served) -> str:
    """A conversation of alice's that refusals leave as it is."""
    return await a_conversation(service, "alice")


@pytest.fixture(scope="module")
async def in_process() -> AsyncGenerator[httpx.AsyncClient]:
    """Alice's client of an app without a server, which raises what the app raises."""
    container = Container(settings=settings_for("memory:"))
    app = create_app(container)
    headers = {"Authorization": f"Bearer {Served('', container).token('alice')}"}
    transport = httpx.ASGITransport(app)
    async with (
        living(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://chat.example", headers=headers
        ) as client,
    ):
        yield client


async def chatkit(service: Served, request: Json | str | bytes) -> httpx.Response:
    """Alice's request to the protocol; text goes out as it is."""
    body = request if isinstance(request, str | bytes) else json.dumps(request)
    return await service.as_user("alice").post("/chatkit", content=body, headers=JSON)


def said(thread_id: str, **changes: Any) -> Json:
    request = add(thread_id, "hello")
    request["params"]["input"] |= changes
    return request


def created(_: str, **changes: Any) -> Json:
    request = create("hello")
    request["params"]["input"] |= changes
    return request


def texts(*parts: str) -> list[Json]:
    return [{"type": "input_text", "text": part} for part in parts]


def tag(**changes: Any) -> list[Json]:
    return [{"type": "input_tag", "id": "t", "text": "tea", "data": {}, **changes}]


@_with_body
async def test_a_body_that_is_too_large_is_not_read_on(
    in_process: httpx.AsyncClient, method: str, path: str
) -> None:
    taken: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield b"x" * 65_536

    answer = await in_process.request(method, path, content=endless(), headers=JSON)
    require_refused(answer, 413, "too_large")
    assert len(taken) <= MAX_BODY / 65_536 + 2


@_with_body
async def test_a_body_that_says_it_is_too_large_is_not_read_at_all(
    in_process: httpx.AsyncClient, method: str, path: str
) -> None:
    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    headers = {**JSON, "Content-Length": str(MAX_BODY + 1)}
    answer = await in_process.request(method, path, content=never(), headers=headers)
    require_refused(answer, 413, "too_large")


@_with_body
async def test_a_served_body_that_is_too_large_is_refused(
    service: Served, method: str, path: str
) -> None:
    alice = service.as_user("alice")
    answer = await alice.request(method, path, content=b" " * (MAX_BODY + 1), headers=JSON)
    require_refused(answer, 413, "too_large")
    answer = await alice.request(method, path, content=_parts(), headers=JSON)
    require_refused(answer, 413, "too_large")


async def _parts() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b" " * 65_536


async def test_a_body_of_the_largest_size_is_read(service: Served) -> None:
    body = json.dumps(operation("threads.list", NOBODYS)).encode()
    answer = await chatkit(service, body + b" " * (MAX_BODY - len(body)))
    assert answer.status_code == 200


@_with_body
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_says_that_it_is_no_json_is_refused(
    service: Served, method: str, path: str, media_type: str
) -> None:
    answer = await service.as_user("alice").request(
        method, path, content=b"{}", headers={"Content-Type": media_type}
    )
    require_refused(answer, 415, "unsupported_media_type")


@_with_body
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nothing",
        b'{"a": 1}}',
        b'"\xff\xfe"',
        b"\xef\xbb\xbf{}",
        b"NaN",
        b'{"a": -Infinity}',
        b"[" * 30,
        b"1" * 5000,
        rb'{"a": "\ud800"}',
        rb'{"\udfff": 1}',
    ],
    ids=lambda body: body[:16].decode("latin-1"),
)
async def test_malformed_json_is_refused(
    service: Served, method: str, path: str, body: bytes
) -> None:
    answer = await service.as_user("alice").request(method, path, content=body, headers=JSON)
    require_refused(answer, 422, "malformed_json")


@_with_body
@pytest.mark.parametrize(
    "body", [rb'{"a": "b\u0000"}', rb'{"a\u0000": 1}', rb'[[{"a": ["\u0000"]}]]']
)
async def test_a_nul_is_refused_wherever_it_is(
    service: Served, method: str, path: str, body: bytes
) -> None:
    answer = await service.as_user("alice").request(method, path, content=body, headers=JSON)
    require_refused(answer, 422, "invalid_text")


@_with_body
async def test_a_number_that_json_can_not_write_again_is_refused(
    service: Served, method: str, path: str
) -> None:
    answer = await service.as_user("alice").request(
        method, path, content=b'{"a": [1e999]}', headers=JSON
    )
    require_refused(answer, 422, "invalid_number")


@pytest.mark.parametrize(
    "body",
    ["[]", "null", "1", '"threads.list"', "{}", '{"type": "threads.list"}', '{"params": {}}'],
)
async def test_json_that_is_no_operation_is_refused(service: Served, body: str) -> None:
    answer = await chatkit(service, body)
    assert answer.json()["code"] in ("invalid_request", "unknown_operation")
    require_refused(answer, 422, answer.json()["code"])


@pytest.mark.parametrize("type", ["threads.nope", "", "x" * 5000, {"a": 1}, None, 7, ["x"]])
async def test_an_unknown_operation_is_refused_without_repeating_it(
    service: Served, type: Any
) -> None:
    answer = await chatkit(service, {"type": type, "params": {}})
    problem = require_refused(answer, 422, "unknown_operation")
    assert "'threads.create'" in problem["detail"]
    assert "xxxx" not in problem["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"content": None},
        {"content": [{"type": "nope", "text": "a"}]},
        {"content": [{"type": "input_text"}]},
        {"content": [{"type": "input_text", "text": 7}]},
        {"content": texts("a") * (MAX_ENTRIES + 1)},
        {"attachments": "file_1"},
        {"quoted_text": 7},
        {"inference_options": []},
        {"inference_options": {"tool_choice": "add_task"}},
    ],
    ids=str,
)
async def test_a_message_of_the_wrong_form_is_refused(
    service: Served, thread_id: str, changes: Json
) -> None:
    answer = await chatkit(service, said(thread_id, **changes))
    problem = require_refused(answer, 422, "invalid_request")
    assert next(iter(changes)) in problem["detail"]


@pytest.mark.parametrize("request_of", [said, created])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"content": texts("")}, "empty_text"),
        ({"content": texts(" \n\t ", "\u2003")}, "empty_text"),
        ({"content": []}, "empty_text"),
        ({"content": texts("x" * (MAX_CONTENT + 1))}, "text_too_long"),
        ({"content": texts("x" * MAX_CONTENT, "y")}, "text_too_long"),
        ({"content": [*texts("a"), *tag(data={"a": ["x" * 30_000] * 3})]}, "data_too_large"),
        ({"content": [*texts("a"), *tag(group="x" * 30_000) * 3]}, "data_too_large"),
        ({"quoted_text": "x" * (MAX_CONTENT + 1)}, "text_too_long"),
        ({"inference_options": {"model": "large"}}, "model_not_offered"),
        ({"inference_options": {"tool_choice": {"id": "add_task"}}}, "tool_not_offered"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_message_that_can_not_be_kept_is_refused(
    service: Served, thread_id: str, request_of: Any, changes: Json, code: str
) -> None:
    before = (await chatkit(service, items(thread_id))).json()
    problem = require_refused(await chatkit(service, request_of(thread_id, **changes)), 422, code)
    # nothing is offered here, and nobody is told to choose of nothing
    assert "choose one of" not in problem["detail"]
    assert (await chatkit(service, items(thread_id))).json() == before


@pytest.mark.parametrize("bad", [r"\u0000", r"\ud800", r"\udc00x"])
@pytest.mark.parametrize(
    "where",
    [
        said("T", content=texts("@")),
        said("T", quoted_text="@"),
        said("T", content=[*texts("a"), *tag(id="@")]),
        said("T", content=[*texts("a"), *tag(data={"deep": [{"@": 1}]})]),
        said("T", inference_options={"model": "@"}),
        said("T", inference_options={"tool_choice": {"id": "@"}}),
        said("T") | {"metadata": {"a": "@"}},
        said("@"),
        create("@"),
        operation("threads.update", "T") | {"params": {"thread_id": "T", "title": "@"}},
        operation("threads.list", "") | {"params": {"after": "@"}},
        items("T", after="@"),
        items("@"),
        retry("T", "@"),
        operation("items.feedback", "T")
        | {"params": {"thread_id": "T", "item_ids": ["@"], "kind": "positive"}},
        operation("threads.delete", "@"),
        {"type": "@", "params": {}},
    ],
    ids=lambda value: json.dumps(value)[:60],
)
async def test_text_that_can_not_be_kept_is_refused_wherever_it_is(
    service: Served, thread_id: str, where: Json, bad: str
) -> None:
    body = json.dumps(where).replace('"T"', f'"{thread_id}"').replace("@", bad)
    answer = await chatkit(service, body)
    require_refused(answer, 422, "invalid_text" if bad == r"\u0000" else "malformed_json")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/alice/chat", {"message": "@"}),
        ("POST", "/api/alice/chat", {"message": "a", "conversation_id": "@"}),
        ("PATCH", f"/api/alice/conversations/{NOBODYS}", {"title": "@"}),
        ("POST", "/api/alice/chatkit/session", {"conversation_id": "@"}),
    ],
)
@pytest.mark.parametrize("bad", [r"\u0000", r"\ud800"])
async def test_the_rest_api_refuses_it_too(
    service: Served, method: str, path: str, body: Json, bad: str
) -> None:
    answer = await service.as_user("alice").request(
        method, path, content=json.dumps(body).replace("@", bad), headers=JSON
    )
    require_refused(answer, 422, "invalid_text" if bad == r"\u0000" else "malformed_json")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"message": None},
        {"message": "a", "conversation_id": "a/b"},
        {"message": "a", "conversation_id": "x" * 129},
        {"message": "a", "conversation_id": "a\n"},
        {"message": "a", "user_id": "bob"},
        {"message": "a", "y" * 5000: 1},
    ],
    ids=lambda value: str(value)[:50],
)
async def test_a_chat_of_the_wrong_form_is_refused(service: Served, body: Any) -> None:
    answer = await service.as_user("alice").post("/api/alice/chat", json=body)
    require_refused(answer, 422, "invalid_request")


@pytest.mark.parametrize("message", ["", " \n ", "\u2003"])
async def test_a_chat_without_text_is_refused(service: Served, message: str) -> None:
    answer = await service.as_user("alice").post("/api/alice/chat", json={"message": message})
    require_refused(answer, 422, "empty_text")


async def test_a_chat_without_a_body_is_refused(service: Served) -> None:
    require_refused(await service.as_user("alice").post("/api/alice/chat"), 422, "invalid_request")
    require_refused(await service.as_user("alice").post("/chatkit"), 422, "malformed_json")


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
async def test_a_title_that_is_none_is_refused(service: Served, thread_id: str, title: str) -> None:
    request = {"type": "threads.update", "params": {"thread_id": thread_id, "title": title}}
    require_refused(await chatkit(service, request), 422, "invalid_title")
    path = f"/api/alice/conversations/{thread_id}"
    answer = await service.as_user("alice").patch(path, json={"title": title})
    assert answer.json()["code"] in ("invalid_title", "invalid_request")
    require_refused(answer, 422, answer.json()["code"])


@pytest.mark.parametrize("limit", [0, -1, 101, 2**63, 2**200])
async def test_a_limit_out_of_bounds_is_refused(
    service: Served, thread_id: str, limit: int
) -> None:
    alice = service.as_user("alice")
    for request in (
        items(thread_id, limit=limit),
        {"type": "threads.list", "params": {"limit": limit}},
    ):
        answer = await chatkit(service, request)
        if limit < 1:
            require_refused(answer, 422, "invalid_limit")
        else:
            # more than is allowed gets a page of what is
            assert answer.status_code == 200
            assert len(answer.json()["data"]) <= 100
    for path in ("conversations", f"conversations/{thread_id}/messages"):
        answer = await alice.get(f"/api/alice/{path}", params={"limit": limit})
        require_refused(answer, 422, "invalid_request")


@pytest.mark.parametrize("limit", ["many", "", "1.5", "1" * 5000, "\0"])
async def test_a_limit_that_is_no_number_is_refused(service: Served, limit: str) -> None:
    answer = await service.as_user("alice").get("/api/alice/conversations", params={"limit": limit})
    require_refused(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "bm9uc2Vuc2U",
        "MTIzOg\0",
        "\u00e9",
        "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ",
        "LTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ",
        "bmFuOmE",
        "MTp4AA",
        "====",
        "msg_00000000000000000000000000000000",
    ],
)
async def test_a_cursor_that_no_page_gave_is_refused(
    service: Served, thread_id: str, cursor: str
) -> None:
    alice = service.as_user("alice")
    for path in ("conversations", f"conversations/{thread_id}/messages"):
        answer = await alice.get(f"/api/alice/{path}", params={"after": cursor})
        require_refused(answer, 422, "invalid_cursor")
    code = "invalid_text" if "\0" in cursor else "invalid_cursor"
    for request in (
        items(thread_id, after=cursor),
        {"type": "threads.list", "params": {"after": cursor}},
    ):
        require_refused(await chatkit(service, request), 422, code)


async def test_an_order_that_is_none_is_refused(service: Served, thread_id: str) -> None:
    require_refused(await chatkit(service, items(thread_id, order="up")), 422, "invalid_request")
    answer = await service.as_user("alice").get("/api/alice/conversations", params={"order": "up"})
    require_refused(answer, 422, "invalid_request")


async def test_only_a_persons_message_is_answered_again(service: Served, thread_id: str) -> None:
    kept = (await chatkit(service, items(thread_id))).json()["data"]
    answered = next(item["id"] for item in kept if item["type"] == "assistant_message")
    require_refused(await chatkit(service, retry(thread_id, answered)), 422, "not_retryable")
    assert (await chatkit(service, items(thread_id))).json()["data"] == kept


async def test_an_unknown_message_can_not_be_answered_again(
    service: Served, thread_id: str
) -> None:
    answer = await chatkit(service, retry(thread_id, "msg_unknown"))
    require_refused(answer, 404, "message_not_found")
    assert b"data:" not in answer.content


@pytest.mark.parametrize("status", ["locked", "closed"])
async def test_a_conversation_that_takes_no_messages_says_so(service: Served, status: str) -> None:
    user = somebody()
    client = service.as_user(user)
    body = {"message": "hello"}
    id = (await client.post(f"/api/{user}/chat", json=body)).json()["conversation_id"]
    path, said = (
        f"/api/{user}/conversations/{id}",
        {"status": status, "status_reason": "It is over."},
    )
    changed = await client.patch(path, json={**said, "title": "Over"})
    assert {**changed.json(), **said, "title": "Over"} == changed.json()
    answer = await client.post("/chatkit", json=add(id, "hello"))
    require_refused(answer, 409, "conversation_closed")
    assert b"data:" not in answer.content
    again = {**body, "conversation_id": id}
    require_refused(await client.post(f"/api/{user}/chat", json=again), 409, "conversation_closed")
    shown = (await client.post("/chatkit", json=operation("threads.get_by_id", id))).json()
    assert shown["status"] == {"type": status, "reason": "It is over."}
    assert len(shown["items"]["data"]) == 2
    other = somebody()
    theirs = service.as_user(other).patch(f"/api/{other}/conversations/{id}", json=said)
    require_refused(await theirs, 403, "forbidden")
    blank = await client.patch(path, json={"status": status, "status_reason": "  "})
    assert blank.json()["status_reason"] is None
    reopened = (await client.patch(path, json={"status": "active"})).json()
    assert (reopened["status"], reopened["status_reason"]) == ("active", None)
    assert (await client.post(f"/api/{user}/chat", json=again)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "asleep"},
        {"status_reason": "why"},
        {"status": "active", "status_reason": "why"},
        {"status": "locked", "status_reason": "x" * 501},
    ],
)
async def test_a_change_that_is_none_is_refused(service: Served, body: dict[str, str]) -> None:
    user = somebody()
    path = f"/api/{user}/conversations/conv_1"
    require_refused(await service.as_user(user).patch(path, json=body), 422, "invalid_request")


@pytest.mark.parametrize(
    "path",
    ["/nope", "/page", "/api", "/api/alice", "/api/alice/nope", "/chatkit/x", "/%00", "/%ff"],
)
async def test_an_unknown_path_is_a_problem_document(service: Served, path: str) -> None:
    require_refused(await service.as_user("alice").get(path), 404, "no_such_path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/chatkit", "POST"),
        ("PUT", "/api/alice/chat", "POST"),
        ("POST", "/api/alice/conversations", "GET"),
        ("PUT", f"/api/alice/conversations/{NOBODYS}", "DELETE, GET, PATCH"),
        ("DELETE", "/healthz", "GET"),
    ],
)
async def test_an_unknown_method_is_a_problem_document(
    service: Served, method: str, path: str, allowed: str
) -> None:
    answer = await service.as_user("alice").request(method, path)
    require_refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("id", ["%00", "a%00b", "%ff", "%20", "a%0a", "x" * 129, "%2e%2e%5c", "é"])
async def test_a_path_that_names_no_possible_conversation_is_refused(
    service: Served, id: str
) -> None:
    alice, path = service.as_user("alice"), f"/api/alice/conversations/{id}"
    for answer in (
        await alice.get(path),
        await alice.patch(path, json={"title": "A"}),
        await alice.delete(path),
        await alice.get(f"{path}/messages"),
        await alice.post(f"{path}/cancel"),
    ):
        require_refused(answer, 422, "invalid_request")


@pytest.mark.parametrize("user", ["%00", "alice%00", "%ff", "Alice", "alice%20"])
async def test_a_path_that_names_nobody_is_somebody_elses(service: Served, user: str) -> None:
    answer = await service.as_user("alice").get(f"/api/{user}/conversations")
    require_refused(answer, 403, "not_your_account")


@pytest.mark.parametrize("host", ["[", "a b", "x/y", "", "é".encode("latin-1")])
async def test_a_strange_host_is_no_server_error(service: Served, host: str | bytes) -> None:
    alice = service.as_user("alice")
    answer = await alice.post("/api/alice/chatkit/session", headers={"Host": host})
    assert answer.status_code < 500


async def _all_at_once(client: httpx.AsyncClient) -> list[httpx.Response]:
    async def timed(answer: Any) -> httpx.Response:
        begun = time.monotonic()
        response = await answer
        assert time.monotonic() - begun < PATIENCE
        return response

    routes = [timed(ask(client, route, "alice")) for route in GUARDED]
    operations = [
        timed(client.post("/chatkit", json=operation(name, NOBODYS)))
        for name in OPERATIONS
        if name != "input.transcribe"
    ]
    return list(await asyncio.gather(*routes, *operations))


def _needs_database(answer: httpx.Response) -> bool:
    return not answer.request.url.path.endswith(("/session", "/menus", "/transcriptions"))


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
async def test_a_database_that_is_away_is_said_to_be(kind: str) -> None:
    port = free_port()
    loop = asyncio.get_running_loop()
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", port)
    if kind == "refuses":
        silent.close()
    try:
        async with served(settings_for(DEAD_DATABASE.format(port=port))) as alone:
            for answer in await _all_at_once(alone.as_user("alice")):
                if _needs_database(answer):
                    require_refused(answer, 503, "database_unavailable")
                else:
                    assert answer.status_code in (200, 501)
            client = alone.as_user(None)
            assert (await client.get("/healthz")).status_code == 200
            ready = await client.get("/readyz")
            assert ready.json()["code"] in ("database_unavailable", "database_slow")
            require_refused(ready, 503, ready.json()["code"])
    finally:
        silent.close()


async def readiness(client: httpx.AsyncClient, status: int) -> httpx.Response:
    """What it says as soon as it is this: for a second it says what it said."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await client.get("/readyz")
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.05)


async def test_a_service_whose_database_goes_away_says_so_and_comes_back(
    fresh_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with proxied(fresh_database) as (proxy, url), served(settings_for(url)) as here:
        alice, nobody = here.as_user("alice"), here.as_user(None)
        kept = await a_conversation(here, "alice")
        assert (await nobody.get("/readyz")).status_code == 200
        # what an earlier test has left away is back
        caplog.clear()
        await proxy.stop()
        for answer in await _all_at_once(alice):
            if _needs_database(answer):
                require_refused(answer, 503, "database_unavailable")
        require_refused(await readiness(nobody, 503), 503, "database_unavailable")
        assert (await nobody.get("/healthz")).status_code == 200
        await proxy.start()
        assert (await readiness(nobody, 200)).status_code == 200
        listed = (await alice.get("/api/alice/conversations")).json()["items"]
        assert [entry["id"] for entry in listed] == [kept]
    told = [each.getMessage() for each in caplog.records]
    seen = [line for line in told if line.startswith(("database: away", "database: back"))]
    assert seen[0].startswith("database: away (")
    assert re.fullmatch(r"database: back after \d+ s", seen[-1])


async def test_a_database_without_the_schema_is_said_to_have_none(postgres_url: str) -> None:
    database = Database(url=SecretStr(postgres_url), schema="never_migrated")
    bare = settings_for(postgres_url).model_copy(update={"database": database})
    async with served(bare) as here:
        for answer in await _all_at_once(here.as_user("alice")):
            if _needs_database(answer):
                problem = require_refused(answer, 503, "schema_missing")
                assert "chatbridge migrate" in problem["detail"]
        require_refused(await here.as_user(None).get("/readyz"), 503, "schema_missing")


_EVENT: TypeAdapter[Any] = TypeAdapter(ThreadStreamEvent)

_flat = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_lists = st.lists(_flat, max_size=3)
_json = _flat | _lists | st.dictionaries(st.text(), _flat | _lists, max_size=3)
# what no rule about text or numbers refuses
_word = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
_content = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["input_text", "input_tag"]),
        "text": _word,
        "id": _word,
        "data": st.dictionaries(_word, st.integers() | _word, max_size=3),
    }
)
_input = st.fixed_dictionaries(
    {
        "content": st.lists(_content, min_size=1, max_size=3),
        "attachments": st.just([]),
        "inference_options": st.just({}),
        "quoted_text": st.none() | _word,
    }
)
_well_formed = {
    "thread_id": st.just(NOBODYS) | _word,
    "item_id": _word,
    "item_ids": st.lists(_word, max_size=3),
    "title": _word,
    "kind": st.sampled_from(["positive", "negative"]),
    "limit": st.sampled_from([None, 1, 100, 101, 0, -1]),
    "after": st.none() | _word,
    "order": st.sampled_from(["asc", "desc"]),
    "input": _input,
    "action": st.fixed_dictionaries({"type": _word, "payload": _json}),
    "name": _word,
    "size": st.integers(),
    "mime_type": _word,
    "attachment_id": _word,
    "audio_base64": _word,
    "result": st.integers() | _word,
}
_any_form = {name: each | _json for name, each in _well_formed.items()}


def _operations(params: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    type = st.sampled_from(OPERATIONS)
    return st.fixed_dictionaries({"type": type, "params": params})


_requests = {
    "well-formed": _operations(st.fixed_dictionaries(_well_formed)),
    "of any form": _operations(st.fixed_dictionaries({}, optional=_any_form)),
    "no operation": _json,
}
# most of them well-formed: the others are refused at the door
_kinds = st.sampled_from(["well-formed"] * 6 + ["of any form"] * 3 + ["no operation"])


@given(request=_kinds.flatmap(_requests.__getitem__))
@settings(max_examples=150, derandomize=True)
async def test_whatever_json_is_sent_the_answer_is_whole(
    in_process: httpx.AsyncClient, request: Any
) -> None:
    answer = await in_process.post("/chatkit", content=json.dumps(request), headers=JSON)
    if answer.status_code != 200:
        assert answer.status_code in (404, 422, 501)
        require_refused(answer, answer.status_code, answer.json()["code"])
    elif answer.headers["content-type"].startswith("text/event-stream"):
        told = [_EVENT.validate_python(event) for event in frames(answer.text)]
        assert [event.type for event in told][-1] != "error"
    else:
        assert isinstance(answer.json(), dict)
