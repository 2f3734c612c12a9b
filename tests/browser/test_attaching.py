"""Files in the composer: what may be attached, how it comes, and what a message shows of it."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, expect
from starlette.responses import JSONResponse, Response

from tests.browser.attaching import card, cards, choose, paste
from tests.browser.chromium import Watch
from tests.browser.element_page import Chat, violations
from tests.browser.endpoint import PATIENCE, Endpoint, assistant_message, done, user_message
from tests.browser.opened import opened
from tests.chatkit_client import Json
from tests.files_of_people import picture

TEXT = "text/plain"
# more than a connection holds while nobody reads
LONG = b"0123456789abcde\n" * 500_000
FAILED = "Failed to load resource"

OVERFLOWS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = """(element) => {
  const { activeElement: focused } = element.shadowRoot;
  return focused.getAttribute("aria-label") ?? focused.textContent;
}"""


async def attaching(
    context: BrowserContext, endpoint: Endpoint, strategy: Json | None = None, **options: Any
) -> Chat:
    """A chat in which files can be attached."""
    limits = {"enabled": True, **options.pop("limits", {})}
    strategy = strategy or {"type": "two_phase"}
    api = {"url": "chatkit", "domainKey": "local", "uploadStrategy": strategy}
    chat = await opened(context, endpoint, api=api, composer={"attachments": limits}, **options)
    await expect(chat.button("Attach files")).to_be_visible()
    return chat


def note(chat: Chat) -> Locator:
    return chat.element.locator(".note")


async def test_what_may_not_be_attached_is_said_before_anything_is_sent(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    limits = {
        "maxCount": 2,
        "maxSize": {"image/*": 10, "image/png": 5_000, "": 20},
        "accept": {"image/*": [], "text/plain": [".txt", ".log"]},
    }
    chat = await attaching(context, endpoint, limits=limits)
    for name, type, size, said in (
        ("a.png", "image/png", 5_001, "a.png is too large: a file has at most 5.0 kB."),
        ("a.gif", "image/gif", 11, "a.gif is too large: a file has at most 10 B."),
        ("a.LOG", "", 21, "a.LOG is too large: a file has at most 20 B."),
        ("a.pdf", "application/pdf", 1, "a.pdf is of a kind that is not accepted here."),
        ("b.txt", TEXT, 0, "b.txt is empty."),
    ):
        await choose(chat, (name, type, b"x" * size))
        await expect(note(chat)).to_have_text(said)
    # as an office program copies its text, and as some systems copy files
    assert not await paste(chat, ("0.txt", TEXT, b"text"), text="A table\nof two lines")
    three = [(f"{n}.txt", TEXT, b"text") for n in range(3)]
    assert await paste(chat, *three, text="0.txt\n1.txt\n2.txt")
    await expect(note(chat)).to_have_text("A message carries at most 2 files.")
    await expect(cards(chat)).to_have_count(2)
    assert [each["name"] for each in endpoint.brought.announced] == ["0.txt", "1.txt"]
    accept = await chat.element.locator("input[type=file]").get_attribute("accept")
    assert accept == "image/*,text/plain,.txt,.log"


async def test_a_message_waits_for_its_files_which_can_be_given_up(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat, brought = await attaching(context, endpoint), endpoint.brought
    brought.reads.clear()
    await choose(chat, ("long.txt", TEXT, LONG), ("cat.png", "image/png", picture()))
    bar = chat.element.get_by_role("progressbar", name="Uploading long.txt")
    said = card(chat, "long.txt").locator("small")
    await expect(said).to_have_text(re.compile(r"8.0 MB · [1-9]\d* %"))
    assert 0 < float(await bar.get_attribute("value") or 0) < 1
    await chat.box.fill("Look")
    for say in (chat.box.press("Enter"), chat.send_button.click()):
        await say
        await expect(note(chat)).to_have_text("Wait until all files are there.")
    await chat.button("Remove long.txt").click()
    await expect(chat.button("Remove cat.png")).to_be_focused()
    brought.reads.set()
    async with asyncio.timeout(PATIENCE):
        await brought.left.wait()
    await expect(card(chat, "cat.png")).to_have_attribute("data-state", "ready")
    await chat.box.press("Enter")
    telling = await endpoint.telling()
    said = telling.params["input"]
    ids = {each["name"]: f"att_{number}" for number, each in enumerate(brought.announced, 1)}
    cat = ids["cat.png"]
    assert (said["attachments"], said["content"][0]["text"]) == ([cat], "Look")
    assert brought.removed == [ids["long.txt"]]
    assert brought.kept == {cat: picture()}
    await expect(cards(chat)).to_have_count(0)
    # it is seen at once
    await expect(chat.log.get_by_role("link", name="cat.png")).to_be_visible()
    telling.end(done({**user_message("u1", "Look"), "attachments": [brought.cat(cat)]}))


async def test_what_breaks_is_tried_again_where_it_broke_and_then_elsewhere(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(FAILED)
    chat, brought = await attaching(context, endpoint), endpoint.brought
    brought.refusals += [Response(status_code=500), Response(status_code=403)]
    await choose(chat, ("a.txt", TEXT, b"text"))
    failed = card(chat, "a.txt")
    await expect(failed).to_contain_text("The server refused it (500).")
    await chat.box.fill("Look")
    await chat.box.press("Enter")
    await expect(note(chat)).to_have_text("a.txt could not be attached: try again, or remove it.")
    await failed.get_by_role("button", name="Try again").click()
    await expect(failed).to_have_attribute("data-state", "ready")
    # an address that is no good any more is asked for anew
    assert brought.puts == ["att_1", "att_1", "att_2"]
    detail = {"detail": "This file is not what it is said to be (text/plain)."}
    brought.refusals.append(JSONResponse(detail, 422))
    await choose(chat, ("b.txt", TEXT, b"text"))
    await expect(card(chat, "b.txt")).to_contain_text(detail["detail"])
    await expect(card(chat, "b.txt").get_by_role("button")).to_have_count(1)
    await chat.button("Remove b.txt").click()
    endpoint.refuse(422, "This type can't be attached.")
    await choose(chat, ("c.zip", "application/zip", b"PK"))
    await expect(card(chat, "c.zip")).to_contain_text("This type can't be attached.")


async def test_files_come_at_once_as_a_form(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(FAILED)
    direct = {"type": "direct", "uploadUrl": "/direct"}
    chat, brought = await attaching(context, endpoint, direct), endpoint.brought
    brought.reads.clear()
    await choose(chat, ("Über uns.md", "", b"# We"))
    bar = chat.element.get_by_role("progressbar", name="Uploading Über uns.md")
    await expect(bar).not_to_have_attribute("value", re.compile(""))
    brought.reads.set()
    await expect(card(chat, "Über uns.md")).to_have_attribute("data-state", "ready")
    assert endpoint.brought.kept == {"att_1": b"# We"}
    brought.refusals.append(JSONResponse({"detail": "No more today.", "code": "full"}, 409))
    await choose(chat, ("b.txt", TEXT, b"text"))
    await expect(card(chat, "b.txt")).to_contain_text("No more today.")
    await card(chat, "b.txt").get_by_role("button", name="Try again").click()
    await expect(card(chat, "b.txt")).to_have_attribute("data-state", "ready")
    # a message of nothing but files
    await chat.send_button.click()
    said = (await endpoint.telling()).params["input"]
    assert (len(said["attachments"]), said["content"]) == (2, [])
    await expect(chat.log.locator(".bubble")).to_have_count(0)


async def test_files_stay_with_their_thread_and_come_back_with_what_was_refused(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect(FAILED)
    for thread in ("thr_1", "thr_2"):
        endpoint.keep(thread, user_message(f"u{thread}", "Well?"), assistant_message("a1", "So."))
    chat = await attaching(context, endpoint, initialThread="thr_1")
    await chat.loaded(2)
    await choose(chat, ("a.txt", TEXT, b"text"))
    await expect(card(chat, "a.txt")).to_have_attribute("data-state", "ready")
    await chat.element.evaluate("(element) => element.setThreadId('thr_2')")
    await chat.loaded(2)
    await expect(cards(chat)).to_have_count(0)
    set_value = "(element, value) => element.setComposerValue(value)"
    uploaded = {
        "type": "file",
        "id": "att_host",
        "name": "host.pdf",
        "mime_type": "application/pdf",
    }
    await chat.element.evaluate(set_value, {"text": "Both", "attachments": [uploaded]})
    made = "{files: [new File(['x'], 'page.txt', {type: 'text/plain'})]}"
    await chat.element.evaluate(f"(element) => element.setComposerValue({made})")
    await expect(cards(chat)).to_have_text([re.compile("host.pdf"), re.compile("page.txt")])
    await expect(card(chat, "page.txt")).to_have_attribute("data-state", "ready")
    # what is set again is not taken back
    brought = [uploaded, {**uploaded, "id": "att_2", "name": "page.txt", "mime_type": TEXT}]
    await chat.element.evaluate(set_value, {"attachments": brought})
    await expect(cards(chat)).to_have_count(2)
    assert endpoint.asked("attachments.delete") == []
    endpoint.refuse(422, "This file is not there.")
    await chat.box.press("Enter")
    await expect(chat.alert).to_contain_text("This file is not there.")
    await expect(cards(chat)).to_have_count(2)
    await expect(chat.box).to_have_value("Both")
    await chat.box.press("Enter")
    assert (await endpoint.telling()).params["input"]["attachments"] == ["att_host", "att_2"]
    await chat.element.evaluate("(element) => element.setThreadId('thr_1')")
    await expect(card(chat, "a.txt")).to_have_attribute("data-state", "ready")
    send = "(element, attachments) => void element.sendUserMessage({attachments})"
    await chat.element.evaluate(send, [uploaded])
    assert (await endpoint.telling()).params["input"]["attachments"] == ["att_host"]
    await expect(cards(chat)).to_have_count(1)
    # whoever comes next finds nothing of it
    await chat.element.evaluate("(element) => element.setAttribute('data-user', 'bob')")
    await chat.element.evaluate("(element) => element.setAttribute('data-user', 'carol')")
    await expect(cards(chat)).to_have_count(0)


@pytest.mark.parametrize("is_renewed", [True, False])
async def test_a_picture_whose_address_has_expired_is_got_anew_once(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, is_renewed: bool
) -> None:
    watch.expect(FAILED)
    brought = endpoint.brought
    said = {**user_message("u1", "See"), "attachments": [brought.cat("att_1")]}
    endpoint.keep("thr_1", said, assistant_message("a1", "So."))
    brought.version = 2
    if is_renewed:
        brought.expired = lambda: endpoint.items["thr_1"][0].update(
            attachments=[brought.cat("att_1")]
        )
    chat = await opened(context, endpoint, initialThread="thr_1")
    if is_renewed:
        image = chat.log.get_by_role("img", name="cat.png")
        await expect(image).to_have_js_property("naturalWidth", 240)
        link = chat.log.get_by_role("link", name="cat.png")
        await expect(link).to_have_attribute("href", re.compile("v=2$"))
        assert brought.shown == ["att_1 1", "att_1 2"]
    else:
        await expect(chat.log.locator(".files")).to_have_text("cat.pngPNG")
        await expect(chat.log.get_by_role("img")).to_have_count(0)
        assert brought.shown == ["att_1 1"]
    assert len(endpoint.asked("items.list")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_is_attached_can_be_used_by_keyboard_and_looks_right(
    context: BrowserContext, endpoint: Endpoint, watch: Watch, scheme: str
) -> None:
    watch.expect(FAILED)
    brought = endpoint.brought
    report = {"type": "file", "id": "att_9", "mime_type": "application/pdf"}
    report["name"] = "The report of the year before last, as it was given to the board.pdf"
    said = {**user_message("u1", "What are these?"), "attachments": [brought.cat("att_8"), report]}
    only = {**user_message("u2", ""), "content": [], "attachments": [brought.cat("att_7")]}
    answers = [assistant_message("a1", "A picture and a report."), assistant_message("a2", "One.")]
    endpoint.keep("thr_1", said, answers[0], only, answers[1])
    theme = {"colorScheme": scheme}
    chat = await attaching(context, endpoint, initialThread="thr_1", theme=theme)
    await chat.loaded(4)
    brought.refusals.append(JSONResponse({"detail": "The server has no room for it."}, 507))
    await choose(chat, ("failed.txt", TEXT, b"text"))
    await expect(card(chat, "failed.txt")).to_contain_text("no room")
    await choose(chat, ("cat.png", "image/png", picture(size=(320, 240))))
    await expect(card(chat, "cat.png")).to_have_attribute("data-state", "ready")
    brought.reads.clear()
    await choose(chat, ("holiday on the sea.txt", TEXT, LONG))
    await expect(card(chat, "holiday")).to_contain_text("%")
    for width in (320, 768, 1280):
        await chat.page.set_viewport_size({"width": width, "height": 720})
        assert await chat.page.evaluate(OVERFLOWS) == 0
        await chat.picture(f"attaching-{scheme}-{width}")
    assert await violations(chat.page) == []
    # from the text backwards: all that can be done with each
    await chat.box.focus()
    found = []
    for _ in range(4):
        await chat.page.keyboard.press("Shift+Tab")
        found.append(await chat.element.evaluate(FOCUSED))
    assert found == [
        "Remove holiday on the sea.txt",
        "Remove cat.png",
        "Remove failed.txt",
        "Try again",
    ]
    brought.reads.set()
