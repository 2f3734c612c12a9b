"""The page of examples/ at an address of its own, as somebody pastes it: first with a token of
development, then with chat sessions that the page's own server asks for."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.async_api import BrowserContext, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat, violations
from tests.browser.in_this_loop import served_here
from tests.ports import free_port
from tests.serving import spawn

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "examples" / "page.html").read_text()
README = (ROOT / "README.md").read_text()
SERVER = "http://127.0.0.1:8000"
SECRET = 'const getClientSecret = async () => "PASTE-A-TOKEN";'


@dataclass
class Host:
    """Somebody's server: it has the page, and says who is signed in."""

    chatbridge: str = ""
    page: str = ""
    service_key: str = ""
    asked: list[str] = field(default_factory=list)

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/favicon.ico", lambda _: Response(status_code=204)),
                Route("/chat-session", self._chat_session, methods=["POST"]),
            ]
        )

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(self.page.replace(SERVER, self.chatbridge))

    async def _chat_session(self, _: Request) -> Response:
        self.asked.append("ann")
        async with httpx.AsyncClient(base_url=self.chatbridge) as http:
            headers = {"Authorization": f"Bearer {self.service_key}"}
            answer = await http.post("/api/ann/chatkit/session", headers=headers)
        return JSONResponse({"client_secret": answer.raise_for_status().json()["client_secret"]})


def printed(directory: Path, *arguments: str) -> str:
    """What `chatbridge ...` prints in the server's directory."""
    command = [sys.executable, "-m", "chatbridge", *arguments]
    ran = subprocess.run(  # noqa: S603  # what the tests say
        command, cwd=directory, capture_output=True, text=True, check=True
    )
    return ran.stdout


@dataclass
class Pasted:
    """chatbridge, the directory it runs in, and the host at the address that it knows."""

    directory: Path
    host: Host
    url: str

    def token(self, user: str) -> str:
        """What `chatbridge token` prints, wherever it is called."""
        at = ("--url", self.host.chatbridge)
        return printed(Path.home(), "token", "--user", user, *at).strip()

    async def open(self, context: BrowserContext, secret: str) -> Chat:
        """The page with these lines in place of the one that gets its secret."""
        return await self.paste(context, PAGE.replace(SECRET, secret))

    async def paste(self, context: BrowserContext, text: str) -> Chat:
        """A page of this text."""
        self.host.page = text
        await context.add_init_script(LISTEN)
        page = await context.new_page()
        await page.goto(self.url)
        return await Chat(page).ready()


@pytest.fixture(scope="module")
async def pasted(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pasted]:
    directory, host = tmp_path_factory.mktemp("server"), Host()
    host.service_key, setting = printed(directory, "service-key").split()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served_here(host.application()))
        name, _, hashes = setting.partition("=")
        environment = {"DATABASE_URL": postgres_url, "CHATBRIDGE_CORS_ORIGINS": url, name: hashes}
        sign_in = {
            "CHATBRIDGE_AUTH__SECRET": "the sign-in's secret, which nobody here uses",
            "CHATBRIDGE_AUTH__ISSUER": url,
            "CHATBRIDGE_AUTH__AUDIENCE": url,
        }
        server = await spawn(directory, PORT=str(free_port()), **environment, **sign_in)
        stack.callback(server.stop)
        host.chatbridge = server.url
        yield Pasted(directory, host, url)


async def test_a_pasted_page_chats_and_a_reload_shows_the_same(
    pasted: Pasted, context: BrowserContext
) -> None:
    token = pasted.token("alice")
    chat = await pasted.open(context, SECRET.replace("PASTE-A-TOKEN", token))
    await chat.ask("add a task: buy oat milk")
    seen = await chat.shown()
    assert [each.type for each in seen] == ["user_message", "widget", "assistant_message"]
    assert "Added buy oat milk as task" in seen[-1].text

    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    await chat.box.fill("and complete it")
    await chat.picture("pasted-page")
    assert await violations(chat.page) == []


async def test_the_readmes_few_lines_are_a_chat_too(
    pasted: Pasted, context: BrowserContext
) -> None:
    (snippet,) = re.findall(r"^```html\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    token = pasted.token("bob")
    chat = await pasted.paste(context, snippet.replace("PASTE-A-TOKEN", token))
    await chat.ask("add a task: water the plants")
    assert "Added water the plants as task" in (await chat.shown())[-1].text
    await chat.picture("pasted-lines")


async def test_its_server_asks_for_the_sessions_of_who_is_signed_in(
    pasted: Pasted, context: BrowserContext
) -> None:
    (snippet,) = re.findall(r"^```js\n(.*?)^```", README, re.M | re.S)
    chat = await pasted.open(context, snippet)
    await chat.ask("add a task: water the plants")
    seen = await chat.shown()
    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    assert pasted.host.asked == ["ann", "ann"]


async def test_a_token_that_is_none_is_said_to_be_none(
    pasted: Pasted, context: BrowserContext, watch: Watch
) -> None:
    watch.expect(r"status of 401")
    chat = await pasted.open(context, SECRET)
    await chat.say("hello")
    await expect(chat.alert).to_contain_text("not a token")
