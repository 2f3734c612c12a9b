"""The task list in the chat of the web app: a click completes a task."""

import re

from playwright.async_api import Locator, expect

from scripts.web import Web
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat
from tests.browser.web_stack import open_chat, sign_up


def row(chat: Chat, title: str) -> Locator:
    """The button that completes it, in what was shown last."""
    return chat.element.get_by_role("button", name=f"{title} Complete", exact=True).last


def status(chat: Chat) -> Locator:
    """What a list says of itself."""
    return chat.element.locator("[data-widget=ListView] .status").last


async def test_tasks_are_completed_in_the_list_and_where_several_may_be_meant_one_is_picked(
    web: Web, new_context: NewContext
) -> None:
    context = await new_context(viewport={"width": 1440, "height": 900})
    await sign_up(context, web.url, "Tess")
    chat = await open_chat(context, web.url)
    for title in ("buy oat milk", "buy soy milk", "call mum"):
        await chat.ask(f"add {title}")
    await chat.ask("what are my tasks?")
    await expect(status(chat)).to_have_text("Your open tasks")
    await row(chat, "call mum").focus()
    await chat.page.keyboard.press("Enter")
    await expect(status(chat)).to_have_text("Done: call mum")
    await expect(row(chat, "call mum")).to_have_count(0)
    await expect(chat.badges.last).to_have_text("Done")
    # the list beside the chat has heard of it
    await expect(chat.page.get_by_text("2 open, 1 done")).to_be_visible(timeout=5_000)

    await chat.ask("complete the milk one")
    await expect(status(chat)).to_have_text("Which one is done?")
    picked = chat.element.locator("[data-widget=ListView]").last
    await expect(picked.get_by_role("listitem")).to_have_count(2)
    await row(chat, "buy soy milk").click()
    await expect(status(chat)).to_have_text("Done: buy soy milk")
    await expect(chat.page.get_by_text("1 open, 2 done")).to_be_visible(timeout=5_000)

    # named with @, as the one that is meant
    await chat.ask("add call dad")
    await chat.box.press_sequentially("complete @dad")
    options = chat.element.get_by_role("listbox", name="Tags").get_by_role("option")
    await expect(options).to_have_text(["call dad"])
    await chat.page.keyboard.press("Enter")
    before = await chat.answers()
    await chat.send_button.click()
    # what comes in between moves it away from below the pointer
    await chat.answered(before)
    named = chat.log.get_by_role("button", name="@call dad")
    await expect(chat.page.get_by_text("1 open, 3 done")).to_be_visible(timeout=5_000)
    await named.hover()
    await expect(chat.element.get_by_role("tooltip")).to_contain_text("Task 4, done")
    await chat.ask("rename task 4 to call grandma")
    await named.hover()
    await expect(chat.element.get_by_role("tooltip")).to_have_text(
        re.compile("grandma.*Task 4, done")
    )
    await named.click()
    await expect(chat.page.locator("#task-4")).to_be_focused()
    await chat.page.set_viewport_size({"width": 800, "height": 900})
    await named.click()
    await expect(chat.page).to_have_url(f"{web.url}/dashboard#task-4")
    await expect(chat.page.locator("#task-4")).to_be_focused()
    await chat.page.go_back()
    await chat.page.set_viewport_size({"width": 1440, "height": 900})
    await expect(named).to_be_visible()

    seen = await chat.shown()
    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    # what an older list still offers, it may no longer do
    await chat.element.get_by_role("button", name="buy soy milk Complete").click()
    first = chat.element.locator("[data-widget=ListView] .status").first
    await expect(first).to_have_text("Was done already: buy soy milk")
