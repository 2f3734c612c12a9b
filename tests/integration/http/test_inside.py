"""Inside an application of somebody else's, with a sign-in of its own."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx
import pytest
from agents import Agent, RunContextWrapper, function_tool
from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)
from fastapi import FastAPI, HTTPException, Request

from chatbridge import Asked, Bridge, Caller
from chatbridge.domain.model.errors import Forbidden, Unavailable
from tests.chatkit_client import Json, create, events, frames, items
from tests.hosts.bare import PlainStore
from tests.integration.http.asking import SERVICE_KEY
from tests.ports import free_port
from tests.serving import NO_AUTHORITIES, SECRET, serving

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "inside_fastapi.py"
SETTINGS: dict[str, object] = {
    "CHATBRIDGE_SECRET": SECRET,
    "CHATBRIDGE_DATABASE__URL": "memory:",
    "CHATBRIDGE_SERVICE_KEYS": [SERVICE_KEY.hash],
}
PRODUCTION = {"CHATBRIDGE_ENVIRONMENT": "production", "CHATBRIDGE_ALLOW": "offline_model"}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
IDS = {
    "number": 7,
    "in_caller": Caller(user_id=7),
    "uuid": UUID(int=7),
    "bad": "no user/",
    "true": True,
}
REFUSALS: dict[str, Exception] = {
    "ours": Forbidden("Your contract has ended.", code="contract_ended"),
    "away": Unavailable("The accounts are away.", code="accounts_away"),
    "http": HTTPException(402, "Pay first."),
    "nowhere": HTTPException(404, "No such tenant."),
    "login": HTTPException(303, "Sign in.", headers={"Location": "/sign-in"}),
    "strange": HTTPException(499, {"why": "strange"}),
    "broken": RuntimeError("private"),
}


@function_tool
def whoami(context: RunContextWrapper[Any]) -> str:
    """What a tool knows of who asks."""
    found = context.context
    told = {"claims": found.claims, "headers": dict(found.headers), "own": found.request_context}
    told |= {"metadata": found.metadata}
    return json.dumps([found.user_id, found.conversation_id, told])


def by_cookie(request: Request) -> Any:
    """The host's sign-in: the cookie is the user's name, and names what goes wrong."""
    name = request.cookies.get("shop")
    if name in REFUSALS:
        raise REFUSALS[name]
    if name == "claims":
        return Caller(user_id="ada", claims={"plan": request.app.state.plan})  # type: ignore[arg-type]
    return IDS.get(name or "", name)


async def by_cookie_later(request: Request) -> Any:
    await asyncio.sleep(0)
    return by_cookie(request)


@dataclass
class Host:
    """A host application that is served."""

    url: str
    _clients: AsyncExitStack = field(default_factory=AsyncExitStack)

    def client(self, cookie: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A browser of the host's own pages, or of none if there are other headers."""
        client = httpx.AsyncClient(
            base_url=self.url,
            cookies={"shop": cookie} if cookie else {},
            headers=headers or OWN_PAGE,
            verify=NO_AUTHORITIES,
            timeout=20,
        )
        self._clients.push_async_callback(client.aclose)
        return client


@asynccontextmanager
async def hosting(app: FastAPI, **options: Any) -> AsyncGenerator[Host]:
    port = free_port()
    host = Host(f"http://127.0.0.1:{port}")
    async with serving(app, port, **options), host._clients:
        yield host


def app_with(bridge: Bridge, path: str = "/chat") -> FastAPI:
    app = FastAPI(lifespan=bridge.lifespan)
    app.state.plan = "gold"
    app.mount(path, bridge.app)
    return app


@pytest.fixture(scope="module")
async def host() -> AsyncGenerator[Host]:
    bridge = Bridge(
        agent=Agent(name="Host", tools=[whoami]),
        authenticator=by_cookie,
        context=lambda asked: f"for {asked.user_id}",
        settings={**SETTINGS, "CHATBRIDGE_CORS_ORIGINS": "https://shop.example"},
    )
    async with hosting(app_with(bridge)) as here:
        yield here


async def told(client: httpx.AsyncClient, text: str, path: str = "/chat") -> list[Json]:
    """A turn by ChatKit's protocol, as what it has kept."""
    request = {**create(text), "metadata": {"page": ["cart", None]}}
    answer = await client.post(f"{path}/chatkit", json=request)
    assert answer.status_code == 200, answer.text
    assert frames(answer.text)
    thread = answer.headers["x-conversation-id"]
    return (await client.post(f"{path}/chatkit", json=items(thread))).json()["data"]


def said(kept: list[Json]) -> str:
    return "".join(part["text"] for part in kept[-1]["content"])


