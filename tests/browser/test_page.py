"""The chat page at `/` of a real server, in a real browser."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jose import jwt
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.chat_server import ChatServer
from tests.browser.chromium import ARTEFACTS, Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import LISTEN, Chat, violations
from tests.chatkit_client import shown, without_times
from tests.serving import SECRET, spawn


def thread_of(chat: Chat) -> str:
    """The conversation that the address names."""
    return chat.page.url.partition("#")[2]


async def test_what_was_shown_is_shown_after_a_reload_a_crash_and_elsewhere(
    chat_server: ChatServer, new_context: NewContext
) -> None:
    chat = await chat_server.open(await new_context(), "ann")
    await chat.ask("Hello there, I am Ann")
    await chat.ask("add a task: buy oat milk")
    seen, thread = await chat.shown(), thread_of(chat)
    kept = await chat_server.kept("ann", thread)
    assert len(seen) >= 5

    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen

    await chat_server.kill_and_start_again()
    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    assert await chat_server.kept("ann", thread) == kept

    await chat.button("New conversation").first.click()
    await chat.ask("Hello again")
    await chat.page.go_back()
    await chat.loaded(len(seen))
    assert (await chat.shown(), thread_of(chat)) == (seen, thread)
    await chat.page.go_forward()
    await chat.loaded(2)

    elsewhere = await chat_server.open(await new_context(), "ann")
    await elsewhere.open_history()
    await elsewhere.history.locator(f"[data-thread-id={thread}] .open").click()
    await elsewhere.loaded(len(seen))
    assert await elsewhere.shown() == seen


async def test_a_task_is_named_with_an_at_and_completed(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "nat")
    for _ in range(2):
        await chat.ask("add a task: buy oat milk")
    await chat.box.press_sequentially("complete @oat")
    options = chat.element.get_by_role("listbox", name="Tags").get_by_role("option")
    await expect(options).to_have_text(["buy oat milk"] * 2)
    await options.last.click()
    before = await chat.answers()
    await chat.send_button.click()
    await chat.answered(before)
    await chat.page.reload()
    named = chat.log.get_by_role("button", name="@buy oat milk")
    await named.focus()
    preview = chat.element.get_by_role("tooltip")
    await expect(preview).to_contain_text("number: 2 · state: done")
    assert await violations(chat.page) == []


async def test_what_streams_is_what_is_kept_field_by_field(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "field")
    await chat.note_streams()
    await chat.ask("add a task: compare every field")
    thread, listed = await chat_server.kept("field", thread_of(chat))
    assert thread["items"]["data"] == listed
    (stream,) = await chat.streams()
    assert shown(stream) == [without_times(item) for item in listed]
    assert [entry.id for entry in await chat.shown()] == [item["id"] for item in listed]


async def test_a_task_is_added_once_before_everyones_eyes(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "tom")
    await chat.note_states()
    await chat.ask("add a task: buy oat milk")
    assert await chat.states() == ["Thinking", "Success"]
    assert await chat_server.tasks("tom") == ["buy oat milk"]

    await chat.page.reload()
    await chat.loaded(3)
    assert [entry.type for entry in await chat.shown()] == [
        "user_message",
        "widget",
        "assistant_message",
    ]
    await expect(chat.badges).to_have_text(["Success"])
    await expect(chat.badges).to_have_attribute("data-color", "success")
    assert await chat_server.tasks("tom") == ["buy oat milk"]


async def test_a_failing_tool_shows_that_it_failed(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "fay")
    await chat.note_states()
    await chat.ask("rehearse a failing tool")
    assert await chat.states() == ["Thinking", "Failed"]
    await chat.page.reload()
    await chat.loaded(3)
    await expect(chat.badges).to_have_text(["Failed"])
    await expect(chat.badges).to_have_attribute("data-color", "danger")


async def test_a_badge_opens_to_what_was_asked_and_what_came_of_it(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    telling = await chat_server.another(CHATBRIDGE_AGENT__SHOW_CALLS="details")
    try:
        chat = await chat_server.open(context, "dee", url=telling.url, key=telling.key)
        await chat.say("rehearse a slow tool for 2 seconds")
        await expect(chat.badges).to_have_text("Running")
        line, inside = chat.log.locator("summary"), chat.log.locator("[data-widget=Markdown]")
        await expect(inside.first).to_be_hidden()
        await line.focus()
        await chat.page.keyboard.press("Enter")
        await expect(inside).to_have_text(re.compile('"seconds": 2'))
        await expect(chat.badges).to_have_text("Success")
        await expect(line).to_be_focused()
        await expect(inside).to_have_count(2)
        await expect(chat.log.get_by_text("Took 2")).to_be_visible()
        await chat.answered()
        await expect(inside.last).to_be_visible()
        await chat.page.set_viewport_size({"width": 1000, "height": 1000})
        for scheme in ("light", "dark"):
            await chat.page.emulate_media(color_scheme=scheme)
            await chat.picture(f"page-details-{scheme}")
            assert await violations(chat.page) == []
        told = await inside.all_text_contents()
        await chat.page.reload()
        await chat.loaded(3)
        await expect(inside.first).to_be_hidden()
        await line.press("Enter")
        await expect(inside.last).to_be_visible()
        assert await inside.all_text_contents() == told
    finally:
        telling.kill()


async def test_a_stopped_answer_keeps_what_was_shown(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "stan")
    await chat.note_streams()
    await chat.say("rehearse a long answer of 400 words")
    await expect(chat.log.locator(".prose")).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    await chat.stop_button.click()
    await chat.answered()
    seen = await chat.shown()
    assert 3 < len(seen[-1].text.split()) < 400
    await expect(chat.send_button).to_be_visible()
    await expect(chat.alert).to_have_count(0)

    (stream,) = await chat.streams()
    _, kept = await chat_server.kept("stan", thread_of(chat))
    assert shown(stream) == [without_times(item) for item in kept]
    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen


async def test_an_answer_is_given_again_in_the_old_ones_place(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "rae")
    await chat.ask("Hello")
    first = await chat.shown()
    before = await chat.answers()
    await chat.button("Answer again").click()
    await chat.answered(before)
    second = await chat.shown()
    assert [entry.type for entry in second] == [entry.type for entry in first]
    assert second[0] == first[0]
    assert second[1].id != first[1].id
    await chat.page.reload()
    await chat.loaded(2)
    assert await chat.shown() == second


async def test_conversations_are_renamed_and_deleted(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("404")
    chat = await chat_server.open(context, "del")
    await chat.ask("Hello")
    thread = thread_of(chat)
    await chat.open_history()
    entry = chat.history.locator(f"[data-thread-id={thread}]")
    await entry.get_by_role("button", name=re.compile("^Rename ")).click()
    await entry.get_by_role("textbox", name="Title").fill("Oat milk, and why")
    await entry.get_by_role("textbox", name="Title").press("Enter")
    await expect(entry.get_by_role("button").first).to_have_text("Oat milk, and why")
    assert (await chat_server.kept("del", thread))[0]["title"] == "Oat milk, and why"

    await entry.get_by_role("button", name="Delete Oat milk, and why").click()
    await entry.get_by_role("button", name="Keep").click()
    await entry.get_by_role("button", name="Delete Oat milk, and why").click()
    await entry.get_by_role("button", name="Delete", exact=True).click()
    await expect(chat.history).to_contain_text("No conversations yet")
    gone = {"type": "threads.get_by_id", "params": {"thread_id": thread}}
    assert (await chat_server.ask("del", gone)).status_code == 404
    assert thread_of(chat) == ""

    again = await chat_server.open(context, "del", thread)
    await expect(again.alert).to_be_visible()


async def test_feedback_is_kept_shown_again_and_taken_back(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "fred")
    await chat.ask("Hello")
    async with chat.page.expect_response("**/chatkit"):
        await chat.button("Good answer").click()
    await expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    await expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "false")
    assert await chat_server.feedback("fred") == ["positive"]

    await chat.ask("Hello again")
    asked: list[str] = []
    chat.page.on("request", lambda each: asked.append(f"{each.method} {each.url}"))
    await chat.page.reload()
    first, second = chat.button("Good answer").first, chat.button("Good answer").last
    await expect(first).to_have_attribute("aria-pressed", "true")
    await expect(second).to_have_attribute("aria-pressed", "false")
    assert len([each for each in asked if each.endswith("/feedback")]) == 1
    async with chat.page.expect_response("**/feedback"):
        await first.click()
    await expect(first).to_have_attribute("aria-pressed", "false")
    assert await chat_server.feedback("fred") == []
    asked.clear()
    await chat.page.reload()
    await chat.loaded(4)
    await expect(first).to_have_attribute("aria-pressed", "false")
    assert not [each for each in asked if each.endswith("/feedback")]


async def test_nobody_sees_anothers_conversation(
    chat_server: ChatServer, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("status of 403")
    mine = await chat_server.open(await new_context(), "owner")
    await mine.ask("My secret is xyzzy")
    context = await new_context()
    answers: list[int] = []
    context.on(
        "response", lambda r: answers.append(r.status) if r.url.endswith("/chatkit") else None
    )
    theirs = await chat_server.open(context, "stranger", thread_of(mine))
    await expect(theirs.alert).to_be_visible()
    assert answers == [403]
    assert "xyzzy" not in await theirs.element.evaluate("(e) => e.shadowRoot.textContent")
    assert await theirs.shown() == []
    await theirs.open_history()
    await expect(theirs.history).to_contain_text("No conversations yet")


async def test_another_user_is_another_chat(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "uma")
    await chat.ask("Hello")
    await chat.page.get_by_label("User").fill("vic")
    await chat.page.get_by_role("button", name="Switch").click()
    await expect(chat.element.get_by_role("heading", level=1)).to_be_visible()
    assert thread_of(chat) == ""
    await chat.open_history()
    await expect(chat.history).to_contain_text("No conversations yet")


async def test_the_prompts_of_the_start_screen_are_sent(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    chat = await chat_server.open(context, "pat")
    await chat.button("What are my tasks?").click()
    await chat.answered()
    assert (await chat.shown())[0].text == "what are my tasks?"


async def test_a_server_that_is_away_keeps_what_was_typed(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("Failed to load resource")
    chat = await chat_server.open(context, "away")
    await chat.ask("Hello")
    chat_server.process.kill()
    await chat.say("Are you there?")
    await expect(chat.progress).to_have_text("Connection lost. Reconnecting")
    # it is tried for some seconds before the person hears of it
    await expect(chat.alert).to_contain_text("can't be reached")
    await expect(chat.box).to_have_value("Are you there?")
    await chat_server.start_again()
    await chat.send_button.click()
    await expect(chat.entries).to_have_count(4)
    await expect(chat.alert).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_follows_the_system_and_can_be_switched(
    chat_server: ChatServer, new_context: NewContext, scheme: str
) -> None:
    chat = await chat_server.open(await new_context(color_scheme=scheme), "sun")
    await expect(chat.element).to_have_attribute("data-scheme", scheme)
    other = {"light": "dark", "dark": "light"}[scheme]
    await chat.page.get_by_role("button", name="Dark").click()
    await expect(chat.element).to_have_attribute("data-scheme", other)
    await chat.page.reload()
    await expect(chat.element).to_have_attribute("data-scheme", other)


async def test_a_refused_token_is_replaced_and_nobody_notices(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    given: list[str] = []

    async def first_a_bad_one(route: Route) -> None:
        given.append("bad" if not given else "good")
        if given == ["bad"]:
            await route.fulfill(json={"token": "a.forged.one", "expires_in": 60})
        else:
            await route.continue_()

    await context.route("**/development/token", first_a_bad_one)
    chat = await chat_server.open(context, "exp")
    await chat.ask("Hello")
    assert given == ["bad", "good"]
    assert (await chat.shown())[0].text == "Hello"
    await expect(chat.alert).to_have_count(0)


async def test_the_page_offers_the_models_and_tools_of_the_settings(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 422")
    menus = '{"models":[{"id":"gone","label":"Gone","default":false}],"tools":[]}'

    async def offering(route: Route) -> None:
        answer = await route.fetch()
        text = re.sub(r'data-menus="[^"]*"', f"data-menus='{menus}'", await answer.text())
        await route.fulfill(response=answer, body=text)

    await context.route(f"{chat_server.url}/", offering)
    chat = await chat_server.open(context, "olga")
    await chat.button("Model: Default model").click()
    await chat.element.get_by_role("option", name="Gone").click()
    # a choice that the server does not offer any more
    await chat.say("Hello")
    await expect(chat.alert).to_contain_text("There is no model 'gone' to choose here")
    await expect(chat.box).to_have_value("Hello")
    await chat.button("Model: Gone").click()
    await chat.element.get_by_role("option", name="Default model").click()
    await chat.send_button.click()
    await chat.loaded(2)


async def test_the_printed_address_signs_in_and_leaves_no_key_behind(
    chat_server: ChatServer, context: BrowserContext
) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url + str(request.headers)))
    await context.add_init_script(LISTEN)
    page, key = await context.new_page(), chat_server.process.key
    await page.goto(f"{chat_server.url}/#key={key}")
    chat = await Chat(page).ready()
    await chat.ask("Hello")
    assert key not in page.url
    assert await page.evaluate("history.length") == 2
    assert not [each for each in asked if f"key={key}" in each]
    other = await context.new_page()
    await other.goto(chat_server.url)
    await (await Chat(other).ready()).ask("Hello from another tab")


async def test_without_the_key_the_page_says_where_it_is_and_takes_what_is_pasted(
    chat_server: ChatServer, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 403")
    await context.add_init_script(LISTEN)
    page, key = await context.new_page(), chat_server.process.key
    await page.goto(chat_server.url)
    dialog, field = page.get_by_role("dialog"), page.get_by_label("Address or key")
    await expect(dialog).to_contain_text("printed when it was started")
    await page.screenshot(path=ARTEFACTS / "pictures" / "page-without-key.png")
    await field.fill("a-key-of-yesterday")
    await page.get_by_role("button", name="Sign in").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("chatbridge page")
    await field.fill(f"{chat_server.url}/#key={key}")
    await page.get_by_role("button", name="Sign in").click()
    await (await Chat(page).ready()).ask("Hello")


@pytest.fixture
async def production(postgres_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A server as it is in production, with its page turned on; its address."""
    server = await spawn(
        tmp_path,
        DATABASE_URL=postgres_url,
        CHATBRIDGE_ENVIRONMENT="production",
        CHATBRIDGE_ALLOW="offline_model",
        CHATBRIDGE_PAGE__SERVE="on",
        CHATBRIDGE_SECRET=SECRET,
        CHATBRIDGE_AUTH__SECRET=SIGN_IN["secret"],
        CHATBRIDGE_AUTH__ISSUER=SIGN_IN["iss"],
        CHATBRIDGE_AUTH__AUDIENCE=SIGN_IN["aud"],
    )
    yield server.url
    server.stop()


SIGN_IN = {"secret": "the sign-in's secret, long enough too", "iss": "them", "aud": "us"}


def a_token(user: str, seconds: int = 600) -> str:
    """What the sign-in would issue."""
    now = int(time.time())
    named = {"iss": SIGN_IN["iss"], "aud": SIGN_IN["aud"], "sub": user}
    return jwt.encode({**named, "iat": now, "exp": now + seconds}, SIGN_IN["secret"], "HS256")


async def test_in_production_the_page_asks_for_a_token_and_keeps_what_was_typed(
    production: str, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(production)
    await page.get_by_label("Token").fill(a_token("prod", -600))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    await page.get_by_label("Token").fill(a_token("prod"))
    await page.get_by_role("button", name="Sign in").click()
    chat = await Chat(page).ready()
    await chat.ask("Hello")

    await page.route("**/chatkit", _refuse, times=1)
    await chat.say("A message that took long to write")
    await page.get_by_label("Token").fill(a_token("prod"))
    await page.get_by_role("button", name="Sign in").click()
    await chat.answered(1)
    assert (await chat.shown())[2].text == "A message that took long to write"


async def _refuse(route: Route) -> None:
    await route.fulfill(status=401, json={"detail": "The token has expired."})
