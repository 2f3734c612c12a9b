"""A page of another origin chats where its origin is named; if not, the browser refuses it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.in_this_loop import served_here
from tests.ports import free_port
from tests.serving import SECRET, spawn

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page of another origin</title>
<link rel="icon" href="data:,">
<script>window.loading = [];</script>
<script src="{script}" {attributes}
  onload="loading.push('loaded')" onerror="loading.push('refused')"></script>
<main><h1>A page of another origin</h1><openai-chatkit></openai-chatkit></main>
</html>
"""
_OPTIONS = """([url, token]) => document.querySelector("openai-chatkit").setOptions({
  api: {
    url: `${url}/chatkit`,
    domainKey: "local",
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set("Authorization", `Bearer ${token}`);
      return fetch(input, { ...init, headers });
    },
  },
})"""


_BY_SESSION = """(secret) => document.querySelector("openai-chatkit").setOptions({
  api: { getClientSecret: async () => secret },
})"""


@dataclass(frozen=True)
class Origins:
    """chatbridge, and two servers of the same page: it knows the origin of the first alone."""

    chatbridge: str
    named: str
    other: str

    async def open(
        self, context: BrowserContext, origin: str, script: str, attributes: str = "crossorigin"
    ) -> Page:
        """The page of this origin, with the element from there."""
        await context.add_init_script(LISTEN)
        page = await context.new_page()
        await page.goto(f"{origin}/?script={script}&attributes={attributes}")
        return page

    async def chat(self, page: Page, user: str) -> Chat:
        """The element of the page, on which `user` is signed in at chatbridge."""
        await page.evaluate(_OPTIONS, [self.chatbridge, token(user)])
        return await Chat(page).ready()

    async def chat_by_session(self, page: Page, user: str) -> Chat:
        """The same, by a chat session that a back end has asked for, and no address."""
        headers = {"Authorization": f"Bearer {token(user)}"}
        async with httpx.AsyncClient(base_url=self.chatbridge, headers=headers) as client:
            answer = await client.post(f"/api/{user}/chatkit/session")
        await page.evaluate(_BY_SESSION, answer.json()["client_secret"])
        return await Chat(page).ready()

    async def kept(self, user: str) -> list[str]:
        """The titles of the user's conversations, asked past the browser."""
        headers = {"Authorization": f"Bearer {token(user)}"}
        async with httpx.AsyncClient(base_url=self.chatbridge, headers=headers) as client:
            answer = await client.get(f"/api/{user}/conversations")
        assert answer.status_code == 200
        return [each["title"] for each in answer.json()["items"]]


def token(user: str) -> str:
    issuer = JwtTokenIssuer(SECRET.encode())
    caller = Caller(user_id=UserId(user))
    return issuer.issue(caller, audience=DEVELOPMENT, lifetime=timedelta(hours=1)).token


@pytest.fixture
def user() -> str:
    return f"user-{secrets.token_hex(6)}"


@pytest.fixture(scope="module")
async def origins(
    postgres_url: str, bundle: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Origins]:
    async def page(request: Request) -> Response:
        return HTMLResponse(_PAGE.format(**request.query_params))

    async def script(request: Request) -> Response:
        return Response(bundle[request.url.path[1:]], media_type="text/javascript")

    pages = Starlette(routes=[Route("/", page), Route("/{file}.js", script)])
    async with AsyncExitStack() as stack:
        named, other = [await stack.enter_async_context(served_here(pages)) for _ in range(2)]
        server = await spawn(
            tmp_path_factory.mktemp("server"),
            DATABASE_URL=postgres_url,
            CHATBRIDGE_SECRET=SECRET,
            CHATBRIDGE_CORS_ORIGINS=named,
            PORT=str(free_port()),
        )
        stack.callback(server.stop)
        yield Origins(server.url, named, other)


async def test_a_page_of_a_named_origin_chats(
    origins: Origins, context: BrowserContext, user: str
) -> None:
    page = await origins.open(context, origins.named, f"{origins.chatbridge}/page/chatkit.js")
    chat = await origins.chat(page, user)
    await chat.ask("add a task: buy oat milk")
    # what draws it is a file of its own
    await expect(chat.badges).to_have_text(["Success"])
    assert "Added buy oat milk as task" in (await chat.shown())[-1].text
    assert await origins.kept(user) == ["add a task: buy oat milk"]


async def test_a_chat_session_is_used_at_the_server_that_the_element_came_from(
    origins: Origins, context: BrowserContext, user: str
) -> None:
    page = await origins.open(context, origins.named, f"{origins.chatbridge}/page/chatkit.js")
    chat = await origins.chat_by_session(page, user)
    await chat.ask("Hello from elsewhere")
    assert await origins.kept(user) == ["Hello from elsewhere"]


async def test_it_can_stop_an_answer(origins: Origins, context: BrowserContext, user: str) -> None:
    page = await origins.open(context, origins.named, f"{origins.chatbridge}/page/chatkit.js")
    chat = await origins.chat(page, user)
    before = await chat.answers()
    await chat.say("rehearse a slow tool for 20 seconds")
    await expect(chat.badges).to_have_text("Running")
    await chat.stop_button.click()
    await chat.answered(before)


@pytest.mark.parametrize("attributes", ["crossorigin", ""], ids=["with", "without"])
async def test_a_page_of_another_origin_does_not_get_the_element(
    origins: Origins, context: BrowserContext, watch: Watch, attributes: str
) -> None:
    watch.expect(r"blocked by CORS policy", r"net::ERR_FAILED", r"ERR_BLOCKED_BY_RESPONSE")
    script = f"{origins.chatbridge}/page/chatkit.js"
    page = await origins.open(context, origins.other, script, attributes)
    assert await page.evaluate("loading") == ["refused"]
    assert await page.evaluate("customElements.get('openai-chatkit') === undefined")


async def test_nor_can_it_chat_with_an_element_of_its_own(
    origins: Origins, context: BrowserContext, watch: Watch, user: str
) -> None:
    watch.expect(r"blocked by CORS policy", r"net::ERR_FAILED", "HostFault", "status of 405")
    page = await origins.open(context, origins.other, "/chatkit.js")
    chat = await origins.chat(page, user)
    await chat.say("add a task: what is not mine")
    await expect(chat.alert).to_contain_text(f"lets no page of {origins.other} in")
    assert any("blocked by CORS policy" in trouble for trouble in watch.troubles)
    assert await origins.kept(user) == []


async def test_nor_by_a_request_that_needs_no_asking(
    origins: Origins, context: BrowserContext, watch: Watch, user: str
) -> None:
    """What a form could send goes out, without a token, and is refused where it arrives."""
    watch.expect(r"status of 401")
    page = await origins.open(context, origins.other, "/chatkit.js")
    sent = """async (url) => {
      const body = '{"message": "hello"}';
      return (await fetch(url, { method: "POST", mode: "no-cors", body })).type;
    }"""
    assert await page.evaluate(sent, f"{origins.chatbridge}/api/{user}/chat") == "opaque"
    assert await origins.kept(user) == []
