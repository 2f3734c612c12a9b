"""Habits of platforms: input methods, phones, paper, files, pages without TLS."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat
from tests.browser.endpoint import Endpoint, assistant_message, user_message
from tests.browser.opened import opened

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 780}}

# `before`: the key is told before the word ends, as Chrome does; Safari ends it first
PRESS = """(field, [key, keyCode, before]) => {
  const word = (name) => field.dispatchEvent(new CompositionEvent(name, { bubbles: true }));
  field.focus();
  field.value = "日本";
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  word("compositionstart");
  if (!before) word("compositionend");
  const how = { bubbles: true, cancelable: true, composed: true, isComposing: before };
  field.dispatchEvent(new KeyboardEvent("keydown", { key, keyCode, ...how }));
  if (before) word("compositionend");
}"""

DROP = """(target) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["x"], "x.txt"));
  const how = { bubbles: true, cancelable: true, composed: true, dataTransfer };
  return ["dragover", "drop"].map((name) => !target.dispatchEvent(new DragEvent(name, how)));
}"""

SIZES = """(element) => [...element.shadowRoot.querySelectorAll("input, textarea")]
  .map((field) => parseFloat(getComputedStyle(field).fontSize))"""

WITHOUT_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"

LOOKS = """(element) => {
  const node = (name) => element.shadowRoot.querySelector(name);
  const scroll = node(".scroll");
  const shown = (name) => getComputedStyle(node(name)).display !== "none";
  return {
    hidden: scroll.scrollHeight - scroll.clientHeight,
    ground: getComputedStyle(node(".chat")).backgroundColor,
    pressed: ["header", ".composer", ".actions"].filter(shown),
  };
}"""


async def conversation(context: BrowserContext, endpoint: Endpoint, **options: object) -> Chat:
    """One that is longer than the window."""
    items = [user_message("u1", "Well?"), assistant_message("a1", "Long.\n\n" * 200)]
    endpoint.keep("thr_1", *items, title="Named")
    chat = await opened(context, endpoint, initialThread="thr_1", **options)
    await chat.loaded(2)
    return chat


async def test_a_key_that_ends_a_word_does_nothing_else(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await conversation(context, endpoint)
    for before in (True, False):
        await chat.box.evaluate(PRESS, ["Enter", 229, before])
    await expect(chat.box).to_have_value("日本")
    await chat.open_history()
    await chat.button("Rename Named").click()
    title = chat.history.get_by_role("textbox", name="Title")
    for before in (True, False):
        await title.evaluate(PRESS, ["Escape", 229, before])
        await expect(title).to_have_value("日本")
    assert [request["type"] for request in endpoint.requests] == [
        "threads.get_by_id",
        "threads.list",
    ]
    await title.evaluate(PRESS, ["Escape", 27, False])
    await expect(title).to_have_count(0)


async def test_on_a_phone_enter_makes_a_line_and_no_field_is_zoomed_into(
    new_context: NewContext, endpoint: Endpoint
) -> None:
    theme = {"typography": {"baseSize": 14}}
    chat = await conversation(await new_context(**PHONE), endpoint, theme=theme)
    await chat.box.tap()
    await chat.page.keyboard.type("one\ntwo")
    await expect(chat.box).to_have_value("one\ntwo")
    await expect(chat.box).to_have_attribute("enterkeyhint", "enter")
    assert endpoint.asked("threads.add_user_message") == []
    await chat.open_history()
    await chat.button("Rename Named").click()
    assert min(await chat.element.evaluate(SIZES)) >= 16
    await chat.button("Conversations").click()
    await chat.box.press("Control+Enter")
    await endpoint.telling()


async def test_a_file_that_is_dropped_stays_out_and_is_said_to(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await conversation(context, endpoint)
    await chat.box.fill("what was typed")
    for target in (chat.log, chat.box, chat.title):
        assert await target.evaluate(DROP) == [True, True]
        await expect(chat.element.locator(".note")).to_have_text(
            "Files can't be sent in this chat."
        )
    await expect(chat.box).to_have_value("what was typed")
    await chat.box.press("x")
    await expect(chat.element.locator(".note")).to_be_hidden()


async def test_paper_has_the_whole_conversation_on_white_and_nothing_to_press(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    color = {"surface": {"background": "#000022", "foreground": "#ffffff"}}
    theme = {"colorScheme": "dark", "color": color}
    chat = await conversation(context, endpoint, theme=theme)
    assert (await chat.element.evaluate(LOOKS))["hidden"] > 0
    await chat.page.emulate_media(media="print")
    looks = await chat.element.evaluate(LOOKS)
    assert looks == {"hidden": 0, "ground": "rgb(255, 255, 255)", "pressed": []}


@pytest.mark.parametrize("without", ["", WITHOUT_CLIPBOARD], ids=["with_tls", "without_tls"])
async def test_an_answer_is_copied(
    new_context: NewContext, endpoint: Endpoint, without: str
) -> None:
    context = await new_context(permissions=["clipboard-read", "clipboard-write"])
    await context.add_init_script(without)
    endpoint.keep("thr_1", user_message("u1", "Well?"), assistant_message("a1", "Copied *words*"))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.button("Copy").click()
    await expect(chat.button("Copied")).to_be_focused()
    await chat.box.press("Control+V")
    await expect(chat.box).to_have_value("Copied *words*")
