"""What waits for the page and the person: tools that the page runs, and questions in a form."""

import json

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat, violations
from tests.browser.endpoint import Endpoint, Telling, assistant_message, done, user_message
from tests.browser.opened import opened
from tests.chatkit_client import Json

# the page has the tool `window.tool`, and counts how often its origin has run it
TOOL = """
window.ran = (call) => {
  localStorage.ran = [localStorage.ran, call].filter(Boolean).join();
};
customElements.whenDefined("openai-chatkit").then(() => {
  const { prototype } = customElements.get("openai-chatkit");
  const { setOptions } = prototype;
  const onClientTool = ({ name, params }) => (ran(name), tool(params, name));
  prototype.setOptions = function (options) {
    setOptions.call(this, { ...options, onClientTool });
  };
});
"""
SLOW_AT_FIRST = """
window.tool = (params) => {
  if (localStorage.begun) return params;
  localStorage.begun = "yes";
  return new Promise(() => {});
};
"""
ODD = """
window.tool = (params, name) => {
  const all = {
    nothing: () => undefined, big: () => 1n, round: () => window, code: () => () => {},
    throws: () => { throw new Error("no"); }, never: () => new Promise((end) => (window.end = end)),
  };
  return name in all ? all[name]() : { name };
};
"""
RAN = "() => localStorage.ran ?? ''"
QUEUED = "async () => (await navigator.locks.query()).pending.length === 1"


def call(name: str, status: str = "pending", id: str = "c1") -> Json:
    """The item of a call that the page is to run."""
    return {
        **user_message(id, ""),
        "type": "client_tool_call",
        "status": status,
        "call_id": f"call_{name}",
        "name": name,
        "arguments": {"at": "it"},
    }


async def with_tool(context: BrowserContext, endpoint: Endpoint, tool: str) -> Chat:
    """A page that has the tool, in a conversation with a message."""
    await context.add_init_script(f"{TOOL}\n{tool}")
    endpoint.keep("thr_1", user_message("u1", "Well?"))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(1)
    return chat


async def output(endpoint: Endpoint) -> Telling:
    """The output that a page gives."""
    given = await endpoint.telling()
    assert given.request["type"] == "threads.add_client_tool_output"
    return given