async def test_a_tool_knows_who_asks_and_what_the_host_adds(host: Host) -> None:
    client = host.client("claims", **OWN_PAGE, Authorization="Basic c2VjcmV0", map_id="solstice")
    answer = said(await told(client, "please whoami"))
    user, conversation, found = json.loads(answer.partition("has answered: ")[2])
    assert (user, found["own"], found["claims"]) == ("ada", "for ada", {"plan": "gold"})
    assert conversation.startswith("conv_")
    assert (found["headers"]["map_id"], found["metadata"]) == ("solstice", {"page": ["cart", None]})
    assert not {"cookie", "authorization"} & found["headers"].keys()


async def test_nobody_is_let_in_and_everybody_sees_their_own(host: Host) -> None:
    kept = await told(host.client("ada"), "hello")
    thread = items(kept[0]["thread_id"])
    assert (await host.client("ada").post("/chat/chatkit", json=thread)).status_code == 200
    for client, status, code in [
        (host.client("grace"), 403, "forbidden"),
        (host.client(), 401, "not_signed_in"),
        (host.client(Authorization="Bearer e30.e30.e30"), 401, "not_signed_in"),
        (host.client("ada", **OWN_PAGE, **{"X-Chatbridge-User": "grace"}), 403, "another_user"),
    ]:
        answer = await client.post("/chat/chatkit", json=thread)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    theirs = await host.client("grace").get("/chat/api/ada/conversations")
    assert (theirs.status_code, theirs.json()["code"]) == (403, "not_your_account")


