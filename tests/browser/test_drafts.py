"""What was begun and not sent: it stays with its conversation, its author and its tab."""

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint, assistant_message, created, done, user_message
from tests.browser.opened import OPTIONS

SET_UP = """([options, user]) => {
  const chat = document.querySelector("openai-chatkit");
  chat.dataset.user = user;
  chat.setOptions(options);
}"""
OPEN = "(chat, id) => chat.setThreadId(id)"
KEPT = "() => Object.keys(sessionStorage).length"

NO_STORAGE = """for (const name of ["sessionStorage", "localStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied"); } });"""
FULL_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('full'); };"


@pytest.fixture(autouse=True)
def _conversations(endpoint: Endpoint) -> None:
    for id in ("thr_1", "thr_2"):
        endpoint.keep(id, user_message("u1", "Well?"), assistant_message("a1", "Yes."))


async def chat_of(context: BrowserContext, endpoint: Endpoint) -> Chat:
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    return Chat(page)


async def of(user: str, chat: Chat) -> None:
    """The chat is for this user from now on."""
    await chat.page.evaluate(SET_UP, [OPTIONS, user])
    await chat.ready()


async def test_a_draft_stays_with_its_conversation_and_its_author(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await chat_of(context, endpoint)
    await of("ann", chat)
    await chat.box.fill("for a new one")
    for thread, text in (("thr_1", "for the first"), ("thr_2", "")):
        await chat.element.evaluate(OPEN, thread)
        await expect(chat.box).to_have_value("")
        await chat.box.fill(text)
    await chat.element.evaluate(OPEN, "thr_1")
    await expect(chat.box).to_have_value("for the first")

    await chat.page.reload()
    await of("bob", chat)
    await expect(chat.box).to_have_value("")
    await of("ann", chat)
    await expect(chat.box).to_have_value("for a new one")
    await chat.element.evaluate(OPEN, "thr_1")
    await expect(chat.box).to_have_value("for the first")

    await chat.send_button.click()
    (await endpoint.telling()).end(done(user_message("u2", "for the first")))
    await chat.answered()
    await chat.page.reload()
    await of("ann", chat)
    await expect(chat.box).to_have_value("for a new one")
    await chat.element.evaluate(OPEN, "thr_1")
    await chat.loaded(2)
    await expect(chat.box).to_have_value("")


@pytest.mark.parametrize("broken", [NO_STORAGE, FULL_STORAGE], ids=["denied", "full"])
async def test_without_storage_a_draft_lives_as_long_as_its_page(
    context: BrowserContext, endpoint: Endpoint, broken: str
) -> None:
    await context.add_init_script(broken)
    chat = await chat_of(context, endpoint)
    await of("ann", chat)
    await chat.box.fill("for a new one")
    await chat.element.evaluate(OPEN, "thr_1")
    await expect(chat.box).to_have_value("")
    await chat.element.evaluate(OPEN, None)
    await expect(chat.box).to_have_value("for a new one")
    await chat.send_button.click()
    (await endpoint.telling()).end(created(), done(user_message("u1", "for a new one")))
    await chat.answered()


async def test_what_was_on_its_way_at_a_reload_is_in_the_conversation_or_in_the_composer(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await chat_of(context, endpoint)

    async def hold(_: Route) -> None:
        """Nothing gets through."""

    for arrived in (False, True):
        await of("ann", chat)
        await chat.element.evaluate(OPEN, "thr_1")
        await chat.loaded(2)
        await context.route("**/chatkit", hold)
        await chat.say("On its way")
        await expect(chat.box).to_have_value("")
        await context.unroute("**/chatkit")
        if arrived:
            endpoint.items["thr_1"].append(user_message("u2", "On its way"))
        await chat.page.reload()
        await of("ann", chat)
        await chat.element.evaluate(OPEN, "thr_1")
        await chat.loaded(3 if arrived else 2)
        await expect(chat.box).to_have_value("" if arrived else "On its way")


@pytest.mark.parametrize("way", ["channel", "storage"])
async def test_signing_out_anywhere_ends_the_chat_in_every_tab(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, way: str
) -> None:
    chat = await chat_of(context, endpoint)
    await of("ann", chat)
    await chat.element.evaluate(OPEN, "thr_1")
    await chat.loaded(2)
    await chat.box.fill("a secret")
    assert await chat.page.evaluate(KEPT) > 0
    other = await context.new_page()
    await other.goto(endpoint.url)
    await other.evaluate(
        {
            "channel": "new BroadcastChannel('chatbridge').postMessage('signed-out')",
            "storage": "localStorage.setItem('chatbridge.signed-out', '1')",
        }[way]
    )
    await expect(chat.alert).to_contain_text("You have signed out")
    await expect(chat.box).to_be_hidden()
    await expect(chat.element.locator("textarea")).to_have_value("")
    assert await chat.shown() == []
    assert await chat.page.evaluate(KEPT) == 0
    asked = len(endpoint.requests)
    await chat.element.evaluate("(chat) => chat.showHistory()")
    await chat.element.evaluate(OPEN, "thr_2")
    assert len(endpoint.requests) == asked
