"""The element and an answer whose connection fails: it goes on where it was."""

import asyncio
import time

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.element_page import Chat
from tests.browser.endpoint import (
    PATIENCE,
    Endpoint,
    Telling,
    assistant_message,
    delta,
    done,
    interrupted,
    user_message,
)
from tests.browser.opened import BROKEN, asked, half, lose_the_request, opened, whole

QUESTION = user_message("u1", "Well?")


@pytest.fixture(autouse=True)
def _resumes(endpoint: Endpoint) -> None:
    endpoint.resumes = True


async def halfway(chat: Chat, endpoint: Endpoint) -> Telling:
    """A question that is answered in part, by two frames of its turn."""
    telling = await asked(chat, endpoint)
    assert telling.headers["x-chatbridge-stream"] == "resumable"
    telling.number(1, *half())
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    return telling


async def test_an_answer_goes_on_after_the_last_event_that_arrived(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN)
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    telling.break_off()
    endpoint.running.add("thr_1")
    resumed = await endpoint.telling()
    assert resumed.headers["last-event-id"] == "turn_1/2"
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    resumed.number(3, delta("a1", " and the second."))
    await expect(chat.log.locator(".prose")).to_have_text("The first half and the second.")
    await expect(chat.progress).to_have_count(0)
    await expect(chat.stop_button).to_be_enabled()
    resumed.number(4, whole("The first half and the second."))
    resumed.end()
    await chat.answered()
    assert [entry.text for entry in await chat.shown()] == [
        "Well?",
        "The first half and the second.",
    ]
    assert await chat.answers() == 1
    assert [len(endpoint.asked(o)) for o in ("threads.create", "threads.get_by_id")] == [1, 0]


async def test_the_connection_may_be_lost_again_and_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN)
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    endpoint.running.add("thr_1")
    for number in range(3, 7):
        telling.break_off()
        telling = await endpoint.telling()
        assert telling.headers["last-event-id"] == f"turn_1/{number - 1}"
        telling.number(number, delta("a1", f" {number}"))
        await expect(chat.log.locator(".prose")).to_contain_text(f" {number}")
    telling.end(whole("The first half 3 4 5 6"))
    await chat.answered()
    assert (await chat.shown())[-1].text == "The first half 3 4 5 6"


async def test_while_the_connection_is_lost_the_chat_says_so_and_the_answer_can_be_stopped(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN, "status of 502")
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    for _ in range(3):
        endpoint.refuse(502)
    telling.break_off()
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    await chat.picture("reconnecting")
    await expect(chat.stop_button).to_be_enabled()
    await chat.stop_button.click()
    async with asyncio.timeout(PATIENCE):
        await telling.stopped.wait()
    endpoint.running.add("thr_1")
    resumed = await endpoint.telling()
    resumed.number(3, whole("The first half"))
    resumed.end()
    await chat.answered()
    await expect(chat.alert).to_have_count(0)
    await expect(chat.send_button).to_be_visible()


async def test_a_server_that_falls_silent_is_given_up_for_another(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    endpoint.running.add("thr_1")
    since = time.monotonic()
    resumed = await endpoint.telling()
    # silent for 4 seconds: it is dead
    assert time.monotonic() - since > 3
    assert resumed.headers["last-event-id"] == "turn_1/2"
    async with asyncio.timeout(PATIENCE):
        await telling.left.wait()
    resumed.number(3, interrupted(), whole("The first half"))
    resumed.end()
    await chat.answered()
    await expect(chat.alert).to_contain_text("interrupted")
    assert (await chat.shown())[-1].text == "The first half"
    await chat.alert.get_by_role("button", name="Retry").click()
    again = await endpoint.telling()
    assert again.request["type"] == "threads.retry_after_item"
    again.end(done(assistant_message("a2", "Whole.")))
    await expect(chat.log).to_contain_text("Whole.")


async def test_a_server_that_is_alive_is_waited_for(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    for _ in range(5):
        await asyncio.sleep(1)
        telling.write(b": keep-alive\n\n")
    assert not telling.left.is_set()
    telling.number(3, whole("Thought about for long."))
    telling.end()
    await chat.answered()
    assert (await chat.shown())[-1].text == "Thought about for long."


async def test_an_answer_whose_events_are_gone_is_read_as_it_is_kept(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN, "status of 409")
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "All of it."))
    endpoint.gone = 409
    telling.break_off()
    await chat.answered()
    assert (await chat.shown())[-1].text == "All of it."
    await expect(chat.alert).to_have_count(0)


async def test_after_a_minute_the_person_decides(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN, "ERR_CONNECTION_RESET")
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    await context.route("**/events", lose_the_request)
    await chat.page.clock.install()
    telling.break_off()
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    for _ in range(70):
        await chat.page.clock.run_for(1_000)
    await expect(chat.alert).to_contain_text("The connection was lost")
    assert (await chat.shown())[-1].text == "The first half"
    await chat.picture("connection-lost")
    await context.unroute("**/events")
    endpoint.keep("thr_1", QUESTION, assistant_message("a1", "The first half"))
    endpoint.running.add("thr_1")
    await chat.alert.get_by_role("button", name="Retry").click()
    await chat.page.clock.run_for(1_000)
    joined = await endpoint.telling()
    joined.end(whole("All of it."))
    await chat.page.clock.run_for(1_000)
    await expect(chat.log.locator(".prose")).to_have_text("All of it.")


async def test_when_the_network_is_back_it_is_tried_at_once(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN, "ERR_INTERNET_DISCONNECTED")
    chat = await opened(context, endpoint)
    telling = await halfway(chat, endpoint)
    endpoint.running.add("thr_1")
    await context.set_offline(True)
    telling.break_off()
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    # by now the pauses are 3 seconds long
    await asyncio.sleep(5)
    await context.set_offline(False)
    since = time.monotonic()
    resumed = await endpoint.telling()
    assert time.monotonic() - since < 2
    resumed.end(whole("All of it."))
    await chat.answered()


async def test_a_second_answer_that_is_interrupted_says_so_beside_the_first(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", QUESTION, assistant_message("a0", "The first answer"))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await chat.button("Answer again").click()
    telling = await endpoint.telling()
    telling.number(1, *half("Half of the sec"), interrupted())
    telling.end()
    await chat.answered()
    await expect(chat.log.locator(".prose")).to_have_text("The first answer")
    await expect(chat.alert).to_contain_text("interrupted")
