"""What lies in files of its own is loaded when it is first needed; its absence harms nothing."""

import asyncio
import re

from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import Endpoint, assistant_message, user_message
from tests.browser.opened import opened

FILE = re.compile(r"/items-[0-9a-f]{12}\.js")


async def test_a_message_can_be_typed_before_what_draws_answers_has_come(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_FAILED")
    come = asyncio.Event()
    tries: list[str] = []

    async def late(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            return await route.abort()
        await come.wait()
        return await route.continue_()

    await context.route(FILE, late)
    endpoint.keep("thr_1", user_message("u1", "Add **it**"), assistant_message("a1", "I *did*"))
    chat = await opened(context, endpoint, initialThread="thr_1", disclaimer={"text": "*Check*"})
    await chat.loaded(2)
    await expect(chat.entries).to_have_text(["Add **it**", "I *did*"])
    await expect(chat.element).to_contain_text("*Check*")
    await chat.box.fill("Typed already")

    come.set()
    await expect(chat.entries).to_have_text(["Add **it**", "I did"])
    await expect(chat.box).to_have_value("Typed already")
    await expect(chat.element.locator(".disclaimer em")).to_have_text("Check")
    assert len(tries) == 2
