"""The element and an answer that runs already when a conversation is opened."""

import asyncio

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import (
    PATIENCE,
    Endpoint,
    added,
    assistant_message,
    delta,
    interrupted,
    user_message,
)
from tests.browser.opened import BROKEN, half, opened, whole
from tests.chatkit_client import Json

QUESTION = user_message("u1", "Well?")

# The shortest text of an answer that has been seen since.
NOTE_SHORTEST = """(element) => {
  const look = () => {
    const length = element.shadowRoot.querySelector("[data-item-id=a1]")?.innerText.length ?? 0;
    window.shortest = Math.min(window.shortest ?? Infinity, length);
  };
  look();
  const watched = { childList: true, subtree: true, characterData: true };
  new MutationObserver(look).observe(element.shadowRoot, watched);
}"""

DRAWN = """() => window.heard.some((each) => each.name === "effect")
  && new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go(true))))"""


@pytest.fixture(autouse=True)
def _resumes(endpoint: Endpoint) -> None:
    endpoint.resumes = True


async def test_whoever_opens_a_conversation_sees_the_running_answer_and_sees_it_go_on(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    assert joined.headers["last-event-id"] == "turn_1/0"
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    await expect(chat.stop_button).to_be_enabled()
    await expect(chat.log).to_have_attribute("aria-busy", "true")
    await chat.element.evaluate(NOTE_SHORTEST)
    joined.number(1, added(assistant_message("a1", "")), delta("a1", "The first"))
    joined.number(3, {"type": "client_effect", "name": "taken", "data": {}})
    # what was taken in before it would have been drawn by now
    await chat.page.wait_for_function(DRAWN)
    joined.number(4, delta("a1", " half"), delta("a1", " and"))
    await expect(chat.log.locator(".prose")).to_have_text("The first half and")
    assert await chat.page.evaluate("window.shortest") == len("The first half")
    await chat.stop_button.click()
    async with asyncio.timeout(PATIENCE):
        await joined.stopped.wait()
    joined.number(6, whole("The first half and"))
    joined.end()
    await chat.answered()
    assert [entry.text for entry in await chat.shown()] == ["Well?", "The first half and"]
    await expect(chat.send_button).to_be_visible()


async def test_whoever_opens_a_conversation_before_anything_is_said_sees_that_it_is_thought_about(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", QUESTION)
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    await expect(chat.progress).to_have_text("Thinking")
    await expect(chat.stop_button).to_be_enabled()
    joined.number(1, *half("From the"))
    await expect(chat.log.locator(".prose")).to_have_text("From the")
    joined.end(whole("From the start."))
    await chat.answered()


async def test_what_an_answer_did_to_the_page_before_one_joined_is_not_done_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN)

    def effect(name: str) -> Json:
        return {"type": "client_effect", "name": name, "data": {"at": name}}

    endpoint.keep("thr_1", QUESTION)
    endpoint.running.add("thr_1")
    endpoint.told = 2
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    joined.number(1, effect("past"), added(assistant_message("a1", "")), effect("first"))
    joined.number(4, delta("a1", "So far"))
    await expect(chat.log.locator(".prose")).to_have_text("So far")
    joined.break_off()
    resumed = await endpoint.telling()
    resumed.number(5, effect("second"), whole("So far, so good."))
    resumed.end()
    await chat.answered()
    done = [{"name": name, "data": {"at": name}} for name in ("first", "second")]
    assert await chat.heard("effect") == done


async def test_an_answer_that_was_joined_is_resumed_like_any_other(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN)
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    joined.number(1, *half(), delta("a1", " and"))
    # seen, and so not lost with the connection
    await expect(chat.log.locator(".prose")).to_have_text("The first half and")
    joined.break_off()
    resumed = await endpoint.telling()
    assert resumed.headers["last-event-id"] == "turn_1/3"
    resumed.end(whole("The first half and the second."))
    await chat.answered()
    assert (await chat.shown())[-1].text == "The first half and the second."


async def test_an_interruption_that_is_told_to_whoever_comes_later_is_said(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    joined.number(1, interrupted())
    joined.end()
    await chat.answered()
    await expect(chat.alert).to_contain_text("interrupted")
    assert (await chat.shown())[-1].text == "The first half"


async def test_an_answer_that_has_ended_meanwhile_is_shown_whole(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    joined = await endpoint.telling()
    joined.number(1, *half("All of"), whole("All of it."))
    joined.end()
    await chat.answered()
    await expect(chat.log.locator(".prose")).to_have_text("All of it.")
    await expect(chat.send_button).to_be_visible()


async def test_behind_a_proxy_that_passes_no_events_the_answer_is_looked_for(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 405")
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first"))
    endpoint.running.add("thr_1")
    endpoint.gone = 405
    chat = await opened(context, endpoint, initialThread="thr_1")
    await expect(chat.stop_button).to_be_visible()
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    await expect(chat.stop_button).to_be_visible()
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "All of it."))
    endpoint.running.clear()
    await chat.answered()
    await expect(chat.log.locator(".prose")).to_have_text("All of it.")