class Greeter(ChatKitServer[str]):
    """A server of the application's own, which says for whom it answers."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: str
    ) -> AsyncGenerator[ThreadStreamEvent]:
        yield ThreadItemDoneEvent(
            item=AssistantMessageItem(
                id=self.store.generate_item_id("message", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(UTC),
                content=[AssistantMessageContent(text=f"Hello, {context}.")],
            )
        )


@pytest.mark.parametrize("given", ["class", "server"])
async def test_a_chatkit_server_of_the_applications_own_answers(given: str) -> None:
    async def named(asked: Asked) -> str:
        return asked.user_id.upper()

    bridge = Bridge(
        server=Greeter if given == "class" else Greeter(PlainStore()),
        authenticator=by_cookie,
        context=named,
        settings=SETTINGS,
    )
    async with hosting(app_with(bridge)) as host:
        kept = await told(host.client("ada"), "hello")
        assert said(kept) == "Hello, ADA."
        page = (await host.client("ada").get("/chat/")).text
        assert "tasks" not in page
        thread = items(kept[0]["thread_id"])
        refused = await host.client("grace").post("/chat/chatkit", json=thread)
        assert refused.status_code == 403


@pytest.mark.parametrize(
    ("cookie", "user"), [("number", "7"), ("in_caller", "7"), ("uuid", str(UUID(int=7)))]
)
async def test_a_users_id_may_be_a_number(host: Host, cookie: str, user: str) -> None:
    answer = await host.client(cookie).get(f"/chat/api/{user}/conversations")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("cookie", "status", "code", "detail"),
    [
        ("ours", 403, "contract_ended", "Your contract has ended."),
        ("away", 503, "accounts_away", "The accounts are away."),
        ("http", 402, "http_error", "Pay first."),
        ("nowhere", 404, "http_error", "No such tenant."),
        ("login", 303, "http_error", "Sign in."),
        ("strange", 499, "http_error", '{"why": "strange"}'),
        ("bad", 422, "user_id", "A user id is 1 to 128"),
        ("broken", 500, "internal_error", "it has been logged"),
        ("true", 500, "internal_error", "it has been logged"),
    ],
)
async def test_what_the_hosts_sign_in_raises_is_told_as_what_it_is(
    host: Host, cookie: str, status: int, code: str, detail: str
) -> None:
    answer = await host.client(cookie).post("/chat/chatkit", json=create("hello"))
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert detail in problem["detail"]
    assert "private" not in answer.text
    assert answer.headers.get("location") == ("/sign-in" if cookie == "login" else None)


@pytest.mark.parametrize(
    ("page", "may"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://blog.shop.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "own"}, True),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/chat/chatkit"),
        ("POST", "/chat/chatkit/threads/conv_1/cancel"),
        ("POST", "/chat/api/ada/chatkit/session"),
        ("DELETE", "/chat/api/ada/conversations/conv_1"),
    ],
)
async def test_a_cookie_changes_nothing_for_a_page_of_another_site(
    host: Host, method: str, path: str, page: dict[str, str], may: bool
) -> None:
    headers = {n: host.url if v == "own" else v for n, v in page.items()} or {"Accept": "*/*"}
    client = host.client("ada", **headers)
    refused = (await client.request(method, path)).json().get("code") == "foreign_site"
    assert refused == (not may)
    # what only reads is the browser's to keep from the page
    assert (await client.get("/chat/api/ada/conversations")).status_code == 200


async def test_a_named_origin_may_send_cookies_and_another_may_not(host: Host) -> None:
    for origin, may in [("https://shop.example", True), ("https://evil.example", False)]:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-chatbridge-user",
        }
        answer = await host.client(**asked).options("/chat/chatkit")
        assert (answer.headers.get("access-control-allow-origin") == origin) == may
        allowed = answer.headers.get("access-control-allow-credentials") == "true"
        assert (allowed and answer.status_code == 200) == may


async def test_a_secret_for_a_page_is_good_beside_the_cookie(host: Host) -> None:
    body = {"conversation_id": None}
    made = await host.client("claims").post("/chat/api/ada/chatkit/session", json=body)
    service = host.client(Authorization=f"Bearer {SERVICE_KEY.key}")
    by_key = await service.post("/chat/api/ada/chatkit/session", json={})
    for answer, claims in [(made, {"plan": "gold"}), (by_key, {})]:
        secret = answer.json()["client_secret"]
        # a page elsewhere has the secret, and the browser may send somebody's cookie as well
        client = host.client("grace", Authorization=f"Bearer {secret}", Origin="https://a.example")
        user, _, found = json.loads(said(await told(client, "whoami")).partition("answered: ")[2])
        assert (user, found["claims"]) == ("ada", claims)


# --- what is there, and what is not


async def test_an_agent_of_ones_own_gets_the_bundled_tools_only_if_it_is_asked_for() -> None:
    async with AsyncExitStack() as stack:
        kept: list[list[str]] = []
        for tools in [None, "all"]:
            settings = {**SETTINGS, "CHATBRIDGE_AGENT__TOOLS": tools}
            bridge = Bridge(
                agent=lambda: Agent(name="Host"), authenticator=by_cookie, settings=settings
            )
            here = await stack.enter_async_context(hosting(app_with(bridge)))
            kept.append([item["type"] for item in await told(here.client("ada"), "add tea")])
    assert kept == [
        ["user_message", "assistant_message"],
        ["user_message", "widget", "assistant_message"],
    ]


async def test_two_are_apart_below_any_path_and_find_the_tasks_without_an_address() -> None:
    first, second = (
        Bridge(instructions=f"You are {name}.", authenticator=by_cookie, settings=SETTINGS)
        for name in ("one", "two")
    )

    @asynccontextmanager
    async def both(app: FastAPI) -> AsyncGenerator[None]:
        async with first.lifespan(app), second.lifespan(app):
            yield

    app = FastAPI(lifespan=both)
    app.mount("/a/b", first.app)
    app.mount("/two", second.app)
    async with hosting(app) as host:
        client = host.client("ada")
        assert [item["type"] for item in await told(client, "add tea", "/a/b")][1] == "widget"
        kept = [(await client.get(f"{at}/api/ada/tasks")).json() for at in ("/a/b", "/two")]
        assert [len(tasks["items"]) for tasks in kept] == [1, 0]
        page = await client.get("/two/")
        assert page.status_code == 200
        assert 'data-user="ada"' in page.text
        assert (await host.client().get("/two/")).status_code == 401
        assert (await client.post("/two/development/token")).status_code == 404


async def test_what_the_model_is_told_may_depend_on_who_asks() -> None:
    asked: list[Asked] = []

    async def instructions(who: Asked) -> str:
        asked.append(who)
        return f"You talk to {who.user_id}."

    bridge = Bridge(instructions=instructions, authenticator=by_cookie_later, settings=SETTINGS)
    async with hosting(app_with(bridge)) as host:
        await told(host.client("ada"), "hello")
    assert [who.user_id for who in asked] == ["ada"]


async def test_a_forgotten_lifespan_is_said() -> None:
    app = FastAPI()
    app.mount("/chat", Bridge(authenticator=by_cookie, settings=SETTINGS).app)
    async with hosting(app) as host:
        answer = await host.client("ada").post("/chat/chatkit", json=create("hello"))
        assert (answer.status_code, answer.json()["code"]) == (503, "not_started")
        assert "lifespan=bridge.lifespan" in answer.json()["detail"]


async def test_a_second_start_is_refused_and_waits_for_nothing() -> None:
    bridge = Bridge(authenticator=by_cookie, settings=SETTINGS)
    async with bridge.lifespan():
        pass
    with pytest.raises(RuntimeError, match="started once"):
        async with bridge.lifespan():
            pass


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"settings": {"CHATBRIDGE_AGENT__MODLE": "x"}}, "did you mean CHATBRIDGE_AGENT__MODEL"),
        ({"settings": {"CHATBRIDGE_WINDOW__LOW": 0}}, "CHATBRIDGE_WINDOW__LOW"),
        ({"settings": {"MODEL": "x"}}, "MODEL is no setting"),
        (
            {"settings": {"DATABASE_URL": "mysql://a/b", "CHATBRIDGE_DATABASE__URL": None}},
            "DATABASE_URL",
        ),
        ({"agent": 7}, "`agent` is of type int"),
        ({"settings": {"CHATBRIDGE_PORT": {7}}}, "CHATBRIDGE_PORT is of type set"),
        ({"authenticator": "ada"}, "`authenticator` is of type str"),
        ({"context": {"a": 1}}, "`context` is of type dict"),
        ({"tag_search": "crm:search"}, "`tag_search` is of type str"),
        ({"server": Greeter, "tag_words": print}, "`tag_to_message_content` of its converter"),
        (
            {"settings": {"CHATBRIDGE_TAGS__SEARCH": "json:nothing"}},
            "'json:nothing' can't be found",
        ),
        ({"settings": {"CHATBRIDGE_TAGS__WORDS": "json:__name__"}}, "which is no function"),
        ({"instructions": 5}, "`instructions` are of type int"),
        (
            {"settings": {"CHATBRIDGE_AGENT__MODELS": {"": {"label": "A", "model": "a"}}}},
            "at least 1 character",
        ),
        (
            {"settings": {"CHATBRIDGE_AGENT__MODELS": {"q": {"label": "A", "model": "offline"}}}},
            "offers the offline model as q",
        ),
        ({"agent": "nothing_here:agent"}, "nothing_here was found neither"),
        ({"agent": Agent(name="A"), "instructions": "B"}, "One of your own has them itself"),
        ({"agent": Agent(name="A"), "server": Greeter}, "only one can answer"),
        ({"server": Greeter, "instructions": "B"}, "your server answers"),
        ({"server": 7}, "is no ChatKitServer"),
        ({"settings": PRODUCTION}, "No sign-in is configured"),
    ],
)
def test_what_can_not_be_used_is_said_when_it_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Bridge(**{**given, "settings": {**SETTINGS, **given.get("settings", {})}})


def test_settings_are_a_mapping_of_names() -> None:
    wrong: list[tuple[Any, str]] = [([1], "type list"), ("", "type str"), ({1: "x"}, "type int")]
    for settings, said in wrong:
        with pytest.raises(ValueError, match=f"`settings` .* {said}; they must be a mapping"):
            Bridge(settings=settings)


# --- the end


async def test_streams_end_within_the_drain_when_the_hosts_uvicorn_is_to_stop() -> None:
    settings = {**SETTINGS, "CHATBRIDGE_TURNS__DRAIN": 0.1}
    bridge = Bridge(authenticator=by_cookie, settings=settings)
    port = free_port()
    host = Host(f"http://127.0.0.1:{port}")
    # as a host runs it: uvicorn waits for streams as long as they last
    async with asyncio.timeout(15), serving(app_with(bridge), port) as server, host._clients:
        client = host.client("ada")
        asked = client.stream("POST", "/chat/chatkit", json=create("rehearse a slow tool for 20"))
        async with asked as stream:
            shown = [event async for event in _stopping(events(stream), server)]
    assert shown[-1]["item"]["type"] == "widget"
    assert "Success" not in json.dumps(shown[-1])


async def _stopping(told: AsyncGenerator[Json], server: Any) -> AsyncGenerator[Json]:
    async for event in told:
        if event.get("item", {}).get("type") == "widget":
            server.should_exit = True
        yield event


# --- the example


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else json.dumps(value))
    spec = importlib.util.spec_from_file_location("inside_fastapi", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_example_is_a_chat_behind_its_own_sign_in(example: ModuleType) -> None:
    async with hosting(example.app) as host:
        client = host.client()
        assert "Who are you?" in (await client.get("/")).text
        assert (await client.post("/chat/chatkit", json=create("my_orders"))).status_code == 401
        signed_in = await client.post("/sign-in", data={"name": "ada"})
        assert signed_in.status_code == 303
        assert 'data-user="ada"' in (await client.get("/")).text
        assert (await client.get("/chat/page/chatkit.js")).status_code == 200
        assert "1001, on its way" in said(await told(client, "my_orders, please"))
        await client.post("/sign-out")
        assert (await client.post("/chat/chatkit", json=create("hello"))).status_code == 401
    made = EXAMPLE.read_text()
    lines = made[made.index("bridge = Bridge(") : made.index('@app.get("/")')].strip().splitlines()
    assert len(lines) < 20
