"""Who may ask what: every route and every operation of the protocol, for everybody."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest

from chatbridge.adapters.jwt import token_issuer
from chatbridge.adapters.jwt.service_keys import new_service_key
from chatbridge.container import Container
from chatbridge.domain.model.caller import CHAT_SESSION, DEVELOPMENT, TASKS_TOOLS, Caller
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.main import create_app
from tests.chatkit_client import add, create, items, say
from tests.integration.http.asking import (
    ACTIONS,
    ANSWERED,
    ASKED,
    FOR_SERVICES,
    FOR_SESSIONS,
    GUARDED,
    NOBODYS,
    OF_A_USER,
    OF_ONE_CONVERSATION,
    OF_ONE_THREAD,
    OPERATIONS,
    SERVICE_KEY,
    STREAMED,
    TAKES_ONE_CONVERSATION,
    a_conversation,
    ask,
    operation,
    require_refused,
    somebody,
)
from tests.integration.http.published import ROUTES, Route
from tests.serving import Served, served, settings_for

GARBAGE = ("x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", "x" * 20_000)

_guarded = pytest.mark.parametrize("route", GUARDED, ids=" ".join)
_of_a_user = pytest.mark.parametrize("route", OF_A_USER, ids=" ".join)
_of_one_conversation = pytest.mark.parametrize("route", OF_ONE_CONVERSATION, ids=" ".join)
_takes_one = pytest.mark.parametrize("route", TAKES_ONE_CONVERSATION, ids=" ".join)
_operations = pytest.mark.parametrize("name", OPERATIONS)
_of_one_thread = pytest.mark.parametrize("name", OF_ONE_THREAD)


@pytest.fixture(scope="module")
async def alices(service: Served) -> str:
    """A conversation of alice's, which nobody in this module may change."""
    return await a_conversation(service, "alice")


def bearing(service: Served, token: str) -> httpx.AsyncClient:
    client = service.as_user(None)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def issued(service: Served, caller: Caller, audience: str) -> str:
    issuer = service.container.issuer()
    return issuer.issue(caller, audience=audience, lifetime=timedelta(hours=1)).token


def expired(
    service: Served, monkeypatch: pytest.MonkeyPatch, user: str, audience: str = DEVELOPMENT
) -> str:
    """A token that was good until an hour ago."""
    two_hours_ago = SimpleNamespace(time=lambda: time.time() - 7200)
    with monkeypatch.context() as patched:
        patched.setattr(token_issuer, "time", two_hours_ago)
        via = "session" if audience == CHAT_SESSION else "token"
        return issued(service, Caller(user_id=UserId(user), via=via), audience)


async def session_of(service: Served, user: str, conversation_id: str | None = None) -> str:
    body = {"conversation_id": conversation_id} if conversation_id else {}
    answer = await service.as_user(user).post(f"/api/{user}/chatkit/session", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["client_secret"]


async def as_it_is(service: Served, user: str, conversation_id: str) -> object:
    client, path = service.as_user(user), f"/api/{user}/conversations/{conversation_id}"
    return [(await client.get(path)).json(), (await client.get(f"{path}/messages")).json()]


@asynccontextmanager
async def in_process(
    peer: str, container: Container
) -> AsyncGenerator[tuple[Served, httpx.AsyncClient]]:
    """The app without a server, as a peer at this address sees it."""
    app = create_app(container)
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://chat.example") as client,
    ):
        yield Served("http://chat.example", container), client


def test_the_matrix_has_all_routes_and_operations() -> None:
    assert len(ROUTES) == 33
    assert len(OPERATIONS) == 16
    assert len(STREAMED + ANSWERED + ASKED + ACTIONS) == len(OPERATIONS)
    assert {operation(name, "t")["type"] for name in OPERATIONS} == set(OPERATIONS)


async def test_every_route_asks_who_is_calling(service: Served) -> None:
    app = create_app(service.container)
    served_paths = {route.path for route in app.routes if hasattr(route, "path")}
    documentation = {"/openapi.json", "/docs"}
    client = service.as_user(None)
    for path in served_paths - documentation:
        for method in ("GET", "POST", "DELETE"):
            assert (await client.request(method, path)).status_code == 401, (method, path)
    for route in ROUTES:
        answered = (await ask(client, route, "alice")).status_code
        keyed = route == ("POST", "/development/token")
        assert (answered == 401) == (keyed or route in GUARDED), route


