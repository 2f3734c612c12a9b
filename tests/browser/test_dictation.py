"""Dictation with the microphone that Chromium pretends to have."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import LISTEN, Chat, violations
from tests.browser.endpoint import Endpoint
from tests.browser.opened import opened
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.serving import Served, served, settings_for
from tests.waiting import until

MICROPHONE = {"permissions": ["microphone"]}
DICTATION = {"dictation": {"enabled": True}}
JSON = {"content-type": "application/json"}

# What of the microphone is still on.
LIVE = """
window.live = () => window.tracks.filter((track) => track.readyState === "live").length;
window.tracks = [];
const asked = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (asked) navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await asked(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
window.good = navigator.mediaDevices?.getUserMedia;
"""
BREAK = """(name) => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
}"""
BROKEN = {"NotFoundError": "There is no", "NotReadableError": "another program"}


@dataclass
class Hearing:
    """chatbridge with its page, and the endpoint that writes down for it."""

    served: Served
    endpoint: ScriptedEndpoint

    def hears(self, text: str, **how: object) -> None:
        self.endpoint.answer(json.dumps({"text": text}).encode(), **{"headers": JSON, **how})

    async def open(self, context: BrowserContext) -> Chat:
        await context.add_init_script(LISTEN + LIVE)
        page = await context.new_page()
        await page.goto(f"{self.served.url}/#key={self.served.container.key().value}")
        return await Chat(page).ready()


@pytest.fixture
async def hearing() -> AsyncIterator[Hearing]:
    async with ScriptedEndpoint().running() as endpoint:
        told = {"model": "whisper-1", "base_url": endpoint.url}
        async with served(settings_for("memory:", dictation=told)) as here:
            yield Hearing(here, endpoint)


async def live(chat: Chat) -> int:
    return await chat.page.evaluate("window.live()")


async def recording(chat: Chat, time: str = "") -> None:
    """What is said now is recorded, until the time is shown at least."""
    await expect(chat.button("Dictate")).to_have_attribute("aria-pressed", "true")
    await expect(chat.element.get_by_role("timer")).to_contain_text(time or "0:0")


async def test_what_is_said_stands_at_the_caret(
    new_context: NewContext, hearing: Hearing, watch: Watch
) -> None:
    chat = await hearing.open(await new_context(**MICROPHONE))
    press, dictate = chat.page.keyboard.press, chat.button("Dictate")
    await chat.box.fill("Please milk today")
    await chat.box.evaluate("(box) => box.setSelectionRange(6, 6)")
    await expect(dictate).to_be_visible()
    await chat.send_button.focus()
    await press("Shift+Tab")
    await expect(dictate).to_be_focused()
    await press("Space")
    await recording(chat, "0:01")
    assert await live(chat) == 1
    assert await violations(chat.page) == []
    await chat.picture("dictation-recording")
    hearing.hears(" buy two litres of oat ")
    await press("Space")
    await expect(chat.box).to_have_value("Please buy two litres of oat milk today")
    await expect(chat.box).to_be_focused()
    name, kind, audio = hearing.endpoint.requests[0]["file"]
    assert (name, kind, audio[:4]) == ("recording.webm", "audio/webm", b"\x1a\x45\xdf\xa3")
    assert b"OpusHead" in audio
    assert 1_000 < len(audio) < 20_000
    await press("ControlOrMeta+z")
    await expect(chat.box).to_have_value("Please milk today")

    # Escape, in the text or beside it
    for place in (chat.box, dictate):
        await dictate.press("Enter")
        await recording(chat)
        await place.press("Escape")
        await expect(dictate).to_have_attribute("aria-pressed", "false")
        await expect(chat.box).to_be_focused()
        assert await live(chat) == 0
    # one that is given up while it is written down
    hearing.endpoint.answer(headers=JSON, ending="pings")
    await dictate.click()
    await recording(chat)
    await dictate.click()
    await until(lambda: len(hearing.endpoint.requests) == 2)
    held = set(hearing.endpoint.serving)
    await expect(chat.element.get_by_role("timer")).to_have_text("Transcribing…")
    assert await live(chat) == 0
    await chat.picture("dictation-transcribing")
    await chat.button("Cancel dictation").click()
    await until(lambda: held - hearing.endpoint.serving)
    # nothing is sent meanwhile
    await dictate.click()
    await recording(chat, "0:01")
    await chat.box.press("Enter")
    await expect(chat.element.get_by_text("Finish the dictation first.")).to_be_visible()
    # what fails is said, and the same recording may be written down later
    watch.expect("502")
    hearing.hears("", status=401)
    await dictate.click()
    await expect(chat.element.get_by_text("refused our key")).to_be_visible()
    hearing.hears("Now")
    await chat.button("Write it down again").click()
    await expect(chat.box).to_have_value("Please Now milk today")
    first, second = (asked["file"] for asked in hearing.endpoint.requests[-2:])
    assert first == second

    # another conversation
    await dictate.click()
    await recording(chat)
    await chat.button("New conversation").first.click()
    await expect(dictate).to_have_attribute("aria-pressed", "false")
    assert await live(chat) == 0


async def test_why_nobody_is_heard_is_said(
    new_context: NewContext, endpoint: Endpoint, watch: Watch
) -> None:
    context = await new_context()
    await context.add_init_script(LIVE)
    chat = await opened(context, endpoint, composer=DICTATION)
    dictate = chat.button("Dictate")
    note = chat.element.locator(".note")
    await dictate.click()
    await expect(note).to_contain_text("The microphone is not allowed here.")
    await context.grant_permissions(["microphone"])
    # the browser is told, and the button still works
    watch.expect("501")
    endpoint.refuse(501, "Dictation is not set up here.", "dictation_not_configured")
    await dictate.click()
    await recording(chat)
    await dictate.click()
    await expect(note).to_have_text("Dictation is not set up here.")
    for name, words in BROKEN.items():
        await chat.page.evaluate(BREAK, name)
        await dictate.click()
        await expect(note).to_contain_text(words)
    await chat.page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.good }")
    # a tab that is not seen, an option that is off, a page without the chat: nothing is recorded
    ends = (
        "(e) => { Object.defineProperty(document, 'hidden', { value: true, configurable: true }) }",
        "(e) => e.setOptions({ api: { url: 'chatkit', domainKey: 'local' } })",
        "(e) => e.remove()",
    )
    for end in ends:
        endpoint.heard = "This is kept."
        await dictate.click()
        await recording(chat)
        assert await live(chat) == 1
        await chat.element.evaluate(end)
        await chat.page.wait_for_function("() => window.live() === 0")
        if end == ends[0]:
            await expect(chat.box).to_have_value("This is kept.")
            await chat.page.evaluate("delete document.hidden")
        elif end == ends[1]:
            await expect(dictate).to_have_count(0)
            again = {"api": {"url": "chatkit", "domainKey": "local"}, "composer": DICTATION}
            await chat.element.evaluate("(e, options) => e.setOptions(options)", again)
    assert len(endpoint.asked("input.transcribe")) == 2
