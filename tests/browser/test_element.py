"""The element and a stream: what it shows while one runs, and how one ends."""

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
    done,
    progress,
    user_message,
)
from tests.browser.opened import asked, opened


async def test_an_answer_grows_before_it_is_whole(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    await expect(chat.progress).to_have_text("Thinking")
    await expect(chat.stop_button).to_be_visible()
    telling.tell(added(assistant_message("a1", "")), delta("a1", "Half of "))
    await expect(chat.log.locator(".prose")).to_have_text("Half of")
    await expect(chat.progress).to_have_count(0)
    await expect(chat.log).to_have_attribute("aria-busy", "true")
    telling.end(delta("a1", "it."), done(assistant_message("a1", "Half of it.")))
    await chat.answered()
    assert [entry.text for entry in await chat.shown()] == ["Well?", "Half of it."]
    await expect(chat.send_button).to_be_visible()
    await expect(chat.button("Copy")).to_be_visible()


async def test_a_stream_in_pieces_of_one_byte_is_read(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    event = '{"type":"thread.item.done","item":{"id":"a1","type":"assistant_message",'
    event += '"thread_id":"thr_1","created_at":"2026-01-02T03:04:05Z",'
    event += '"content":[{"type":"output_text","text":"Grüße 🚀","annotations":[]}]}}'
    for byte in f": ping\r\n\r\ndata: {event}\r\n\r\n".encode():
        telling.write(bytes([byte]))
        await asyncio.sleep(0)
    telling.end()
    await chat.answered()
    assert (await chat.shown())[-1].text == "Grüße 🚀"


async def test_progress_is_told_in_the_servers_words(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell(progress("Looking it up"))
    await expect(chat.progress).to_have_text("Looking it up")
    telling.end(done(assistant_message("a1", "Found.")))
    await chat.answered()
    await expect(chat.progress).to_have_count(0)


async def test_stop_asks_the_server_and_reads_to_the_end(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell(added(assistant_message("a1", "")), delta("a1", "As far as"))
    await expect(chat.log.locator(".prose")).to_have_text("As far as")
    await chat.stop_button.click()
    async with asyncio.timeout(PATIENCE):
        await telling.stopped.wait()
    assert not telling.left.is_set()
    telling.end(done(assistant_message("a1", "As far as here.")))
    await chat.answered()
    assert (await chat.shown())[-1].text == "As far as here."
    await expect(chat.alert).to_have_count(0)


async def test_stop_without_an_address_leaves_the_stream(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.can_stop = False
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell(added(assistant_message("a1", "")), delta("a1", "As far as"))
    await expect(chat.log.locator(".prose")).to_have_text("As far as")
    await chat.stop_button.click()
    await chat.answered()
    async with asyncio.timeout(PATIENCE):
        await telling.left.wait()
    assert (await chat.shown())[-1].text == "As far as"
    await expect(chat.alert).to_have_count(0)


async def test_what_may_not_be_stopped_has_no_button_for_it(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell({"type": "stream_options", "stream_options": {"allow_cancel": False}})
    await expect(chat.stop_button).to_have_count(0)
    telling.end(done(assistant_message("a1", "Whole.")))
    await chat.answered()


async def test_a_lost_connection_is_no_stop_and_the_answer_is_read_later(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.tell(added(assistant_message("a1", "")), delta("a1", "The first half"))
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    endpoint.keep("thr_1", user_message("u1", "Well?"))
    telling.break_off()
    await expect(chat.progress).to_contain_text("Connection lost")
    assert not telling.stopped.is_set()
    await expect(chat.log.locator(".prose")).to_have_text("The first half")
    whole = assistant_message("a1", "The first half and the second.")
    endpoint.keep("thr_1", user_message("u1", "Well?"), whole)
    await chat.answered()
    assert (await chat.shown())[-1].text == "The first half and the second."
    await expect(chat.progress).to_have_count(0)


@pytest.mark.parametrize("status", [403, 409, 422, 429, 500, 503])
async def test_a_refusal_is_told_in_the_servers_words_and_the_text_is_given_back(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, status: int
) -> None:
    watch.expect(f"status of {status}")
    chat = await opened(context, endpoint)
    endpoint.refuse(status, "Not now, says the server.")
    await chat.say("A long and careful text")
    await expect(chat.alert).to_contain_text("Not now, says the server.")
    await expect(chat.box).to_have_value("A long and careful text")
    assert await chat.shown() == []
    await expect(chat.send_button).to_be_enabled()


async def test_an_error_in_the_stream_leaves_what_was_said_and_offers_to_try_again(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    half = assistant_message("a1", "Half a sentence")
    endpoint.keep("thr_1", user_message("u1", "Well?"), half)
    error = {"type": "error", "code": "custom", "message": "It broke.", "allow_retry": True}
    telling.end(done(half), error)
    await chat.answered()
    await expect(chat.alert).to_contain_text("It broke.")
    assert (await chat.shown())[-1].text == "Half a sentence"
    await chat.alert.get_by_role("button", name="Retry").click()
    again = await endpoint.telling()
    assert again.request["type"] == "threads.retry_after_item"
    assert again.params == {"thread_id": "thr_1", "item_id": "u1"}
    again.end(done(assistant_message("a2", "Whole.")))
    await expect(chat.log).to_contain_text("Whole.")
    await expect(chat.alert).to_have_count(0)

    # one that is stopped has replaced nothing, also of what came later
    kept = (user_message("u1", "Well?"), assistant_message("a2", "Whole."))
    endpoint.keep("thr_1", *kept, user_message("u2", "And?"), assistant_message("a3", "That too."))
    await chat.button("Answer again").click()
    stopped = await endpoint.telling()
    stopped.tell(done(assistant_message("a4", "Anoth")))
    await expect(chat.log).to_contain_text("Anoth")
    await chat.stop_button.click()
    async with asyncio.timeout(PATIENCE):
        await stopped.stopped.wait()
    stopped.end()
    await expect(chat.log).to_contain_text("That too.")
    assert [each.text for each in await chat.shown()] == ["Well?", "Whole.", "And?", "That too."]


async def test_notices_are_shown_in_their_levels(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    notice = {"type": "notice", "level": "warning", "title": "Mind", "message": "**this**"}
    telling.tell(notice, {"type": "notice", "level": "danger", "message": "All is lost."})
    shown = chat.element.locator("[data-part=notice]")
    await expect(shown.first).to_have_attribute("data-level", "warning")
    await expect(shown.first.locator("strong").first).to_have_text("Mind")
    # read aloud by a region that was there before
    aloud = chat.element.locator("[data-part=aloud][role=status]")
    await expect(aloud).to_have_text("Mind this All is lost.")
    telling.end(done(assistant_message("a1", "Said.")))
    await chat.answered()
    await shown.last.get_by_role("button", name="Dismiss").click()
    await expect(shown).to_have_count(1)


async def test_whoever_listens_late_still_hears_that_it_is_ready(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    await chat.page.wait_for_function("window.heard.some((e) => e.name === 'ready')")
    await chat.page.wait_for_timeout(100)
    late = await chat.element.evaluate(
        "(e) => new Promise((hear) => e.addEventListener('chatkit.ready', () => hear('heard')))"
    )
    assert late == "heard"