@_guarded
async def test_a_route_answers_nobody_without_a_token(service: Served, route: Route) -> None:
    answer = await ask(service.as_user(None), route, "alice")
    require_refused(answer, 401, "token_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@_guarded
async def test_a_route_answers_no_garbage(service: Served, route: Route) -> None:
    for garbage in GARBAGE:
        answer = await ask(bearing(service, garbage), route, "alice")
        assert (answer.status_code, answer.json()["status"]) == (401, 401)
        require_refused(answer, 401, answer.json()["code"])


@_guarded
async def test_a_route_takes_no_expired_token(
    service: Served, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = bearing(service, expired(service, monkeypatch, "alice"))
    require_refused(await ask(client, route, "alice"), 401, "token_expired")


async def test_another_scheme_is_no_token(service: Served) -> None:
    client = service.as_user(None)
    for header in ("Basic YWxpY2U6", "Bearer", service.token("alice")):
        client.headers["Authorization"] = header
        answer = await client.get("/api/alice/conversations")
        require_refused(answer, 401, "token_missing")


@_operations
async def test_an_operation_is_for_nobody_without_a_good_token(
    service: Served, name: str, alices: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = await service.as_user(None).post("/chatkit", json=operation(name, alices))
    require_refused(nobody, 401, "token_missing")
    late = bearing(service, expired(service, monkeypatch, "alice"))
    answer = await late.post("/chatkit", json=operation(name, alices))
    require_refused(answer, 401, "token_expired")


async def test_who_is_unknown_is_refused_before_the_body_is_read(service: Served) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = await service.as_user(None).post("/chatkit", content=b"{" * 2_000_000, headers=headers)
    require_refused(answer, 401, "token_missing")


@_of_a_user
async def test_a_route_is_for_the_user_of_its_path_only(
    service: Served, route: Route, alices: str
) -> None:
    answer = await ask(service.as_user("bob"), route, "alice", alices)
    require_refused(answer, 403, "not_your_account")


@_of_one_conversation
async def test_somebody_elses_conversation_is_forbidden(
    service: Served, route: Route, alices: str
) -> None:
    before = await as_it_is(service, "alice", alices)
    require_refused(await ask(service.as_user("bob"), route, "bob", alices), 403, "forbidden")
    assert await as_it_is(service, "alice", alices) == before


@_takes_one
async def test_nothing_begins_in_somebody_elses_conversation(
    service: Served, route: Route, alices: str
) -> None:
    bob = service.as_user("bob")
    for accepted in ("application/json", "text/event-stream"):
        bob.headers["Accept"] = accepted
        answer = await ask(bob, route, "bob", body={"conversation_id": alices})
        require_refused(answer, 403, "forbidden")


@_of_one_thread
async def test_somebody_elses_thread_is_forbidden(service: Served, name: str, alices: str) -> None:
    before = await as_it_is(service, "alice", alices)
    answer = await service.as_user("bob").post("/chatkit", json=operation(name, alices))
    require_refused(answer, 403, "forbidden")
    assert b"data:" not in answer.content
    assert await as_it_is(service, "alice", alices) == before


@_of_one_conversation
async def test_nobodys_conversation_is_not_found(service: Served, route: Route) -> None:
    answer = await ask(service.as_user("bob"), route, "bob", NOBODYS)
    require_refused(answer, 404, "conversation_not_found")


@_takes_one
async def test_nothing_begins_in_nobodys_conversation(service: Served, route: Route) -> None:
    bob = service.as_user("bob")
    answer = await ask(bob, route, "bob", body={"conversation_id": NOBODYS})
    require_refused(answer, 404, "conversation_not_found")


@_of_one_thread
async def test_nobodys_thread_is_not_found(service: Served, name: str) -> None:
    answer = await service.as_user("bob").post("/chatkit", json=operation(name, NOBODYS))
    require_refused(answer, 404, "conversation_not_found")
    assert b"data:" not in answer.content


@pytest.mark.parametrize("name", ACTIONS)
async def test_what_nobody_has_shown_can_not_be_clicked(
    service: Served, name: str, alices: str
) -> None:
    answer = await service.as_user("alice").post("/chatkit", json=operation(name, alices))
    require_refused(answer, 409, "action_not_offered")


@_guarded
async def test_a_session_is_good_for_the_protocol_only(service: Served, route: Route) -> None:
    user = somebody()
    mine = await a_conversation(service, user)
    answer = await ask(bearing(service, await session_of(service, user)), route, user, mine)
    if route in FOR_SESSIONS:
        assert answer.is_success
    else:
        require_refused(answer, 401, "session_not_accepted")


async def test_a_session_is_good_for_its_user_only(service: Served, alices: str) -> None:
    bob = bearing(service, await session_of(service, "bob"))
    answer = await bob.post("/chatkit", json=items(alices))
    require_refused(answer, 403, "forbidden")
    begun, _ = await say(bob, create("hello"))
    answer = await service.as_user("alice").post("/chatkit", json=items(begun))
    require_refused(answer, 403, "forbidden")


async def test_a_bound_session_is_good_for_its_conversation(service: Served) -> None:
    user = somebody()
    mine = await a_conversation(service, user)
    session = bearing(service, await session_of(service, user, mine))
    assert (await session.post("/chatkit", json=items(mine))).status_code == 200
    thread_id, told = await say(session, add(mine, "hello again"))
    assert thread_id == mine
    assert "thread.item.done" in {event["type"] for event in told}


@_operations
async def test_a_bound_session_is_good_for_no_other_request(service: Served, name: str) -> None:
    user = somebody()
    mine, other = await a_conversation(service, user), await a_conversation(service, user)
    session = bearing(service, await session_of(service, user, mine))
    answer = await session.post("/chatkit", json=operation(name, other))
    if name == "input.transcribe":
        # who may write in a conversation may say it, too
        require_refused(answer, 501, "dictation_not_configured")
    else:
        require_refused(answer, 403, "session_is_bound")


async def test_a_bound_session_reaches_no_other_conversation(service: Served) -> None:
    user = somebody()
    mine, other = await a_conversation(service, user), await a_conversation(service, user)
    session = bearing(service, await session_of(service, user, mine))
    for route in (route for route in FOR_SESSIONS if "{thread_id}" in route[1]):
        assert (await ask(session, route, user, mine)).is_success
        for thread_id in (other, NOBODYS):
            answer = await ask(session, route, user, thread_id)
            require_refused(answer, 403, "session_is_bound")


async def test_a_request_can_not_name_two_threads_to_a_bound_session(service: Served) -> None:
    user = somebody()
    mine, other = await a_conversation(service, user), await a_conversation(service, user)
    session = bearing(service, await session_of(service, user, mine))
    for first, last in ((mine, other), (other, mine)):
        params = f'{{"thread_id": "{first}", "thread_id": "{last}"}}'
        for body in (
            f'{{"type": "threads.get_by_id", "params": {params}}}',
            f'{{"type": "threads.get_by_id", "params": {{"thread_id": "{first}"}}, '
            f'"params": {{"thread_id": "{last}"}}}}',
        ):
            answer = await session.post(
                "/chatkit", content=body, headers={"Content-Type": "application/json"}
            )
            assert other not in answer.text
            assert answer.status_code == (200 if last == mine else 403)


async def test_nobody_gets_a_session_for_what_is_not_theirs(service: Served, alices: str) -> None:
    bob = service.as_user("bob")
    for thread_id, status, code in (
        (alices, 403, "forbidden"),
        (NOBODYS, 404, "conversation_not_found"),
    ):
        answer = await bob.post("/api/bob/chatkit/session", json={"conversation_id": thread_id})
        require_refused(answer, status, code)


async def test_a_session_that_names_a_conversation_of_another_user_opens_nothing(
    service: Served, alices: str
) -> None:
    caller = Caller(user_id=UserId("bob"), via="session", conversation_id=ConversationId(alices))
    session = bearing(service, issued(service, caller, CHAT_SESSION))
    require_refused(await session.post("/chatkit", json=items(alices)), 403, "forbidden")


async def test_an_expired_session_is_refused(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = bearing(service, expired(service, monkeypatch, "alice", CHAT_SESSION))
    answer = await session.post("/chatkit", json=operation("threads.list", NOBODYS))
    require_refused(answer, 401, "token_expired")


@_guarded
async def test_a_service_key_is_good_for_making_sessions_only(
    service: Served, route: Route
) -> None:
    user = somebody()
    mine = await a_conversation(service, user)
    answer = await ask(bearing(service, SERVICE_KEY.key), route, user, mine)
    if route in FOR_SERVICES:
        assert answer.status_code == 200
    else:
        require_refused(answer, 401, "service_key_not_accepted")


@_operations
async def test_a_service_key_is_good_for_no_operation(
    service: Served, name: str, alices: str
) -> None:
    back_end = bearing(service, SERVICE_KEY.key)
    answer = await back_end.post("/chatkit", json=operation(name, alices))
    require_refused(answer, 401, "service_key_not_accepted")


@_guarded
async def test_an_unknown_service_key_is_refused_everywhere(service: Served, route: Route) -> None:
    answer = await ask(bearing(service, new_service_key().key), route, "alice")
    require_refused(answer, 401, "unknown_service_key")


async def test_a_service_key_opens_no_tools(service: Served) -> None:
    answer = await bearing(service, SERVICE_KEY.key).post("/mcp/tasks", json={})
    assert answer.status_code == 401


async def test_a_session_that_a_service_asked_for_is_the_users_whom_it_named(
    service: Served,
) -> None:
    user, other = somebody(), somebody()
    back_end = bearing(service, SERVICE_KEY.key)
    made = await back_end.post(f"/api/{user}/chatkit/session", json={})
    session = bearing(service, made.json()["client_secret"])
    begun, _ = await say(session, create("hello"))
    assert (await session.post("/chatkit", json=items(begun))).status_code == 200
    assert (await service.as_user(user).post("/chatkit", json=items(begun))).status_code == 200
    answer = await service.as_user(other).post("/chatkit", json=items(begun))
    require_refused(answer, 403, "forbidden")
    answer = await ask(session, ("GET", "/api/{user_id}/conversations"), user)
    require_refused(answer, 401, "session_not_accepted")


async def test_a_service_binds_a_session_to_a_conversation_of_the_user_only(
    service: Served, alices: str
) -> None:
    back_end = bearing(service, SERVICE_KEY.key)
    for user, thread_id, status, code in (
        ("alice", alices, 200, ""),
        ("bob", alices, 403, "forbidden"),
        ("alice", NOBODYS, 404, "conversation_not_found"),
    ):
        answer = await back_end.post(
            f"/api/{user}/chatkit/session", json={"conversation_id": thread_id}
        )
        if status == 200:
            assert answer.json()["conversation_id"] == thread_id
        else:
            require_refused(answer, status, code)


@pytest.mark.parametrize("user", ["a%20b", "%00", "%2E%2E", "u" * 129, "%C3%A4", "%ED%A0%80"])
@pytest.mark.parametrize("body", [{}, {"conversation_id": NOBODYS}])
async def test_a_service_names_nobody_who_could_not_sign_in(
    service: Served, user: str, body: dict[str, str]
) -> None:
    answer = await bearing(service, SERVICE_KEY.key).post(f"/api/{user}/chatkit/session", json=body)
    require_refused(answer, 422, "user_id")


async def test_a_service_key_is_good_in_production_without_a_sign_ins_token() -> None:
    sign_in = {
        "secret": "the sign-in's shared secret, long enough",
        "issuer": "https://sign-in.example",
        "audience": "https://chat.example",
    }
    settings = settings_for(
        "memory:",
        environment="production",
        allow=["offline_model"],
        auth=sign_in,
        service_keys=[SERVICE_KEY.hash],
    )
    async with in_process("203.0.113.7", Container(settings=settings)) as (_, client):
        client.headers["Authorization"] = f"Bearer {SERVICE_KEY.key}"
        made = await client.post("/api/alice/chatkit/session")
        client.headers["Authorization"] = f"Bearer {made.json()['client_secret']}"
        assert (await client.post("/chatkit", json=operation("threads.list", "t"))).is_success


@_guarded
async def test_a_token_of_the_tools_is_no_users_token(service: Served, route: Route) -> None:
    tools = issued(service, Caller(user_id=UserId("alice")), TASKS_TOOLS)
    answer = await ask(bearing(service, tools), route, "alice")
    require_refused(answer, 401, "wrong_audience")


@pytest.mark.parametrize("audience", [DEVELOPMENT, CHAT_SESSION])
async def test_a_users_token_opens_no_tools(service: Served, audience: str) -> None:
    token = issued(service, Caller(user_id=UserId("alice")), audience)
    answer = await bearing(service, token).post("/mcp/tasks", json={})
    assert answer.status_code == 401


async def test_a_development_token_is_refused_outside_development() -> None:
    sign_in = {
        "secret": "the sign-in's shared secret, long enough",
        "issuer": "https://sign-in.example",
        "audience": "https://chat.example",
    }
    settings = settings_for(
        "memory:", environment="production", allow=["offline_model"], auth=sign_in
    )
    async with served(settings) as production:
        for route in GUARDED:
            answer = await ask(production.as_user("alice"), route, "alice")
            require_refused(answer, 401, "development_token")


async def test_many_who_ask_at_once_see_their_own_only(service: Served) -> None:
    users = [somebody() for _ in range(6)]
    begun = await asyncio.gather(*(a_conversation(service, user) for user in users))
    for user, thread_id in zip(users, begun, strict=True):
        answer = await service.as_user(user).get(f"/api/{user}/conversations")
        assert [entry["id"] for entry in answer.json()["items"]] == [thread_id]


@pytest.mark.parametrize("name", STREAMED)
async def test_a_refused_stream_keeps_nothing(service: Served, name: str, alices: str) -> None:
    user = somebody()
    client = service.as_user(user)
    request = operation(name, alices)
    request["params"].setdefault("input", {})["attachments"] = ["file_1"]
    answer = await client.post("/chatkit", json=request)
    assert answer.status_code in (403, 404, 422), answer.text
    listed = await client.get(f"/api/{user}/conversations")
    assert listed.json()["items"] == []
