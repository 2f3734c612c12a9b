"""The element in front of other servers: of another origin, and such as speak plain ChatKit."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Route, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Path

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint, Telling, created, done, user_message
from tests.browser.in_this_loop import served_here
from tests.browser.opened import OPTIONS, whole
from tests.chatkit_client import Json

OF_CHATKIT = {"Content-Type", "Accept-Language", "ChatKit-Frame-Instance-Id"}
OURS = {"Idempotency-Key", "X-Chatbridge-Stream", "X-Chatbridge-Time-Zone", "Last-Event-ID"}

SET_UP = """(options) => document.querySelector("openai-chatkit").setOptions(options)"""


@pytest.fixture
async def here(bundle: dict[str, str], endpoint: Endpoint) -> AsyncIterator[str]:
    """The address of a server with a page `own` and a page `theirs`, by whose the script is."""

    def page(request: Request) -> Response:
        script = {"own": "chatkit.js", "theirs": f"{endpoint.url}chatkit.js"}
        src = script[request.path_params["script"]]
        return HTMLResponse(
            "<!doctype html><title>Page</title><link rel=icon href='data:,'>"
            f"<script src={src}></script><openai-chatkit></openai-chatkit>"
        )

    def element(request: Request) -> Response:
        return Response(bundle[request.url.path[1:]], media_type="text/javascript")

    routes = [Path("/{file}.js", element), Path("/{script}", page)]
    async with served_here(Starlette(routes=routes)) as url:
        yield url


async def elsewhere(context: BrowserContext, endpoint: Endpoint, page: str) -> Chat:
    """The element on this page, in front of the endpoint, which has another origin."""
    await context.add_init_script(LISTEN)
    shown = await context.new_page()
    await shown.goto(page)
    options: Json = OPTIONS | {"api": {"url": f"{endpoint.url}chatkit", "domainKey": "local"}}
    await shown.evaluate(SET_UP, options)
    return await Chat(shown).ready()


async def answered(chat: Chat, endpoint: Endpoint, text: str) -> Telling:
    """A whole answer to `text`."""
    before = await chat.answers()
    await chat.say(text)
    telling = await endpoint.telling()
    telling.end(created(), done(user_message("u1", text)), whole("Yes."))
    await chat.answered(before)
    return telling


async def test_a_server_of_another_origin_is_sent_nothing_that_it_may_not_allow(
    context: BrowserContext, endpoint: Endpoint, here: str
) -> None:
    endpoint.allows = OF_CHATKIT
    chat = await elsewhere(context, endpoint, f"{here}/own")
    for text in ("First", "Second"):
        telling = await answered(chat, endpoint, text)
        assert not {name.lower() for name in OURS} & telling.headers.keys()


async def test_a_chatbridge_of_another_origin_is_known_once_it_has_said_so(
    context: BrowserContext, endpoint: Endpoint, here: str
) -> None:
    endpoint.allows, endpoint.resumes = OF_CHATKIT | OURS, True
    chat = await elsewhere(context, endpoint, f"{here}/own")
    assert "idempotency-key" not in (await answered(chat, endpoint, "First")).headers
    await chat.open_history()
    await chat.button("Conversations").click()
    assert "idempotency-key" in (await answered(chat, endpoint, "Second")).headers


async def test_whoever_has_served_the_script_is_known_from_the_start(
    context: BrowserContext, endpoint: Endpoint, here: str
) -> None:
    endpoint.allows, endpoint.resumes = OF_CHATKIT | OURS, True
    chat = await elsewhere(context, endpoint, f"{here}/theirs")
    telling = await answered(chat, endpoint, "First")
    assert telling.headers["x-chatbridge-stream"] == "resumable"


@pytest.mark.parametrize("resumes", [True, False])
async def test_a_message_that_was_sent_without_a_key_is_not_sent_again(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, here: str, resumes: bool
) -> None:
    watch.expect("ERR_CONNECTION_RESET")
    endpoint.allows, endpoint.resumes = OF_CHATKIT | OURS, resumes
    chat = await elsewhere(context, endpoint, f"{here}/own")
    lost: list[str] = []

    async def lose(route: Route) -> None:
        lost.append(route.request.method)
        await route.abort("connectionreset")

    await context.route(f"{endpoint.url}chatkit", lose)
    await chat.say("Well?")
    await expect(chat.alert).to_contain_text("can't be reached")
    await expect(chat.box).to_have_value("Well?")
    assert lost.count("POST") == 1
