"""The web app by chat sessions: its chat has their secrets, and no token of the sign-in's."""

import hmac
import re
import time

import pytest
from playwright.async_api import BrowserContext, Request, Route, expect

from chatbridge.domain.model.caller import CHAT_SESSION
from scripts.web import Web
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat
from tests.browser.web_stack import PASSWORD, as_bearer, claims, open_chat, sign_up, thread_of
from tests.serving import SECRET
from tests.unit.adapters.jwt.signers import good_claims, hs256

CDN = "https://cdn.platform.openai.com/**"
SESSION = "/api/chat-session"
CHAT = "/api/chatbridge/chatkit"


@pytest.fixture
def by_session(other_web: Web, watch: Watch) -> Web:
    """The web app that has CHATKIT_SESSIONS on; OpenAI's element, which it asks for, is away."""
    watch.expect("Failed to load resource.*ERR_FAILED")
    return other_web


@pytest.fixture
async def context(by_session: Web, new_context: NewContext) -> BrowserContext:
    """A profile that is not signed in yet."""
    return await profile(new_context)


async def profile(new_context: NewContext) -> BrowserContext:
    """One that waits for nothing outside."""
    context = await new_context()
    await context.route(CDN, lambda route: route.abort())
    return context


class Asked:
    """What the pages of a profile ask for."""

    def __init__(self, context: BrowserContext) -> None:
        self.sessions = 0
        self.secrets: list[str] = []
        self.refused = 0
        context.on("request", self._note)
        context.on("response", lambda r: self._count(r.status) if CHAT in r.url else None)

    def _note(self, request: Request) -> None:
        if request.url.endswith(SESSION):
            self.sessions += 1
        if CHAT in request.url:
            self.secrets.append(request.headers["authorization"].removeprefix("Bearer "))

    def _count(self, status: int) -> None:
        self.refused += status == 401


def ended_secret(user: str) -> str:
    """A secret that was this user's until a minute and a half ago."""
    key = hmac.digest(SECRET.encode(), f"chatbridge token {CHAT_SESSION}".encode(), "sha256")
    now = int(time.time())
    told = good_claims(iss="chatbridge", aud=CHAT_SESSION, sub=user, iat=now - 690, exp=now - 90)
    return hs256(key).token(told)


async def later(chat: Chat, seconds: int) -> None:
    """The page's clock goes on by so much."""
    await chat.page.evaluate(
        "(ms) => { const now = Date.now; Date.now = () => now() + ms; }", seconds * 1000
    )


async def test_signing_up_leads_to_a_chat_that_has_a_session_and_nothing_else(
    by_session: Web, context: BrowserContext
) -> None:
    asked = Asked(context)
    page = await context.new_page()
    await page.goto(by_session.url)
    await page.get_by_role("button", name="Create an account").click()
    await page.get_by_label("Name").fill("Olga")
    await page.get_by_label("Email").fill("olga@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page).to_have_url(re.compile("/dashboard/chat"))
    await page.close()

    chat = await open_chat(context, by_session.url)
    await chat.note_states()
    await chat.ask("add a task: buy oat milk")
    assert await chat.states() == ["Thinking", "Success"]
    await chat.say("rehearse a long answer of 200 words")
    await expect(chat.log.locator(".prose").last).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    await expect(chat.log).to_have_attribute("aria-busy", "true")
    await chat.stop_button.click()
    await chat.answered(1)
    seen = await chat.shown()
    assert len(seen[-1].text.split()) < 200
    await chat.picture("web-chat-by-session")

    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    await expect(chat.badges).to_have_text(["Success"])

    assert {claims(secret)[1]["aud"] for secret in asked.secrets} == {CHAT_SESSION}
    # two pages were loaded, and one of them again
    assert asked.sessions <= 3
    async with as_bearer(by_session.server_url, asked.secrets[-1]) as api:
        user = claims(asked.secrets[-1])[1]["sub"]
        assert (await api.get(f"/api/{user}/tasks")).status_code == 401


async def test_a_session_is_renewed_before_its_end(
    by_session: Web, context: BrowserContext
) -> None:
    asked = Asked(context)
    await sign_up(context, by_session.url, "Pia")
    chat = await open_chat(context, by_session.url)
    await chat.ask("Hello")
    await later(chat, 8 * 60)
    await chat.ask("Still the first one?")
    assert (asked.sessions, len(set(asked.secrets))) == (1, 1)
    await later(chat, 90)
    await chat.ask("And now?")
    # a clock that is wrong by so much finds each new one old
    assert (asked.sessions > 1, asked.refused) == (True, 0)
    await chat.loaded(6)


async def test_a_session_that_has_ended_is_replaced_and_nobody_notices(
    by_session: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    asked = Asked(context)
    user = await sign_up(context, by_session.url, "Quin")

    async def first_an_ended_one(route: Route) -> None:
        if asked.sessions > 1:
            await route.continue_()
        else:
            in_time = {"expires_at": int(time.time()) + 600}
            await route.fulfill(json={"client_secret": ended_secret(user), **in_time})

    await context.route(f"**{SESSION}", first_an_ended_one)
    chat = await open_chat(context, by_session.url)
    await chat.ask("add a task: stay signed in")
    assert (asked.sessions, asked.refused) == (2, 1)
    await expect(chat.badges).to_have_text(["Success"])
    await expect(chat.alert).to_have_count(0)


async def test_a_session_opens_nobody_elses_conversation(
    by_session: Web, context: BrowserContext, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("status of 403", "console: .*")
    await sign_up(context, by_session.url, "Rut")
    chat = await open_chat(context, by_session.url)
    await chat.ask("My secret is xyzzy")
    theirs = await profile(new_context)
    await sign_up(theirs, by_session.url, "Sam")
    answers: list[int] = []
    theirs.on("response", lambda r: answers.append(r.status) if r.url.endswith(CHAT) else None)
    stranger = await open_chat(theirs, by_session.url, thread_of(chat))
    await expect(stranger.alert).to_be_visible()
    assert answers[0] == 403
    assert "xyzzy" not in await stranger.page.evaluate("document.documentElement.innerHTML")


async def test_when_the_sign_in_has_ended_what_was_typed_comes_back(
    by_session: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401", "console: .*")
    await sign_up(context, by_session.url, "Tea")
    chat = await open_chat(context, by_session.url)
    await chat.ask("Hello")
    await context.clear_cookies()
    await later(chat, 10 * 60)
    await chat.say("A message that took long to write")
    page = chat.page
    await expect(page).to_have_url(re.compile(r"/login\?expired=1"))
    await page.get_by_label("Email").fill("tea@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(chat.box).to_have_value("A message that took long to write")
    await chat.loaded(2)


async def test_only_who_is_signed_in_gets_a_session(
    by_session: Web, context: BrowserContext
) -> None:
    ask = context.request
    assert (await ask.post(by_session.url + SESSION)).status == 401
    await sign_up(context, by_session.url, "Uma")
    answer = await ask.post(by_session.url + SESSION)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (await ask.get(by_session.url + SESSION)).status == 405

    by_session.server.process.kill()
    by_session.server.process.wait()
    try:
        away = await ask.post(by_session.url + SESSION)
        assert away.status == 502
        assert (await away.json())["code"] == "no_chat_session"
    finally:
        by_session.server.start()
