"""A tool call that asks a person: after a reload and a restart, in tabs and by keyboard."""

import asyncio
import re

from playwright.async_api import Locator, expect

from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat

ASKED = "tasks · delete_task: Needs approval (Delete task 1 'buy oat milk')"
FOCUS = "() => window.dispatchEvent(new Event('focus'))"
LATER = "() => { const now = Date.now; Date.now = () => now() + 120_000; }"


def answer(chat: Chat, word: str) -> Locator:
    """The button, by the name that a reader hears: with what it answers."""
    named = re.compile(rf"^{word} Delete task 1 '(buy oat )?milk'$")
    return chat.element.get_by_role("button", name=named)


def aloud(chat: Chat) -> Locator:
    """What is read to those who don't see the card."""
    return chat.element.locator("[data-part=aloud]")


async def waiting(server: ChatServer, user: str) -> str | None:
    """The conversations of theirs that can still be answered."""
    listed = await server.ask(user, {"type": "threads.list", "params": {"limit": 9}})
    return listed.headers.get("X-Chatbridge-Waiting")


async def has_asked(chat: Chat) -> None:
    """The card as it is, however the page has come to it."""
    await expect(chat.badges.last).to_have_text("Needs approval")
    card = chat.entries.filter(has=chat.page.locator("form"))
    await expect(card).to_contain_text("tasks · delete_task")
    await expect(card).to_contain_text('"number": 1')
    await expect(card.get_by_role("textbox", name="Why not? (optional)")).to_be_visible()
    await expect(answer(chat, "Reject")).to_be_visible()


async def is_over(chat: Chat, state: str) -> None:
    """The card says what became of it, and asks no more."""
    await expect(chat.badges.last).to_have_text(state)
    await expect(answer(chat, "Approve")).to_have_count(0)
    await expect(answer(chat, "Reject")).to_have_count(0)


async def test_a_question_outlives_page_and_server_and_is_answered_on_another_device(
    chat_server: ChatServer, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
    here = await chat_server.open(await new_context(), "asker")
    await here.ask("add buy oat milk")
    await here.ask("delete task 1")
    await has_asked(here)
    await expect(aloud(here)).to_have_text(ASKED)
    assert await chat_server.tasks("asker") == ["buy oat milk"]
    await here.page.reload()
    await has_asked(here)
    await chat_server.kill_and_start_again()

    there = await chat_server.open(await new_context(), "asker")
    await there.open_history()
    waits = there.history.get_by_role("button", name="add buy oat milk Waits for you", exact=True)
    await waits.press("Enter")
    await has_asked(there)
    # what was there when it was opened is left to the reader
    await expect(aloud(there)).to_have_text("")
    approve = answer(there, "Approve")
    await approve.focus()
    await there.page.keyboard.press("Enter")
    await expect(there.log).to_contain_text("Deleted task 1, buy oat milk.")
    await is_over(there, "Success")
    await expect(aloud(there)).to_have_text("tasks · delete_task: Success")
    assert await chat_server.tasks("asker") == []
    seen = await there.shown()
    await there.open_history()
    await expect(there.history.get_by_role("listitem")).to_have_count(1)
    await expect(there.history).not_to_contain_text("Waits for you")

    await here.page.evaluate(LATER)
    await here.page.evaluate(FOCUS)
    await is_over(here, "Success")
    assert await here.shown() == seen


async def test_tabs_agree_on_what_was_answered_and_a_second_click_does_nothing(
    chat_server: ChatServer, new_context: NewContext
) -> None:
    context = await new_context()
    here = await chat_server.open(context, "two-tabs")
    await here.ask("add buy oat milk")
    await here.ask("delete task 1")
    thread = re.search(r"#(.+)$", here.page.url)[1]
    there = await chat_server.open(context, "two-tabs", thread)
    await has_asked(there)

    why = here.element.get_by_role("textbox", name="Why not? (optional)")
    await why.fill("I still need it")
    await here.page.keyboard.press("Tab")
    await expect(answer(here, "Approve")).to_be_focused()
    await here.page.keyboard.press("Tab")
    await expect(answer(here, "Reject")).to_be_focused()
    await here.page.evaluate(NOTE_REQUESTS)
    await answer(here, "Reject").dblclick()
    for chat in (here, there):
        await is_over(chat, "Rejected")
        await expect(chat.log).to_contain_text("They said: I still need it")
        await expect(aloud(chat)).to_have_text("tasks · delete_task: Rejected")
    assert await here.page.evaluate("() => window.requests") == ["threads.custom_action"]
    assert await chat_server.tasks("two-tabs") == ["buy oat milk"]

    # to say something else is an answer, too
    await here.ask("delete task 1")
    await expect(answer(there, "Approve")).to_be_visible()
    await here.ask("hello")
    for chat in (here, there):
        await is_over(chat, "Not run")
        await expect(chat.log).to_contain_text("I can look after your tasks")
    assert await chat_server.tasks("two-tabs") == ["buy oat milk"]


# what is sent by the operations that begin something
NOTE_REQUESTS = """() => {
  const asked = window.fetch;
  window.requests = [];
  window.fetch = (address, init) => {
    const { type } = JSON.parse(init?.body ?? "{}");
    if (type?.startsWith("threads.") && type !== "threads.get_by_id") window.requests.push(type);
    return asked(address, init);
  };
}"""


async def test_a_question_that_nobody_has_answered_in_time_is_over(
    chat_server: ChatServer, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("status of 409")
    impatient = await chat_server.another(CHATBRIDGE_TURNS__PATIENCE="1")
    try:
        chat = await chat_server.open(
            await new_context(), "slow", url=impatient.url, key=impatient.key
        )
        await chat.ask("add buy oat milk")
        await chat.ask("delete task 1")
        await expect(answer(chat, "Approve")).to_be_visible()
        async with asyncio.timeout(20):
            while await waiting(chat_server, "slow"):  # noqa: ASYNC110  # time tells nobody
                await asyncio.sleep(0.1)
        await answer(chat, "Approve").click()
        # too long ago, or closed by now as it was
        await expect(chat.log.get_by_role("alert")).to_contain_text("nothing was done")
        await is_over(chat, "Not run")
        await expect(chat.log).to_contain_text("Nobody has answered in time")
        assert await chat_server.tasks("slow") == ["buy oat milk"]
        await chat.ask("hello")
    finally:
        impatient.stop()


async def test_a_tool_is_approved_for_the_conversation(
    chat_server: ChatServer, new_context: NewContext
) -> None:
    allowing = await chat_server.another(CHATBRIDGE_MCP__TASKS_APPROVE_FOR_CONVERSATION="true")
    try:
        chat = await chat_server.open(
            await new_context(), "stands", url=allowing.url, key=allowing.key
        )
        await chat.ask("add milk")
        await chat.ask("add tea")
        await chat.ask("delete task 1")
        for_all = answer(chat, "Approve for this conversation")
        await for_all.focus()
        await chat.page.keyboard.press("Enter")
        await is_over(chat, "Success")
        await expect(for_all).to_have_count(0)
        await chat.ask("delete task 2")
        await expect(chat.log).to_contain_text("Deleted task 2")
        await is_over(chat, "Success")
    finally:
        allowing.stop()
