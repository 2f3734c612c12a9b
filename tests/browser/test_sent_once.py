"""The element and a message whose way is lost: it is sent again, and is one message."""

import asyncio
import re
import time

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import (
    PATIENCE,
    Endpoint,
    assistant_message,
    created,
    done,
    user_message,
)
from tests.browser.opened import BROKEN, asked, half, lose_the_request, opened, whole

KEY = "idempotency-key"
QUESTION = user_message("u1", "Well?")


@pytest.fixture(autouse=True)
def _resumes(endpoint: Endpoint) -> None:
    endpoint.resumes = True


async def lose_the_answer(route: Route) -> None:
    """The server has heard of it, and the page never learns so."""
    post = route.request
    # the stream has no end: nobody waits for it longer than the server needs to hear
    asking = asyncio.ensure_future(route.fetch(timeout=1000))
    await asyncio.wait({asking})
    asking.exception()
    assert post.method == "POST"
    await route.abort("connectionreset")


async def test_a_lost_answer_makes_no_second_message(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Yes."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await context.route("**/chatkit", lose_the_answer, times=1)
    await chat.say("Well?")
    unheard = await endpoint.telling()
    again = await endpoint.telling()
    assert again.request == unheard.request
    assert again.headers[KEY] == unheard.headers[KEY]
    assert re.fullmatch(r"[!-~]{1,255}", again.headers[KEY])
    again.tell(done(QUESTION))
    again.end(whole("Once."))
    await chat.answered()
    assert [entry.text for entry in await chat.shown()] == ["Before", "Yes.", "Well?", "Once."]


async def test_an_answer_that_broke_off_before_it_said_anything_is_asked_for_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN)
    chat = await opened(context, endpoint)
    first = await asked(chat, endpoint)
    first.break_off()
    again = await endpoint.telling()
    assert again.headers[KEY] == first.headers[KEY]
    again.tell(created(), done(QUESTION))
    again.number(1, *half(), whole("Once."))
    again.end()
    await chat.answered()
    assert [entry.text for entry in await chat.shown()] == ["Well?", "Once."]
    assert await chat.heard("thread.change") == [{"threadId": "thr_1"}]


async def test_a_server_that_has_not_been_met_is_met_before_a_message_is_sent_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    chat = await opened(context, endpoint)
    await context.route("**/chatkit", lose_the_request, times=2)
    await chat.say("Well?")
    telling = await endpoint.telling()
    telling.tell(created(), done(QUESTION))
    telling.end(whole("Once."))
    await chat.answered()
    operations = [request["type"] for request in endpoint.requests]
    assert operations == ["threads.list", "threads.create"]
    assert await chat.heard("error") == []


async def test_a_server_that_may_take_it_twice_gets_a_message_once(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    endpoint.resumes = False
    chat = await opened(context, endpoint)
    await context.route("**/chatkit", lose_the_answer, times=1)
    await chat.say("Well?")
    await expect(chat.alert).to_contain_text("can't be reached")
    await expect(chat.box).to_have_value("Well?")
    assert len(endpoint.asked("threads.create")) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_server_that_is_being_replaced_gets_the_message_when_it_wants_it(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, status: int
) -> None:
    watch.expect(f"status of {status}")
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Yes."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    endpoint.refuse(status, "It is stopping.", "stopping", **{"Retry-After": "2"})
    since = time.monotonic()
    await chat.say("Well?")
    telling = await endpoint.telling()
    assert time.monotonic() - since >= 2
    first, second = endpoint.headers[-2:]
    assert first[KEY] == second[KEY]
    telling.tell(done(QUESTION))
    telling.end(whole("Once."))
    await chat.answered()
    await expect(chat.alert).to_have_count(0)


async def test_what_was_given_back_and_is_sent_again_is_the_same_message(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 503")
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Yes."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    endpoint.refuse(503, "Not now.", **{"Retry-After": "600"})
    await chat.say("Well?")
    await expect(chat.alert).to_contain_text("Not now.")
    await expect(chat.box).to_have_value("Well?")
    keys = [endpoint.headers[-1][KEY]]
    for text in ("Well?", "Something else", "Something else"):
        before = await chat.answers()
        await chat.say(text)
        telling = await endpoint.telling()
        telling.end(done(user_message(f"u{len(keys)}", text)))
        await chat.answered(before)
        keys.append(telling.headers[KEY])
    assert keys[0] == keys[1]
    assert len(set(keys[1:])) == 3


@pytest.mark.parametrize("known", [True, False])
async def test_an_answer_is_stopped_before_its_first_byte(
    context: BrowserContext, endpoint: Endpoint, known: bool
) -> None:
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Yes."))
    chat = await opened(context, endpoint, **({"initialThread": "thr_1"} if known else {}))
    if known:
        await chat.loaded(2)
    held: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def hold(route: Route) -> None:
        held.set_result(route.request.headers[KEY])

    await context.route("**/chatkit", hold, times=1)
    await chat.say("Well?")
    key = await held
    await chat.stop_button.click()
    telling = await endpoint.telling()
    assert telling.headers[KEY] == key
    async with asyncio.timeout(PATIENCE):
        await telling.stopped.wait()
    telling.tell(*([] if known else [created("thr_2")]), done(QUESTION))
    telling.end()
    await chat.answered()
    await expect(chat.box).to_have_value("")
    assert (await chat.shown())[-1].text == "Well?"
    await expect(chat.alert).to_have_count(0)
