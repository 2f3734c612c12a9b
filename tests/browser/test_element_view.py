"""The element and a person: long conversations, the keyboard, ears, small screens."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, CDPSession, Page, expect

from tests.browser.conftest import NewContext
from tests.browser.element_page import violations
from tests.browser.endpoint import (
    Endpoint,
    added,
    assistant_message,
    created,
    delta,
    done,
    user_message,
)
from tests.browser.opened import asked, opened


async def test_4000_deltas_are_drawn_by_the_frame_and_only_where_something_changed(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Long ago."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await chat.page.evaluate(COUNT_DRAWS)
    session = await context.new_cdp_session(chat.page)
    await session.send("Performance.enable")
    before = await script_seconds(session)
    await chat.say("Count")
    telling = await endpoint.telling()
    telling.tell(done(user_message("u1", "Count")), added(assistant_message("a1", "")))
    words = [f"word{n}{' ' if n % 40 else chr(10) * 2}" for n in range(4_000)]
    for begin in range(0, 4_000, 50):
        telling.tell(*[delta("a1", word) for word in words[begin : begin + 50]])
        await asyncio.sleep(0)
    telling.end(done(assistant_message("a1", "".join(words))))
    await chat.answered()
    counted = await chat.page.evaluate("() => window.counted()")
    spent = await script_seconds(session) - before
    print(f"4,000 deltas: {counted}, {spent * 1_000:.0f} ms of script")
    # a draw a frame, whatever the number of deltas; what was there before is not touched
    assert counted["draws"] <= counted["frames"] + 2 < 2_000
    assert counted["touchedBefore"] == 0
    # a paragraph that is whole keeps its node: about one each, not one each draw
    assert counted["paragraphs"] <= 100 + counted["draws"]
    assert len((await chat.shown())[-1].text.split()) == 4_000


async def script_seconds(session: CDPSession) -> float:
    """How long scripts have run on the page."""
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "ScriptDuration")


COUNT_DRAWS = """() => {
  const root = document.querySelector("openai-chatkit").shadowRoot;
  const before = new Set(root.querySelectorAll("article"));
  const result = { draws: 0, frames: 0, touchedBefore: 0, paragraphs: 0 };
  const frame = () => { result.frames++; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new MutationObserver((records) => {
    let drawn = false;
    for (const { target, addedNodes } of records) {
      const article = (target.nodeType === 1 ? target : target.parentElement)?.closest("article");
      if (before.has(article)) result.touchedBefore++;
      else if (article) drawn = true;
      for (const node of addedNodes) if (node.nodeName === "P") result.paragraphs++;
    }
    if (drawn) result.draws++;
  }).observe(root.querySelector("[role=log]"), {
    childList: true, subtree: true, characterData: true });
  window.counted = () => result;
}"""


async def test_a_conversation_of_2000_messages_opens_at_its_end_and_can_be_read_backwards(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = [
        user_message(f"m{n:04}", f"Question {n}")
        if n % 2 == 0
        else assistant_message(f"m{n:04}", f"Answer {n}")
        for n in range(2_000)
    ]
    endpoint.keep("thr_1", *said)
    chat = await opened(context, endpoint, initialThread="thr_1")
    last = chat.log.locator("[data-item-id=m1999]")
    await expect(last).to_be_in_viewport()
    await chat.page.evaluate("() => new Promise(requestIdleCallback)")
    assert len(endpoint.asked("items.list")) <= 3
    first, rows = await chat.page.evaluate(READ_BACKWARDS, len(said))
    assert first < 400
    assert rows == len(said)
    assert [entry.id for entry in await chat.shown()] == [item["id"] for item in said]
    cursors = [asked.get("after") for asked in endpoint.asked("items.list")]
    assert len(cursors) == len(set(cursors))


async def test_pages_that_are_shorter_than_was_asked_for_are_read_on(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = [user_message(f"m{n}", f"Question {n}") for n in range(60)]
    endpoint.keep("thr_1", *said)
    endpoint.most = 2
    chat = await opened(context, endpoint, initialThread="thr_1")
    await expect(chat.log.locator("[data-item-id=m59]")).to_be_in_viewport()
    first, rows = await chat.page.evaluate(READ_BACKWARDS, len(said))
    assert first < rows == len(said)
    assert [entry.id for entry in await chat.shown()] == [item["id"] for item in said]


READ_BACKWARDS = """async (all) => {
  const root = document.querySelector("openai-chatkit").shadowRoot;
  const rows = () => root.querySelectorAll("[data-item-id]").length;
  const first = rows();
  const until = performance.now() + 30_000;
  while (rows() < all && performance.now() < until) {
    root.querySelector(".scroll").scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
  return [first, rows()];
}"""


async def test_reading_above_is_not_disturbed_by_what_is_said_below(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = [assistant_message(f"m{n}", f"Line {n}") for n in range(60)]
    endpoint.keep("thr_1", *[user_message(i["id"], i["content"][0]["text"]) for i in said])
    chat = await opened(context, endpoint, initialThread="thr_1")
    await expect(chat.log.locator("[data-item-id=m59]")).to_be_in_viewport()
    await chat.say("More")
    telling = await endpoint.telling()
    telling.tell(done(user_message("u1", "More")), added(assistant_message("a1", "")))
    await expect(chat.log.locator("[data-item-id=u1]")).to_be_in_viewport()
    telling.tell(delta("a1", "first\n\n" * 40))
    end = chat.log.locator("[data-item-id=a1] p").last
    await expect(end).to_be_in_viewport()

    await chat.element.locator(".scroll").hover()
    await chat.page.mouse.wheel(0, -1_500)
    await expect(end).not_to_be_in_viewport()
    scroll = chat.element.locator(".scroll")
    stands = await scroll.evaluate("(e) => e.scrollTop")
    telling.tell(delta("a1", "second\n\n" * 40))
    await expect(chat.log.locator("[data-item-id=a1] p")).to_have_count(80)
    assert abs(await scroll.evaluate("(e) => e.scrollTop") - stands) < 2
    await chat.button("Go to the latest message").click()
    await expect(chat.log.locator("[data-item-id=a1] p").last).to_be_in_viewport()
    telling.end(done(assistant_message("a1", "first\n\n" * 40 + "second\n\n" * 40)))
    await chat.answered()


async def test_the_keyboard_is_enough(context: BrowserContext, endpoint: Endpoint) -> None:
    endpoint.keep("thr_0", user_message("u0", "Old"), title="Old one")
    chat = await opened(context, endpoint)
    keys = chat.page.keyboard

    async def tab_to(name: str) -> None:
        for _ in range(30):
            await keys.press("Tab")
            if await chat.page.evaluate(FOCUSED) == name:
                return
        raise AssertionError(f"no way by Tab to {name}")

    await tab_to("Message")
    await keys.type("From the keyboard")
    await keys.press("Shift+Enter")
    await keys.type("in two lines")
    await keys.press("Enter")
    telling = await endpoint.telling()
    said = telling.params["input"]["content"][0]["text"]
    assert said == "From the keyboard\nin two lines"
    telling.end(created(), done(user_message("u1", said)), done(assistant_message("a1", "Yes.")))
    await chat.answered()

    await tab_to("Conversations")
    await keys.press("Enter")
    await expect(chat.history.get_by_role("button", name="Old one", exact=True)).to_be_focused()
    await tab_to("Rename Old one")
    await keys.press("Enter")
    await expect(chat.history.get_by_role("textbox", name="Title")).to_be_focused()
    await keys.press("Escape")
    await expect(chat.history.get_by_role("textbox")).to_have_count(0)
    await expect(chat.history).to_be_visible()
    await keys.press("Enter")
    await expect(chat.log).to_contain_text("Old")
    await tab_to("Conversations")
    await keys.press("Enter")
    await expect(chat.history).to_be_visible()
    await keys.press("Escape")
    await expect(chat.history).to_have_count(0)
    await expect(chat.box).to_be_focused()


FOCUSED = """() => {
  const active = document.activeElement?.shadowRoot?.activeElement;
  return active?.getAttribute("aria-label") ?? active?.textContent ?? "";
}"""


async def test_an_answer_is_read_aloud_in_sentences_and_an_old_one_is_not(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", user_message("u0", "Before"), assistant_message("a0", "Long ago."))
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await chat.page.evaluate(NOTE_SPEECH)
    await chat.say("Speak")
    telling = await endpoint.telling()
    telling.tell(done(user_message("u1", "Speak")), added(assistant_message("a1", "")))
    sentences = ["One sentence. ", "Another ", "one. ", "The last"]
    for piece in sentences:
        telling.tell(delta("a1", piece))
        await asyncio.sleep(0.4)
    telling.end(done(assistant_message("a1", "".join(sentences))))
    await chat.answered()
    await chat.page.wait_for_function("() => window.spoken.join(' ').endsWith('The last')")
    spoken = await chat.page.evaluate("() => window.spoken")
    assert " ".join(spoken) == "One sentence. Another one. The last"
    # pieces of a sentence are never said by themselves
    assert all(re.search(r"[.]$|The last$", said) for said in spoken)


NOTE_SPEECH = """() => {
  const root = document.querySelector("openai-chatkit").shadowRoot;
  const live = root.querySelector("[data-part=announcer][aria-live=polite]");
  window.spoken = [];
  new MutationObserver(() => window.spoken.push(live.textContent)).observe(live, {
    childList: true, characterData: true, subtree: true });
}"""


async def test_nothing_moves_for_those_who_want_it_still(
    new_context: NewContext, endpoint: Endpoint
) -> None:
    chat = await opened(await new_context(reduced_motion="reduce"), endpoint)
    telling = await asked(chat, endpoint)
    await expect(chat.progress).to_be_visible()
    moving = await chat.element.evaluate(
        "(e) => e.shadowRoot.getAnimations({ subtree: true })"
        ".filter((a) => a.effect.getTiming().iterations === Infinity).length"
    )
    assert moving == 0
    telling.end(done(assistant_message("a1", "Still.")))
    await chat.answered()


async def test_from_right_to_left(context: BrowserContext, endpoint: Endpoint) -> None:
    said, answer = "ما هي مهامي؟", "لديك مهمة واحدة: **شراء الحليب**."
    endpoint.keep("thr_1", user_message("u1", said), assistant_message("a1", answer))
    await context.add_init_script(
        "addEventListener('DOMContentLoaded', () => (document.documentElement.dir = 'rtl'))"
    )
    chat = await opened(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    direction = "(e) => getComputedStyle(e).direction"
    assert await chat.log.locator(".prose p").evaluate(direction) == "rtl"
    bubble = await chat.log.locator("[data-item-id=u1] .bubble").bounding_box()
    prose = await chat.log.locator("[data-item-id=a1] .prose p strong").bounding_box()
    send = await chat.send_button.bounding_box()
    box = await chat.box.bounding_box()
    assert bubble
    assert prose
    assert send
    assert box
    # one's own words and the button are at the end of the line: left
    assert send["x"] < box["x"]
    assert await no_overflow(chat.page)
    assert await violations(chat.page) == []


@pytest.mark.parametrize("width", [320, 768, 1440])
async def test_nothing_is_cut_off_at_any_width(
    new_context: NewContext, endpoint: Endpoint, width: int
) -> None:
    endpoint.keep(
        "thr_1", user_message("u1", "w" * 200), assistant_message("a1", WIDE), title="T" * 90
    )
    chat = await opened(
        await new_context(viewport={"width": width, "height": 640}),
        endpoint,
        initialThread="thr_1",
    )
    await chat.loaded(2)
    assert await no_overflow(chat.page)
    await chat.open_history()
    assert await no_overflow(chat.page)
    for button in await chat.element.get_by_role("button").all():
        area = await button.bounding_box()
        assert area
        assert min(area["width"], area["height"]) >= 24
        assert area["x"] >= 0
        assert area["x"] + area["width"] <= width


WIDE = "`" + "code" * 60 + "`\n\n| " + " | ".join(["column" * 3] * 8) + " |\n|" + "-|" * 8


async def no_overflow(page: Page) -> bool:
    """Nothing has to be scrolled sideways but what is meant to be."""
    return await page.evaluate(
        "() => [document.documentElement, document.querySelector('openai-chatkit')"
        ".shadowRoot.querySelector('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)"
    )
