"""Several tabs, several people: what is said elsewhere is here, and nothing goes to a stranger."""

import base64
import json

from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint, assistant_message, created, done, user_message
from tests.browser.opened import opened, whole

LATER = "() => { const now = Date.now; Date.now = () => now() + 120_000; }"
FOCUS = "() => window.dispatchEvent(new Event('focus'))"

# the page's server answers for whoever is signed in at the moment
BY_SECRET = """(options) => {
  window.asked = [];
  const getClientSecret = async (before) => (asked.push(before), window.secret);
  const chat = document.querySelector("openai-chatkit");
  chat.setOptions({ ...options, api: { url: "chatkit", getClientSecret } });
}"""
OPTIONS = {
    "history": {"enabled": True, "showRename": True, "showDelete": True},
    "threadItemActions": {"feedback": True, "retry": True},
    "initialThread": "thr_1",
}


def secret_of(user: str) -> str:
    """As a chatbridge's is formed; nobody here verifies it."""
    body = json.dumps({"sub": user}).encode()
    return f"e30.{base64.urlsafe_b64encode(body).decode().rstrip('=')}.signature"


def texts(endpoint: Endpoint) -> list[str]:
    """What was sent, by its operation."""
    return [request["type"] for request in endpoint.requests]


async def test_a_tab_that_is_looked_at_again_shows_what_was_said_elsewhere(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = [user_message("u1", "One?"), assistant_message("a1", "Yes.")]
    endpoint.keep("thr_1", *said)
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await chat.page.evaluate(LATER)
    row = await chat.log.locator("[data-item-id=a1] .prose").element_handle()
    endpoint.keep("thr_1", *said, user_message("u2", "Two?"), assistant_message("a2", "Two."))
    await chat.page.evaluate(FOCUS)
    await chat.loaded(4)
    # what was there is not drawn anew: a selection in it stays
    assert await row.evaluate("(node) => node.isConnected")


async def test_what_another_tab_said_comes_before_what_is_said_here(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = [user_message("u1", "One?"), assistant_message("a1", "Yes.")]
    endpoint.keep("thr_1", *said)
    here = await opened(context, endpoint, initialThread="thr_1")
    await here.loaded(2)
    said += [user_message("u2", "Two?"), assistant_message("a2", "Two.")]
    endpoint.keep("thr_1", *said)
    await here.page.evaluate(LATER)
    await here.say("Three?")
    telling = await endpoint.telling()
    telling.tell(done(user_message("u3", "Three?")))
    await expect(here.entries).to_have_count(5)
    telling.end(whole("Three."))
    await here.answered()
    assert [each.text for each in await here.shown()][2:5] == ["Two?", "Two.", "Three?"]

    # a tab that is seen beside it hears of it at once
    there = await opened(context, endpoint, initialThread="thr_1")
    await there.loaded(4)
    await here.say("Four?")
    endpoint.keep("thr_1", *said, user_message("u4", "Four?"), assistant_message("a4", "Four."))
    await there.page.evaluate(LATER)
    (await endpoint.telling()).end(done(user_message("u4", "Four?")), whole("Four."))
    await there.loaded(6)


async def test_a_chat_whose_secret_becomes_anothers_stops_and_sends_nothing(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 401")
    endpoint.keep("thr_1", user_message("u1", "Mine?"), assistant_message("a1", "A secret."))
    chat = await by_secret(context, endpoint)
    await chat.page.evaluate("(secret) => (window.secret = secret)", secret_of("bob"))
    endpoint.refuse(401, "It has ended.")
    await chat.say("For my own account")
    await ended(chat)
    asked = texts(endpoint)
    assert asked == ["threads.get_by_id", "threads.add_user_message"]
    assert endpoint.headers[-1]["authorization"] == f"Bearer {secret_of('ann')}"
    for method in ("sendUserMessage({ text: 'again' })", "showHistory()", "fetchUpdates()"):
        await chat.element.evaluate(f"(chat) => chat.{method}.catch(() => {{}})")
    await chat.element.evaluate("(chat) => chat.setThreadId('thr_1')")
    assert texts(endpoint) == asked


async def test_a_tab_that_is_looked_at_again_notices_who_is_signed_in(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", user_message("u1", "Mine?"), assistant_message("a1", "A secret."))
    chat = await by_secret(context, endpoint)
    await chat.page.evaluate("(secret) => (window.secret = secret)", secret_of("bob"))
    await chat.page.evaluate(FOCUS)
    await expect(chat.alert).to_have_count(0)
    await chat.page.evaluate(LATER)
    await chat.page.evaluate(FOCUS)
    await ended(chat)
    assert texts(endpoint) == ["threads.get_by_id"]


async def test_whom_the_page_names_decides(context: BrowserContext, endpoint: Endpoint) -> None:
    endpoint.keep("thr_1", user_message("u1", "Mine?"), assistant_message("a1", "A secret."))
    chat = await by_secret(context, endpoint, named="bob", loads=False)
    await ended(chat)
    assert texts(endpoint) == []
    await chat.element.evaluate("(chat) => (chat.dataset.user = 'ann')")
    await chat.say("Mine after all")
    (await endpoint.telling()).end(created(), done(user_message("u1", "Mine after all")))
    await chat.answered()


async def by_secret(
    context: BrowserContext, endpoint: Endpoint, named: str = "", *, loads: bool = True
) -> Chat:
    """ann's chat, as her secret says; the page may name somebody else."""
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    chat = Chat(page)
    if named:
        await chat.element.evaluate("(chat, user) => (chat.dataset.user = user)", named)
    await page.evaluate("(secret) => (window.secret = secret)", secret_of("ann"))
    await page.evaluate(BY_SECRET, OPTIONS)
    if loads:
        await chat.loaded(2)
    return chat


async def ended(chat: Chat) -> None:
    """It says why, and shows and takes nothing any more."""
    await expect(chat.alert).to_contain_text("Somebody else is signed in now")
    await expect(chat.alert.get_by_role("button", name="Reload")).to_be_visible()
    await expect(chat.box).to_be_hidden()
    await expect(chat.element.locator("textarea")).to_have_value("")
    assert await chat.shown() == []
