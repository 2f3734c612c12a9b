"""The element on a page of `endpoint`, as its tests begin with it."""

from playwright.async_api import BrowserContext, Route, expect

from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import (
    Endpoint,
    Telling,
    added,
    assistant_message,
    created,
    delta,
    done,
    user_message,
)
from tests.chatkit_client import Json

BROKEN = "ERR_INCOMPLETE_CHUNKED_ENCODING"

OPTIONS: Json = {
    "api": {"url": "chatkit", "domainKey": "local"},
    "history": {"enabled": True, "showRename": True, "showDelete": True},
    "threadItemActions": {"feedback": True, "retry": True},
    "startScreen": {"greeting": "Well?", "prompts": [{"label": "First", "prompt": "the first"}]},
}


async def opened(context: BrowserContext, endpoint: Endpoint, **options: object) -> Chat:
    """The element with these options besides the usual ones."""
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(
        "(options) => document.querySelector('openai-chatkit').setOptions(options)",
        OPTIONS | options,
    )
    chat = Chat(page)
    await chat.element.locator("section").wait_for()
    return chat


async def asked(chat: Chat, endpoint: Endpoint, text: str = "Well?") -> Telling:
    """A question whose answer has begun: the conversation and the message are told."""
    await chat.say(text)
    telling = await endpoint.telling()
    telling.tell(created(), done(user_message("u1", text)))
    await expect(chat.log.locator("[data-item-id=u1]")).to_be_visible()
    return telling


def half(text: str = "The first half") -> tuple[Json, Json]:
    """The events with which an answer begins."""
    return added(assistant_message("a1", "")), delta("a1", text)


def whole(text: str) -> Json:
    """The event with which it is whole."""
    return done(assistant_message("a1", text))


async def lose_the_request(route: Route) -> None:
    """The server never hears of it."""
    await route.abort("connectionreset")
