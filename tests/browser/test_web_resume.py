"""The web app and an answer that is left, or whose server goes, in the middle."""

import re

from playwright.async_api import BrowserContext, expect

from scripts.web import Web
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat
from tests.browser.web_stack import open_chat, sign_in, sign_up

SOME_WORDS = re.compile(r"(\w+ ){5}")


async def halfway(chat: Chat, words: int) -> str:
    """A long answer has begun; what is seen of it."""
    await chat.say(f"rehearse a long answer of {words} words")
    await expect(chat.log.locator(".prose")).to_contain_text(SOME_WORDS)
    return await said(chat)


async def said(chat: Chat) -> str:
    """The answer as it is seen now."""
    return await chat.log.locator(".prose").last.inner_text()


async def test_a_reload_in_the_middle_of_an_answer_goes_on_live_and_so_does_another_browser(
    web: Web, new_context: NewContext
) -> None:
    context, other = await new_context(), await new_context()
    await sign_up(context, web.url, "Rhea")
    await sign_in(other, web.url, "Rhea")
    chat = await open_chat(context, web.url)
    seen = await halfway(chat, 400)
    await chat.page.reload()
    await expect(chat.stop_button).to_be_visible(timeout=15_000)
    assert (await said(chat)).startswith(seen)
    await chat.picture("web-reloaded-in-the-middle")
    thread = re.search(r"[?&]c=([^&]+)", chat.page.url)
    assert thread
    there = await open_chat(other, web.url, thread[1])
    await expect(there.stop_button).to_be_visible(timeout=15_000)
    at_first = await said(there)
    await expect(there.log.locator(".prose")).not_to_have_text(at_first)
    await there.stop_button.click()
    for each in (chat, there):
        await each.answered()
        await expect(each.alert).to_have_count(0)
    assert await said(chat) == await said(there)
    assert len((await said(chat)).split()) < 400


async def test_a_chatbridge_that_dies_in_the_middle_interrupts_the_answer_and_one_click_asks_again(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("Failed to load resource", "status of 502", "interrupted")
    await sign_up(context, web.url, "Ivo")
    chat = await open_chat(context, web.url)
    await halfway(chat, 120)
    assert web.server.process
    web.server.process.kill()
    web.server.process.wait()
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    seen = await said(chat)
    web.server.start()
    await expect(chat.alert).to_contain_text("interrupted")
    assert (await said(chat)).startswith(seen)
    before = await chat.answers()
    await chat.alert.get_by_role("button", name="Retry").click()
    await chat.answered(before)
    assert len((await said(chat)).split()) >= 120
    await expect(chat.alert).to_have_count(0)
