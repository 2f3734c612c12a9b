"""The web app: sign-in, the chat in it, and what it does when a token or a server is gone."""

import asyncio
import base64
import json
import re
import subprocess
from pathlib import Path
from stat import S_IMODE
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import BrowserContext, Route, expect
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scripts.web import FRONTEND, Web, node
from tests import postgres
from tests.browser.attaching import card, choose
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.endpoint import PATIENCE
from tests.browser.web_stack import (
    PASSWORD,
    as_bearer,
    claims,
    open_chat,
    sign_in,
    sign_up,
    thread_of,
    token,
)
from tests.chatkit_client import create, items, shown, without_times
from tests.files_of_people import picture
from tests.integration.scripted_endpoint import ScriptedEndpoint, message, responses

CDN = "https://cdn.platform.openai.com/**"
WEBM = b"\x1a\x45\xdf\xa3"


async def test_what_a_person_brings_reaches_the_model_they_chose_and_is_seen_after_a_reload(
    web: Web, new_context: NewContext, models: ScriptedEndpoint
) -> None:
    context = await new_context(permissions=["microphone"])
    await sign_up(context, web.url, "Brings")
    chat = await open_chat(context, web.url)
    await choose(chat, ("cat.png", "image/png", picture()))
    await expect(card(chat, "cat.png")).to_have_attribute("data-state", "ready")
    await chat.element.get_by_role("button", name="Model: ").click()
    await chat.element.get_by_role("option", name="Quick").click()

    dictate = chat.button("Dictate")
    await dictate.click()
    await expect(chat.element.get_by_role("timer")).to_contain_text("0:0")
    # a page that changes goes on listening
    await chat.page.get_by_role("button", name="Theme").click()
    await chat.page.get_by_role("menuitemradio", name="Dark").click()
    await expect(chat.element).to_have_attribute("data-scheme", "dark")
    await expect(dictate).to_have_attribute("aria-pressed", "true")
    models.answer(b'{"text": "What is it?"}', headers={"content-type": "application/json"})
    await dictate.click()
    await expect(chat.box).to_have_value("What is it?")
    _, kind, heard = models.requests[-1]["file"]
    assert (models.requests[-1]["model"], kind, heard[:4]) == ("m-hears", "audio/webm", WEBM)

    models.answer(*responses(message("A cat.")))
    before = await chat.answers()
    await chat.send_button.click()
    await chat.answered(before)
    assert (await chat.shown())[-1].text == "A cat."
    assert models.requests[-1]["model"] == "m-quick"
    assert "data:image/png;base64," in json.dumps(models.requests[-1]["input"])
    await chat.page.reload()
    image = chat.log.get_by_role("img", name="cat.png")
    await expect(image).not_to_have_js_property("naturalWidth", 0)
    address = await image.get_attribute("src")
    assert address.startswith(f"{web.url}/api/chatbridge/attachments/")


