"""The element and what its server says of a thread and its reader: locked, closed, signed out."""

from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint, assistant_message, done, user_message
from tests.browser.opened import BROKEN, OPTIONS, asked, half, opened, whole

WITH_SECRETS = """(options) => {
  window.secrets = [];
  const getClientSecret = async (current) => {
    window.secrets.push(current);
    return `secret-${window.secrets.length}`;
  };
  document.querySelector("openai-chatkit").setOptions({ ...options, api: { getClientSecret } });
}"""


async def test_a_chat_session_is_asked_for_once_and_renewed_when_it_is_refused(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(WITH_SECRETS, OPTIONS)
    chat = await Chat(page).ready()

    for text, shown in (("First", "secret-1"), ("Second", "secret-1")):
        before = await chat.answers()
        await chat.say(text)
        telling = await endpoint.telling()
        telling.end(done(user_message(text, text)), done(assistant_message(f"to {text}", "Yes.")))
        await chat.answered(before)
        assert endpoint.headers[-1]["authorization"] == f"Bearer {shown}"

    watch.expect("status of 401")
    endpoint.refuse(401, "The session has expired.")
    before = await chat.answers()
    await chat.say("Third")
    telling = await endpoint.telling()
    telling.end(done(user_message("u3", "Third")), done(assistant_message("a3", "Still.")))
    await chat.answered(before)
    assert [each["authorization"] for each in endpoint.headers[-2:]] == [
        "Bearer secret-1",
        "Bearer secret-2",
    ]
    assert await page.evaluate("window.secrets") == [None, "secret-1"]
    await expect(chat.alert).to_have_count(0)


async def test_an_answer_is_resumed_with_a_new_session_where_the_old_one_has_expired(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(BROKEN, "status of 401")
    endpoint.resumes = True
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(WITH_SECRETS, OPTIONS)
    chat = await Chat(page).ready()
    telling = await asked(chat, endpoint)
    telling.number(1, *half())
    await expect(chat.log).to_contain_text("The first half")
    endpoint.refuse(401, "The session has expired.")
    telling.break_off()
    resumed = await endpoint.telling()
    assert resumed.headers["authorization"] == "Bearer secret-2"
    assert resumed.headers["last-event-id"] == "turn_1/2"
    resumed.end(whole("All of it."))
    await chat.answered()
    assert await page.evaluate("window.secrets") == [None, "secret-1"]
    await expect(chat.alert).to_have_count(0)


async def test_a_closed_thread_says_why_and_takes_no_message(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    thread = endpoint.keep("thr_1", user_message("u1", "Well?"), assistant_message("a1", "Yes."))
    thread["status"] = {"type": "closed", "reason": "It was settled in May."}
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await expect(chat.element.get_by_text("It was settled in May.")).to_be_visible()
    await expect(chat.box).to_be_hidden()


async def test_a_locked_thread_says_so_until_it_is_open_again(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    thread = endpoint.keep("thr_1", user_message("u1", "Well?"), assistant_message("a1", "Yes."))
    thread["status"] = {"type": "locked", "reason": None}
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await expect(chat.element.get_by_text("This conversation is locked.")).to_be_visible()
    await expect(chat.box).to_be_disabled()
    thread["status"] = {"type": "active"}
    await chat.element.evaluate("(element) => element.fetchUpdates()")
    await expect(chat.box).to_be_enabled()


async def test_setting_up_without_an_address_is_a_mistake_of_the_page(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    page = await context.new_page()
    await page.goto(endpoint.url)
    told = await page.evaluate(
        """() => {
          const element = document.querySelector("openai-chatkit");
          try { element.setOptions({ api: {} }); } catch (error) { return String(error); }
        }"""
    )
    assert told == "IntegrationError: ChatKit's options need api.url or api.getClientSecret."
