"""What answers is no chat server, or the page gives no access: it is said, and said where."""

import json
import re
from typing import Any

from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint
from tests.browser.opened import OPTIONS, opened

HTML = {"content_type": "text/html", "body": "<!doctype html><title>Our shop</title>"}
STREAM = {"content_type": "text/event-stream", "body": ""}

# what a page's server answers, and what is said of it
ANSWERS = (
    (HTML, "it said 200 text/html"),
    ({"json": {"error": "no"}}, "it said 200 application/json"),
    ({"status": 204, "body": ""}, "it said 204 nothing that has a type"),
    ({"status": 200, "body": ""}, "it said 200"),
    (STREAM, "it said nothing before the end of its stream"),
    ({**STREAM, "body": "data: <p>\n\ndata: 7\n\n"}, "nothing before the end of its stream"),
    ({"status": 404, **HTML}, "it said 404 text/html"),
    ({"status": 405, "body": ""}, "it said 405"),
    ({"status": 404, "json": {"no": 1}}, "it said 404 application/json."),
    (
        {"status": 404, "json": {"detail": "Not Found"}},
        "it said 404 application/json: Not Found",
    ),
    (
        {"status": 404, "json": {"code": "rest_no_route", "message": "No route"}},
        "it said 404 application/json: No route",
    ),
    (
        {"status": 422, "json": {"detail": [{"type": "missing"}]}},
        "it said 422 application/json.",
    ),
    (
        {"status": 500, "json": {"error": "Out of paper"}},
        "it said 500 application/json: Out of paper",
    ),
)
REFUSALS = (
    ({"status": 404, "json": {"code": "missing", "detail": "No such chat."}}, "No such chat."),
    ({"status": 400, "json": {"error": {"code": "no", "message": "Not so"}}}, "Not so"),
    ({"status": 401, "json": {"detail": "Who are you?"}}, "Who are you?"),
    ({"status": 429, "json": {"error": {"message": "Slowly"}}}, "Slowly"),
    ({"status": 500, "body": "<p>"}, "The server has a problem"),
)

# `window.way` is how the page's own server behaves
BY_SECRET = """(options) => {
  window.asked = 0;
  const getClientSecret = async () => {
    window.asked += 1;
    const say = window.ways[window.way];
    return say();
  };
  window.ways = {
    thrown: () => { throw new Error("No chat session: 502"); },
    rejected: () => Promise.reject("nobody is signed in"),
    undefined: () => undefined,
    empty: () => "",
    number: () => 7,
    lines: () => "one\\ntwo",
    letters: () => "sch\\u0142\\u00fcssel",
    silent: () => new Promise(() => {}),
  };
  document.querySelector("openai-chatkit").setOptions({
    ...options, api: { url: "chatkit", getClientSecret },
  });
}"""
WAYS = (
    ("thrown", "could not open a chat session: No chat session: 502"),
    ("rejected", "could not open a chat session: nobody is signed in"),
    ("undefined", "getClientSecret gave undefined"),
    ("empty", "getClientSecret gave an empty text"),
    ("number", "getClientSecret gave number"),
    ("lines", "getClientSecret gave a text that holds a line break"),
    ("letters", "getClientSecret gave a text that holds a line break or a letter"),
)
# what a page's options are, and what is said of them before anything leaves it
UNSENDABLE = (
    ({"api": {"url": "http://[", "domainKey": "local"}}, "api.url is no address: http://["),
    ({"api": {"url": "localhost:8000/chatkit"}}, "begins with localhost:"),
    ({"api": {"url": "file:///srv/chatkit"}}, "begins with file:"),
    ({"api": {"url": "http://ann:pw@127.0.0.1/chatkit"}}, "must not hold a name or a password"),
    ({"locale": "de\nDE"}, "its header Accept-Language holds a line break"),
)