async def test_a_tool_runs_in_one_tab_and_after_a_refresh_in_the_middle_once_more(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    here = await with_tool(context, endpoint, SLOW_AT_FIRST)
    await here.say("go on")
    telling = await endpoint.telling()
    kept = user_message("u1", "Well?"), user_message("u2", "go on"), call("look")
    endpoint.keep("thr_1", *kept)
    telling.end(done(kept[1]), done(call("look")))
    await expect(here.log).to_contain_text("look: waiting")
    await expect(here.send_button).to_be_visible()
    there = await opened(context, endpoint, initialThread="thr_1")
    await there.page.wait_for_function(QUEUED)
    assert await there.page.evaluate(RAN) == "look"
    await here.page.goto("about:blank")
    given = await output(endpoint)
    assert given.params["result"] == {"at": "it"}
    answer = assistant_message("a1", "Seen.")
    endpoint.keep("thr_1", *kept[:2], call("look", "completed"), answer)
    given.end(done(answer))
    await expect(there.log).to_contain_text("look: done")
    # nothing is left to run for whoever opens it then
    again = await opened(context, endpoint, initialThread="thr_1")
    await again.loaded(4)
    assert await again.page.evaluate(RAN) == "look,look"
    assert len(endpoint.asked("threads.add_client_tool_output")) == 1


async def test_a_stream_that_is_lost_or_told_again_loses_no_call_and_runs_none_twice(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    chat = await with_tool(context, endpoint, ODD)
    await chat.say("go on")
    telling = await endpoint.telling()
    kept = user_message("u1", "Well?"), user_message("u2", "go on"), call("look")
    endpoint.keep("thr_1", *kept)
    telling.tell(done(kept[1]), done(call("look")))
    await expect(chat.log).to_contain_text("look: waiting")
    telling.break_off()
    given = await output(endpoint)
    assert given.params["result"] == {"name": "look"}
    # of one item the next call waits
    given.end({"type": "thread.item.replaced", "item": call("next")})
    given = await output(endpoint)
    assert given.params["result"] == {"name": "next"}
    endpoint.keep("thr_1", *kept[:2], call("next", "completed"))
    given.end({"type": "thread.item.replaced", "item": call("next", "completed")})
    await expect(chat.log).to_contain_text("next: done")
    assert await chat.page.evaluate(RAN) == "look,next"

    endpoint.resumes = True
    endpoint.running.add("thr_1")
    chat = await opened(context, endpoint, initialThread="thr_1")
    told_again = await endpoint.telling()
    replaced = {"type": "thread.item.replaced", "item": call("next", "completed")}
    told_again.number(1, done(kept[1]), done(call("look")), replaced)
    told_again.end()
    endpoint.running.clear()
    await chat.answered()
    await chat.page.wait_for_timeout(1_200)
    assert await chat.page.evaluate(RAN) == "look,next"


async def test_what_a_page_cannot_give_is_told_and_what_nobody_waits_for_is_not(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 4")
    chat = await with_tool(context, endpoint, ODD)
    await chat.say("go on")
    given = await endpoint.telling()
    given.tell(done(user_message("u2", "go on")))
    for number, (name, told) in enumerate(
        {
            "nothing": "null",
            "big": "BigInt",
            "round": "circular",
            "code": "JSON",
            "throws": "Error: no",
            "refused": "The output was refused: It is too long.",
        }.items()
    ):
        if name == "refused":
            endpoint.refuse(413, "It is too long.")
        given.end(done(call(name, id=f"c{number}")))
        given = await output(endpoint)
        assert told in json.dumps(given.params["result"])
        assert number == 0 or [*given.params["result"]] == ["error"]

    # another tab was first
    endpoint.keep("thr_1", user_message("u2", "go on"), call("late", "completed", id="c7"))
    endpoint.refuse(409, "Not any more.", "not_waiting")
    given.end(done(call("late", id="c7")))
    await chat.loaded(2)
    await expect(chat.log).to_contain_text("late: done")
    await expect(chat.alert).to_have_count(0)

    # one that does not end keeps nobody from going on, and is not heard any more
    await chat.say("never")
    telling = await endpoint.telling()
    telling.end(done(user_message("u3", "never")), done(call("never", id="c8")))
    await chat.page.wait_for_function("() => window.end")
    before = len(endpoint.asked("threads.add_client_tool_output"))
    endpoint.keep("thr_1", call("never", "completed", id="c8"), user_message("u4", "so what"))
    await chat.say("so what")
    (await endpoint.telling()).end(done(user_message("u4", "so what")))
    await expect(chat.log).to_contain_text("never: done")
    await chat.page.evaluate("() => window.end({})")
    await chat.page.wait_for_timeout(200)
    assert len(endpoint.asked("threads.add_client_tool_output")) == before


QUESTIONS: Json = {
    **assistant_message("q1", ""),
    "type": "structured_input",
    "status": "pending",
    "inputs": [
        {"type": "multiple_choice", "id": "size", "question": "Shop · Your order\nWhich size?",
         "options": [{"value": "Small"}, {"value": "Large"}]},
        {"type": "freeform", "id": "many", "question": "How many?", "description": "A number"},
    ],
}  # fmt: skip


def answered(status: str, **values: list[str] | None) -> Json:
    """The questions, and what became of them."""
    inputs: list[Json] = []
    for asked in QUESTIONS["inputs"]:
        said = values.get(asked["id"])
        answer = None if said is None else {"values": said, "skipped": not said}
        inputs.append({**asked, "answer": answer})
    return {**QUESTIONS, "status": status, "inputs": inputs}


async def press(page: Page, *keys: str) -> None:
    """One after the other."""
    for key in keys:
        await page.keyboard.press(key)


async def test_questions_are_answered_and_skipped_by_keyboard_in_one_of_two_tabs(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("status of 422")
    kept = user_message("u1", "Well?")
    endpoint.keep("thr_1", kept, QUESTIONS)
    here, there = [await opened(context, endpoint, initialThread="thr_1") for _ in "ab"]
    for chat in (here, there):
        await chat.loaded(2)
    group = here.log.get_by_role("group", name="Shop · Your order Which size?")
    alert = here.log.get_by_role("alert")
    number = here.log.get_by_role("textbox", name="How many? A number")
    await here.button("Submit").focus()
    await press(here.page, "Enter")
    await expect(alert).to_have_text("Answer at least one question, or skip.")
    await expect(group.get_by_role("radio", name="Small")).to_be_focused()
    await press(here.page, "Space", "ArrowDown", "Tab", "Tab")
    await expect(number).to_be_focused()
    await here.page.keyboard.type("two")
    endpoint.refuse(422, "“How many?” takes a number.", "wrong_answer")
    await press(here.page, "Tab", "Enter")
    await expect(alert).to_have_text("“How many?” takes a number.")
    await expect(number).to_have_attribute("aria-invalid", "true")
    await expect(number).to_have_accessible_description("“How many?” takes a number.")
    assert await violations(here.page) == []
    await number.fill("2")
    await press(here.page, "Tab", "Enter", "Enter")
    await expect(here.button("Submit")).to_be_disabled()
    given = await endpoint.telling()
    said = {"size": ["Large"], "many": ["2"]}
    assert given.params["input"]["answers"] == {id: {"values": v} for id, v in said.items()}
    endpoint.keep("thr_1", kept, answered("answered", **said))
    given.end({"type": "thread.item.replaced", "item": answered("answered", **said)})
    for chat in (here, there):
        await expect(chat.log.locator(".questions")).to_contain_text("Answered")
        await expect(chat.log).to_contain_text("Large")
        aloud = chat.element.locator("[data-part=aloud]")
        await expect(aloud).to_have_text(
            "Answered: Shop · Your order\nWhich size? How many?", use_inner_text=False
        )
    assert len(endpoint.asked("threads.add_structured_input")) == 2
    focused = "(e) => e.shadowRoot.activeElement?.className"
    assert await here.element.evaluate(focused) == "questions"
    assert await violations(here.page) == []

    more = {**QUESTIONS, "id": "q2"}
    await here.say("more")
    endpoint.keep("thr_1", kept, answered("answered", **said), user_message("u2", "more"), more)
    (await endpoint.telling()).end(done(user_message("u2", "more")), done(more))
    await expect(here.button("Skip")).to_be_enabled()
    await here.button("Skip").focus()
    await press(here.page, "Enter")
    given = await endpoint.telling()
    assert given.params["input"] == {"status": "skipped", "answers": {}}
    skipped = {**answered("skipped", size=[], many=[]), "id": "q2"}
    given.end({"type": "thread.item.replaced", "item": skipped})
    last = here.log.locator(".questions").last
    await expect(last.locator(":scope > p")).to_have_text("Skipped")
    endpoint.keep("thr_1", kept, answered("skipped"))
    await here.element.evaluate("(e) => e.fetchUpdates()")
    await expect(last.locator(":scope > p")).to_have_text("Not answered any more")


PARAMETERS = {"type": "object", "properties": {"theme": {"type": "string"}}}
TOOLS = [{"name": "switch_theme", "description": "Light or dark.", "parameters": PARAMETERS}]
FORM = {"questions": [{"question": "Which size?", "choices": ["S", "L"]}]}


async def test_chatbridge_asks_the_page_and_the_person(
    chat_server: ChatServer, new_context: NewContext
) -> None:
    asking = await chat_server.another(
        CHATBRIDGE_AGENT__CLIENT_TOOLS=json.dumps(TOOLS), CHATBRIDGE_AGENT__ASK_PERSON="true"
    )
    try:
        context = await new_context()
        await context.add_init_script(f"{TOOL}\n{SLOW_AT_FIRST}")
        chat = await chat_server.open(context, "page-tools", url=asking.url, key=asking.key)
        await chat.ask('switch_theme {"theme": "dark"}')
        await expect(chat.log).to_contain_text("switch_theme: waiting")
        await chat.page.reload()
        await expect(chat.log).to_contain_text("switch_theme: done")
        await expect(chat.entries.last).to_contain_text("dark")
        assert await chat.page.evaluate(RAN) == "switch_theme,switch_theme"

        await chat.answered()
        await chat.ask(f"ask_person {json.dumps(FORM)}")
        await chat.log.get_by_role("radio", name="L").check()
        await chat.button("Submit").click()
        await expect(chat.log.locator(".questions")).to_contain_text("Answered")
        await expect(chat.entries.last).to_contain_text("L")
        await chat.ask(f"ask_person {json.dumps(FORM)}")
        await chat.ask("hello")
        questions = chat.log.locator(".questions").last
        await expect(questions).to_contain_text("Not answered any more")
    finally:
        asking.stop()