async def test_signing_up_leads_to_the_chat_and_the_chat_to_a_task(
    web: Web, new_context: NewContext
) -> None:
    context = await new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(web.url)
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    await page.get_by_role("button", name="Create an account").click()
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("Email").fill("ada@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page).to_have_url(re.compile("/dashboard/chat"))

    chat = await open_chat(context, web.url)
    await chat.note_states()
    await chat.ask("add a task: buy oat milk")
    assert await chat.states() == ["Thinking", "Success"]
    listed = chat.page.get_by_role("list", name="Tasks").get_by_role("listitem")
    await expect(listed).to_have_count(1)
    await expect(listed).to_contain_text("buy oat milk")
    await chat.page.reload()
    await chat.loaded(3)
    await expect(chat.box).to_be_focused()
    await expect(chat.badges).to_have_text(["Success"])
    await expect(listed).to_have_count(1)

    first = chat.page.url
    await chat.button("New conversation").first.click()
    await chat.ask("Hello")
    second = chat.page.url
    await chat.page.go_back()
    await chat.loaded(3)
    assert chat.page.url == first
    await chat.page.go_forward()
    await chat.loaded(2)
    assert chat.page.url == second
    await chat.page.goto(f"{web.url}/dashboard")
    await expect(listed).to_have_count(1)


async def test_what_was_shown_is_shown_after_a_reload_an_outage_and_elsewhere(
    web: Web, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("status of 502", "can't be reached")
    context = await new_context()
    await sign_up(context, web.url, "Bea")
    chat = await open_chat(context, web.url)
    await chat.note_streams()
    await chat.ask("Hello, I am Bea")
    await chat.ask("add a task: read the log")
    seen, thread = await chat.shown(), thread_of(chat)
    streams = await chat.streams()
    async with as_bearer(web.server_url, await token(context, web.url)) as api:
        kept = (await api.post("/chatkit", json=items(thread))).json()["data"]
    assert [without_times(item) for item in kept] == [i for s in streams for i in shown(s)]

    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen

    web.server.process.kill()
    web.server.process.wait()
    await chat.page.reload()
    retry = chat.alert.get_by_role("button", name="Retry")
    await expect(retry).to_be_visible()
    web.server.start()
    await retry.click()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen
    # what its composer offers is asked for until it is told
    await expect(chat.button("Dictate")).to_be_visible()

    other = await new_context()
    await sign_in(other, web.url, "Bea")
    elsewhere = await open_chat(other, web.url)
    await elsewhere.open_history()
    await (
        elsewhere.history.locator(f"[data-thread-id={thread}]").get_by_role("button").first.click()
    )
    await elsewhere.loaded(len(seen))
    assert await elsewhere.shown() == seen


async def test_nobody_sees_anothers_conversation(
    web: Web, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("status of 403", "console: .*")
    mine, theirs = await new_context(), await new_context()
    await sign_up(mine, web.url, "Cleo")
    await sign_up(theirs, web.url, "Dan")
    chat = await open_chat(mine, web.url)
    await chat.ask("My secret is xyzzy")
    answers: list[int] = []
    theirs.on(
        "response", lambda r: answers.append(r.status) if r.url.endswith("/chatkit") else None
    )
    stranger = await open_chat(theirs, web.url, thread_of(chat))
    await expect(stranger.alert).to_be_visible()
    assert answers[0] == 403
    assert "xyzzy" not in await stranger.page.evaluate("document.documentElement.innerHTML")
    assert await stranger.shown() == []


async def test_a_stopped_answer_keeps_what_was_shown(web: Web, context: BrowserContext) -> None:
    await sign_up(context, web.url, "Stu")
    chat = await open_chat(context, web.url)
    await chat.say("rehearse a long answer of 400 words")
    await expect(chat.log.locator(".prose")).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    await chat.stop_button.click()
    await chat.answered()
    seen = await chat.shown()
    assert 3 < len(seen[-1].text.split()) < 400
    await chat.page.reload()
    await chat.loaded(len(seen))
    assert await chat.shown() == seen


async def test_a_refused_token_is_replaced_and_nobody_notices(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    await sign_up(context, web.url, "Eve")
    head, body, signature = (await token(context, web.url)).split(".")
    refused = f"{head}.{body}.{signature[::-1]}"
    given: list[str] = []

    async def first_a_bad_one(route: Route) -> None:
        given.append("bad" if not given else "good")
        if given == ["bad"]:
            await route.fulfill(json={"token": refused})
        else:
            await route.continue_()

    await context.route("**/api/auth/token", first_a_bad_one)
    chat = await open_chat(context, web.url)
    await chat.ask("Hello")
    assert given == ["bad", "good"]
    assert (await chat.shown())[0].text == "Hello"
    await expect(chat.alert).to_have_count(0)


async def test_a_session_that_has_ended_leads_to_the_sign_in_and_back_to_what_was_typed(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401", "console: .*")
    await sign_up(context, web.url, "Flo")
    chat = await open_chat(context, web.url)
    await chat.ask("Hello")
    thread = thread_of(chat)
    await context.clear_cookies()
    await context.route("**/api/chatbridge/chatkit", _refused)
    await chat.say("A message that took long to write")
    page = chat.page
    await expect(page).to_have_url(re.compile(r"/login\?expired=1"))
    await expect(page.get_by_text("Your session has ended")).to_be_visible()
    await context.unroute("**/api/chatbridge/chatkit", _refused)
    await page.get_by_label("Email").fill("flo@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile(f"/dashboard/chat.*{thread}"))
    await expect(chat.box).to_have_value("A message that took long to write")
    await chat.loaded(2)


async def _refused(route: Route) -> None:
    await route.fulfill(status=401, json={"status": 401, "code": "expired", "detail": "Expired."})


async def test_signing_out_leaves_nothing_behind_in_any_tab(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    await sign_up(context, web.url, "Gus")
    other = await open_chat(context, web.url)
    await other.box.fill("a draft")
    chat = await open_chat(context, web.url)
    await chat.ask("My secret is plugh")
    page, there = chat.page, chat.page.url
    await page.get_by_role("button", name="Account").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    for each in (page, other.page):
        await expect(each).to_have_url(re.compile("/login"))
        assert await each.evaluate("() => Object.keys(sessionStorage)") == []
    await page.goto(there)
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    assert "plugh" not in await page.content()
    assert (await context.request.get(f"{web.url}/api/auth/token")).status == 401


async def test_a_tab_of_one_person_sends_nothing_as_another(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 40[13]", "console: .*")
    await sign_up(context, web.url, "Ada2")
    chat = await open_chat(context, web.url)
    await chat.ask("Hello, I am Ada")
    hers, thread = await token(context, web.url), thread_of(chat)
    for name in ("Bob2", "Cid2"):
        id = await sign_up(context, web.url, name)
        if name == "Bob2":
            await chat.say("for my own account")
        else:
            await chat.page.evaluate("() => window.dispatchEvent(new Event('focus'))")
        notice = chat.page.get_by_role("heading", name="Somebody else has signed in")
        await expect(notice).to_be_visible()
        assert "Hello, I am Ada" not in await chat.page.content()
        async with as_bearer(web.server_url, await token(context, web.url)) as api:
            assert (await api.get(f"/api/{id}/conversations")).json()["items"] == []
        if name == "Bob2":
            await refused_everywhere(context, web.url, hers, thread)
        await chat.page.get_by_role("button", name="Go on").click()
        await expect(chat.page.get_by_role("button", name="Account")).to_have_text(name[0])
        await expect(chat.box).to_have_value("")
    await sign_in(context, web.url, "Ada2")
    await chat.page.goto(f"{web.url}/dashboard/chat?c={thread}")
    await chat.loaded(2)
    await expect(chat.box).to_have_value("for my own account")


async def refused_everywhere(context: BrowserContext, url: str, hers: str, thread: str) -> None:
    """Her token opens nothing in a browser that somebody else is signed in with."""
    relay, headers = f"{url}/api/chatbridge", {"Authorization": f"Bearer {hers}"}
    for method, path in (
        ("POST", "chatkit"),
        ("POST", f"chatkit/threads/{thread}/cancel"),
        ("GET", f"chatkit/threads/{thread}/events"),
        ("GET", f"api/{claims(hers)[1]['sub']}/tasks"),
    ):
        answer = await context.request.fetch(f"{relay}/{path}", method=method, headers=headers)
        assert (answer.status, (await answer.json())["code"]) == (403, "another_user")


async def test_a_forged_cookie_gets_nowhere(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    forged = {"name": "better-auth.session_token", "value": "forged.forged", "url": web.url}
    await context.add_cookies([forged])
    page = await context.new_page()
    await page.goto(f"{web.url}/dashboard/chat")
    await expect(page).to_have_url(re.compile(r"/login\?"))
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert (await context.request.get(f"{web.url}/api/auth/token")).status == 401
    asked = await context.request.post(
        f"{web.url}/api/chatbridge/chatkit", data=json.dumps(create("Hello"))
    )
    assert asked.status == 401


async def test_the_way_back_stays_on_this_site(web: Web, new_context: NewContext) -> None:
    await sign_up(await new_context(), web.url, "Hal")
    for elsewhere in ("//evil.example/x", "https://evil.example", "/\\evil.example", "/\t/evil"):
        page = await (await new_context()).new_page()
        await page.goto(f"{web.url}/login?{urlencode({'next': elsewhere})}")
        await page.get_by_label("Email").fill("hal@example.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        there = re.compile(f"^{re.escape(web.url)}/dashboard")
        await expect(page).to_have_url(there)


async def test_a_wrong_password_is_told_in_words(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 401")
    page = await context.new_page()
    await page.goto(f"{web.url}/login")
    await page.get_by_label("Email").fill("nobody@example.com")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").filter(has_text=re.compile("password"))).to_be_visible()
    await expect(page).to_have_url(re.compile("/login"))


async def test_a_sign_in_at_another_address_and_a_field_that_is_too_long_are_told_in_words(
    web: Web, context: BrowserContext, watch: Watch
) -> None:
    watch.expect("status of 403", "status of 400")
    page = await context.new_page()
    await page.goto(f"{web.url}/login")

    async def at_another_address(route: Route) -> None:
        headers = {**route.request.headers, "origin": "http://web.lan"}
        await route.fulfill(response=await route.fetch(headers=headers))

    await page.route("**/sign-in/email", at_another_address)
    await page.get_by_label("Email").fill("ann@example.com")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    alert = page.get_by_role("alert").filter(has_text=re.compile("."))
    await expect(alert).to_contain_text("BETTER_AUTH_URL")
    await page.unroute("**/sign-in/email")
    await page.get_by_label("Email").fill(f"{'n' * 250}@example.com")
    await page.get_by_role("button", name="Sign in").click()
    await expect(alert).to_contain_text("The email is too long.")


async def test_the_theme_changes_without_a_reload(web: Web, context: BrowserContext) -> None:
    await sign_up(context, web.url, "Ida")
    chat = await open_chat(context, web.url)
    await chat.ask("Hello")
    await chat.page.evaluate("() => (window.sameDocument = true)")
    for scheme in ("Dark", "Light"):
        await chat.page.get_by_role("button", name="Theme").click()
        await chat.page.get_by_role("menuitemradio", name=scheme).click()
        await expect(chat.page.get_by_role("menu")).to_have_count(0)
        await expect(chat.element).to_have_attribute("data-scheme", scheme.lower())
    await chat.ask('switch_theme {"theme": "blue"}')
    await expect(chat.log).to_contain_text("theme must be one of light, dark, system.")
    await chat.ask("dark mode please")
    await expect(chat.log).to_contain_text("The theme is dark now.")
    await expect(chat.element).to_have_attribute("data-scheme", "dark")
    assert await chat.page.evaluate("() => window.sameDocument")

    # a page that goes away before it has told what came of it wedges nothing
    told = asyncio.Event()

    async def lost(route: Route) -> None:
        if "threads.add_client_tool_output" in (route.request.post_data or ""):
            told.set()
        else:
            await route.fallback()

    await chat.page.route("**/chatkit", lost)
    await chat.say("switch to light")
    async with asyncio.timeout(PATIENCE):
        await told.wait()
    await chat.page.unroute("**/chatkit")
    await chat.page.reload()
    await expect(chat.element).to_have_attribute("data-scheme", "light")
    await chat.ask("Hello")
    await expect(chat.log).to_contain_text("I can look after your tasks")


async def test_the_web_app_has_a_role_and_an_environment_of_its_own(web: Web) -> None:
    assert web.app.process
    environ = Path(f"/proc/{web.app.process.pid}/environ")
    given = await asyncio.to_thread(environ.read_text)
    assert "DATABASE_URL=" in given
    for name in ("CHATBRIDGE_SECRET", "OPENAI_API_KEY", web.server.environment["DATABASE_URL"]):
        assert name not in given
    engine = postgres.engine_on(web.app.environment["DATABASE_URL"])
    async with engine.connect() as connection:
        assert await connection.scalar(text('select count(*) from better_auth."user"')) >= 0
        for refused in (
            "select count(*) from chatbridge.conversations",
            "create table better_auth.more (id int)",
            "create schema more",
            "create role more",
        ):
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(text(refused))
    await engine.dispose()
    for log in (web.app.log, web.server.log):
        assert S_IMODE(log.stat().st_mode) == 0o600
        assert "#key=" not in log.read_text()


async def test_fields_have_a_longest_length_and_an_account_a_number_of_tries(
    web: Web, context: BrowserContext
) -> None:
    answer = await context.request.post(
        f"{web.url}/api/auth/sign-up/email",
        headers={"Origin": web.url},
        data={"name": "n" * 101, "email": "n@example.com", "password": PASSWORD},
    )
    assert (answer.status, (await answer.json())["message"]) == (400, "The name is too long.")
    tried = await asyncio.to_thread(
        subprocess.run,
        [node(), "--input-type=module", "-e", TRIES],
        cwd=FRONTEND,
        check=True,
        capture_output=True,
    )
    assert json.loads(tried.stdout) == ["ok"] * 10 + ["TOO_MANY_REQUESTS", "ok", "ok"]


# ten, one too many, somebody else, and a minute later
TRIES = """
import { signInLimits } from "./lib/sign-in-limits.mjs";
let now = 0;
const limits = signInLimits({ tries: true, now: () => now });
const tried = (email) =>
  limits({ path: "/sign-in/email", body: { email } }).then(() => "ok", (error) => error.status);
const said = [];
for (let i = 0; i < 11; i++) said.push(await tried(i % 2 ? "A@x.example " : "a@X.example"));
said.push(await tried("b@x.example"));
now = 60_000;
said.push(await tried("a@x.example"));
console.log(JSON.stringify(said));
"""


async def test_when_chatbridge_is_away_the_way_to_it_says_so(
    web: Web, context: BrowserContext
) -> None:
    web.server.process.kill()
    web.server.process.wait()
    try:
        answer = await context.request.post(
            f"{web.url}/api/chatbridge/chatkit", data=json.dumps(create("Hello"))
        )
        assert answer.status == 502
        assert answer.headers["content-type"].startswith("application/problem+json")
        problem = await answer.json()
        assert problem["status"] == 502
        assert {"type", "title", "code", "detail"} <= problem.keys()
    finally:
        web.server.start()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "healthz", 404),
        ("GET", "openapi.json", 404),
        ("POST", "mcp/tasks", 404),
        ("POST", "development/token", 404),
        ("GET", "chatkit", 405),
        ("GET", "chatkit/../healthz", 404),
        ("GET", "chatkit%2F..%2Fhealthz", 404),
        ("GET", "api/anyone/conversations", 404),
        ("GET", "api/anyone/attachments", 404),
        ("DELETE", "attachments/att_1", 405),
    ],
)
async def test_only_what_the_chat_needs_is_passed_on(
    web: Web, method: str, path: str, status: int
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, f"{web.url}/api/chatbridge/{path}")
    assert answer.status_code == status


async def test_the_published_keys_sign_the_tokens_that_chatbridge_takes(
    web: Web, context: BrowserContext
) -> None:
    id = await sign_up(context, web.url, "Jo")
    signed = await token(context, web.url)
    head, body = claims(signed)
    assert head["alg"] == "EdDSA"
    assert body["sub"] == id
    async with as_bearer(web.server_url, signed) as api:
        assert (await api.get(f"/api/{id}/tasks")).status_code == 200
        assert (await api.get("/api/somebody/tasks")).status_code == 403
    await _forgeries_are_refused(web.server_url, signed, id)


async def test_the_shared_secret_signs_the_tokens_that_chatbridge_takes(
    other_web: Web, context: BrowserContext
) -> None:
    id = await sign_up(context, other_web.url, "Kai")
    signed = await token(context, other_web.url)
    head, body = claims(signed)
    assert head["alg"] == "HS256"
    assert body["sub"] == id
    async with as_bearer(other_web.server_url, signed) as api:
        assert (await api.get(f"/api/{id}/tasks")).status_code == 200
    await _forgeries_are_refused(other_web.server_url, signed, id)


async def _forgeries_are_refused(url: str, signed: str, id: str) -> None:
    head, body, signature = signed.split(".")
    nobody = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for forged in (f"{head}.{body}.{signature[::-1]}", f"{nobody}.{body}.", f"{head}.{body}."):
        async with as_bearer(url, forged) as api:
            assert (await api.get(f"/api/{id}/tasks")).status_code == 401


async def _hang(_: Route) -> None:
    """Never answer."""


async def _abort(route: Route) -> None:
    await route.abort()


NOTE_SOURCE = """
new MutationObserver(() => {
  const now = performance.now();
  if (document.querySelector("script[src*='cdn.platform.openai.com']")) window.asked ??= now;
  if (document.querySelector("[data-chatkit-source]")) window.came ??= now;
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


@pytest.mark.parametrize("way", [_abort, _hang], ids=["refused", "silent"])
async def test_the_element_is_ours_when_openais_does_not_come(
    other_web: Web, context: BrowserContext, watch: Watch, way: object
) -> None:
    watch.expect("Failed to load resource")
    await context.route(CDN, way)
    await context.add_init_script(NOTE_SOURCE)
    await sign_up(context, other_web.url, f"Lou{way.__name__.strip('_')}")
    chat = await open_chat(context, other_web.url)
    await expect(chat.page.locator("[data-chatkit-source]")).to_have_attribute(
        "data-chatkit-source", "local"
    )
    assert await chat.page.evaluate("() => window.came - window.asked") < 5_000
    await chat.ask("Hello")


async def test_the_element_is_openais_when_it_is_asked_for_and_comes(
    other_web: Web, context: BrowserContext, bundle: dict[str, str]
) -> None:
    asked: list[str] = []

    async def stand_in(route: Route) -> None:
        asked.append(route.request.url)
        name = route.request.url.rpartition("/")[2]
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(content_type="text/javascript", headers=headers, body=bundle[name])

    await context.route(CDN, stand_in)
    await sign_up(context, other_web.url, "Max")
    chat = await open_chat(context, other_web.url)
    await expect(chat.page.locator("[data-chatkit-source]")).to_have_attribute(
        "data-chatkit-source", "hosted"
    )
    assert asked[:1] == ["https://cdn.platform.openai.com/deployments/chatkit/chatkit.js"]
    await chat.ask("Hello")


async def test_openais_element_is_not_asked_for_unless_it_is_wanted(
    web: Web, context: BrowserContext
) -> None:
    asked: list[str] = []
    context.on("request", lambda r: asked.append(r.url))
    await sign_up(context, web.url, "Nan")
    chat = await open_chat(context, web.url)
    await expect(chat.page.locator("[data-chatkit-source]")).to_have_attribute(
        "data-chatkit-source", "local"
    )
    assert [url for url in asked if not url.startswith(web.url)] == []


async def test_the_policy_of_a_page_lets_in_only_what_is_its_own(
    web: Web, context: BrowserContext
) -> None:
    page = await context.new_page()
    nonces = set()
    for _ in range(2):
        answer = await page.goto(f"{web.url}/login")
        policy = answer.headers["content-security-policy"]
        assert "frame-src 'none'" in policy
        assert "media-src 'self';" in policy
        assert "unsafe" not in policy
        assert "openai" not in policy
        nonces |= set(re.findall(r"'nonce-([^']+)'", policy))
    assert len(nonces) == 2
    for path in ("api/nothing", "_next/nothing", "element/nothing"):
        nothing = await context.request.get(f"{web.url}/{path}")
        assert nothing.status == 404
        assert nothing.headers["content-security-policy"].startswith("default-src 'none'")