async def test_an_answer_that_is_none_is_said_to_be_none(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault", "status of")
    chat = await opened(context, endpoint)
    asked: list[str] = []
    answers: list[Any] = []

    async def fulfil(route: Route) -> None:
        asked.append(route.request.method)
        await route.fulfill(**answers[-1])

    await context.route("**/chatkit", fulfil)
    for answer, said in ANSWERS + REFUSALS:
        answers.append(answer)
        asked.clear()
        await chat.say("Is anybody there?")
        await expect(chat.alert).to_contain_text(said)
        await expect(chat.box).to_have_value("Is anybody there?")
        assert asked == ["POST"]
        assert await chat.shown() == []
    errors = await chat.heard("error")
    assert len(errors) == len(ANSWERS) + len(REFUSALS)
    where = f"No chat server answers at {endpoint.url}chatkit: "
    assert all(error.startswith(where) for error in errors[: len(ANSWERS)])
    assert sum("HostFault" in trouble for trouble in watch.troubles) == len(ANSWERS)

    answers.append({"json": {"hello": "world"}})
    await chat.open_history()
    await expect(chat.history.get_by_role("alert")).to_contain_text("it said 200 application/json")

    # whoever has shown to be a chat server refuses in words of its own
    answers.append({"json": {"data": [], "has_more": False}})
    await chat.history.get_by_role("button", name="Retry").click()
    await expect(chat.history).to_contain_text("No conversations yet")
    await chat.button("Conversations").click()
    answers.append({"status": 404, "json": {"detail": "No such conversation"}})
    await chat.say("Is anybody there?")
    await expect(chat.alert).to_have_text(re.compile("^No such conversation"))


async def test_an_address_that_leads_to_a_sign_in_is_named_with_its_end(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault")
    chat = await opened(context, endpoint, api={"url": "moved", "domainKey": "local"})
    await chat.say("Is anybody there?")
    await expect(chat.alert).to_contain_text(f"led to {endpoint.url}login, which said 200")


async def test_the_pages_own_failure_is_told_as_its_own(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault")
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(endpoint.url)
    await page.evaluate(BY_SECRET, OPTIONS)
    chat = await Chat(page).ready()
    for asked, (way, said) in enumerate(WAYS, 1):
        await page.evaluate("(way) => (window.way = way)", way)
        await chat.say("Let me in")
        await expect(chat.alert).to_contain_text(said)
        await expect(chat.box).to_have_value("Let me in")
        assert await page.evaluate("window.asked") == asked
    await page.evaluate("window.way = 'silent'")
    await chat.say("Let me in")
    await expect(chat.stop_button).to_be_visible()
    await page.clock.fast_forward(3_000)
    await expect(chat.log).to_have_attribute("aria-busy", "true")
    await expect(page.locator("[data-part=progress]")).to_have_text("Waiting for the sign-in")
    await page.clock.fast_forward(13_000)
    await expect(chat.alert).to_contain_text("There was no answer for 15 s")
    assert endpoint.requests == []
    assert len(await chat.heard("error")) == len(WAYS) + 1

    # nothing has left the page: stop is the end of it at once
    await chat.say("Let me in")
    await page.clock.fast_forward(3_000)
    await chat.stop_button.click()
    await expect(chat.box).to_have_value("Let me in")
    await expect(chat.send_button).to_be_visible()
    assert len(await chat.heard("error")) == len(WAYS) + 1


async def test_what_no_browser_sends_is_no_lost_connection(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault")
    chat = await opened(context, endpoint)
    for number, (options, said) in enumerate(UNSENDABLE, 1):
        await chat.element.evaluate("(chat, all) => chat.setOptions(all)", OPTIONS | options)
        await chat.say("Is anybody there?")
        await expect(chat.alert).to_contain_text(said)
        await expect(chat.box).to_have_value("Is anybody there?")
        assert len(await chat.heard("error")) == number
    await chat.element.evaluate("(chat, all) => chat.setOptions(all)", OPTIONS)
    tag = "{ type: 'input_tag', id: 'a', text: 'a', data: { a: 1n } }"
    await chat.element.evaluate(f"(chat) => chat.sendUserMessage({{ content: [{tag}] }})")
    await expect(chat.alert).to_contain_text("can't be written as JSON")
    assert len(await chat.heard("error")) == len(UNSENDABLE) + 1
    assert endpoint.requests == []
    assert await chat.heard("log") == []


async def test_what_a_policy_bars_is_said_to_be_barred(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault", "policy violated", "Content Security Policy", "Mixed Content")
    elsewhere = {"url": "http://127.0.0.1:9/chatkit", "domainKey": "local"}
    chat = await opened(context, endpoint, api=elsewhere)
    await chat.say("Is anybody there?")
    await expect(chat.alert).to_contain_text("content security policy bars it (connect-src)")

    async def by_tls(route: Route) -> None:
        answer = await route.fetch(url=endpoint.url + route.request.url.rpartition("/")[2])
        headers = answer.headers | {"content-security-policy": "default-src * 'unsafe-inline'"}
        await route.fulfill(response=answer, headers=headers)

    await context.route("https://shop.test/**", by_tls)
    await chat.page.goto("https://shop.test/")
    options = OPTIONS | {"api": {"url": "http://api.test/chatkit", "domainKey": "local"}}
    await chat.element.evaluate("(chat, all) => chat.setOptions(all)", options)
    await chat.say("Is anybody there?")
    await expect(chat.alert).to_contain_text("may ask by https only (mixed content)")


async def test_a_conversation_that_is_gone_at_any_server_is_said_to_be_gone(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 404", "HostFault")
    gone: dict[str, Any] = {"status": 404, "json": {"detail": "Thread not found"}}

    async def refuse(route: Route) -> None:
        if "threads.get_by_id" in (route.request.post_data or ""):
            await route.fulfill(**gone)
        else:
            await route.fallback()

    await context.route("**/chatkit", refuse)
    chat = await opened(context, endpoint, initialThread="thr_old")
    await expect(chat.alert).to_contain_text("Thread not found")
    await expect(chat.alert.get_by_role("button")).to_have_text("New conversation")
    gone.clear()
    gone.update(status=404, body="Not Found", content_type="text/plain")
    await chat.element.evaluate("(chat) => chat.setThreadId('thr_other')")
    await expect(chat.alert).to_contain_text("This is not here any more")
    # whoever does not know the list either is no chat server
    await context.route("**/chatkit", lambda route: route.fulfill(**gone))
    await chat.element.evaluate("(chat) => chat.setThreadId('thr_third')")
    await expect(chat.alert).to_contain_text("No chat server answers at")


async def test_a_fetch_of_the_pages_own_that_fails_is_told_as_its_own(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("HostFault")
    chat = await opened(context, endpoint)
    for own, said in (
        ("async () => undefined", "its fetch gave undefined"),
        ("() => { throw new Error('No token: 502') }", "No token: 502"),
        ("async () => null.token", "of null"),
    ):
        api = f"{{ url: 'chatkit', fetch: {own} }}"
        set_up = f"(chat, options) => chat.setOptions({{ ...options, api: {api} }})"
        await chat.element.evaluate(set_up, OPTIONS)
        await chat.say("Let me in")
        await expect(chat.alert).to_contain_text(said)
        await expect(chat.box).to_have_value("Let me in")


async def test_an_option_without_effect_is_named_once(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said: list[str] = []
    context.on("console", lambda m: said.append(m.text) if m.type == "warning" else None)
    more = {
        "composer": {"placeholder": "Say", "modles": [{"id": "gpt"}], "tools": None},
        "histroy": {"enabled": True},
        "thread": {"autoScroll": True},
        "entities": False,
    }
    chat = await opened(context, endpoint, **more)
    options = json.dumps(OPTIONS | more)
    await chat.element.evaluate(f"(chat) => chat.setOptions({options})")
    await chat.ready()
    assert sorted(said) == [
        f"chatkit: the option {name} has no effect in this element."
        for name in ("composer.modles", "histroy", "thread")
    ]
