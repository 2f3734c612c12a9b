"""What lies in files of its own is loaded when it is first needed; its absence harms nothing."""

import re

from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chromium import Watch
from tests.browser.endpoint import Endpoint, user_message
from tests.browser.opened import asked, opened, whole
from tests.chatkit_client import Json

FILE = re.compile(r"/widgets-[0-9a-f]{12}\.js")
BADGE: Json = {
    "id": "w1",
    "type": "widget",
    "widget": {"type": "Card", "children": [{"type": "Badge", "label": "Success"}]},
    "copy_text": "Add task: Success",
}


async def test_what_draws_widgets_is_loaded_with_the_first_message(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    scripts: list[str] = []
    context.on("request", lambda r: scripts.append(r.url) if r.url.endswith(".js") else None)
    chat = await opened(context, endpoint)
    await chat.ready()
    assert scripts == [f"{endpoint.url}chatkit.js"]
    telling = await asked(chat, endpoint)
    telling.end(whole("Yes."))
    await chat.answered()
    assert len(scripts) == 2
    assert FILE.search(scripts[1])


async def test_a_widget_is_text_until_its_file_has_come(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_FAILED", "can't be loaded")
    tries: list[str] = []

    async def second_time_lucky(route: Route) -> None:
        tries.append(route.request.url)
        await (route.abort() if len(tries) == 1 else route.continue_())

    await context.route(FILE, second_time_lucky)
    endpoint.keep("thr_1", user_message("u1", "Add it"), BADGE)
    chat = await opened(context, endpoint, initialThread="thr_1")
    item = chat.log.locator("[data-item-id=w1]")
    await expect(item).to_have_text("Add task: Success")
    await expect(chat.badges).to_have_text(["Success"])
    await expect(item).to_have_text("Success")
