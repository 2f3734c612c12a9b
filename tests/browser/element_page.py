"""The chat on a page, by the names that a person or a screen reader finds it by."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.browser.bundles import AXE
from tests.browser.chromium import ARTEFACTS
from tests.chatkit_client import Json, frames

# Counts what the element says of itself; an answer's end is heard also if it came at once.
LISTEN = """
window.heard = [];
for (const name of ["ready", "error", "response.start", "response.end", "thread.change", "log",
                    "effect"])
  document.addEventListener(`chatkit.${name}`, (event) => {
    const detail = name === "error" ? event.detail.error.message : event.detail;
    window.heard.push({ name, detail: detail ?? null });
  });
"""

# Every state that a person could have seen, in the order in which each was there first.
NOTE_STATES = """(element) => {
  const seen = (window.seen = []);
  const look = () => {
    const marks = element.shadowRoot.querySelectorAll("[data-part=progress], [data-widget=Badge]");
    for (const { textContent } of marks) if (!seen.includes(textContent)) seen.push(textContent);
  };
  const watched = { childList: true, subtree: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(element.shadowRoot, watched);
}"""

NOTE_STREAMS = """() => {
  const asked = window.fetch;
  window.streams = [];
  window.fetch = async (...request) => {
    const response = await asked(...request);
    const kind = response.headers.get("content-type") ?? "";
    if (kind.startsWith("text/event-stream")) window.streams.push(whole(response.clone().body));
    return response;
  };
  // the reader lets go of the response at its end, which may end our copy a little early
  const whole = async (body) => {
    const [reader, decoder] = [body.getReader(), new TextDecoder()];
    let text = "";
    for (;;) {
      const { value } = await reader.read().catch(() => ({}));
      if (!value) return text;
      text += decoder.decode(value, { stream: true });
    }
  };
}"""

_ENDED = "(count) => window.heard.filter((e) => e.name === 'response.end').length > count"


@dataclass(frozen=True)
class Shown:
    """One entry of the log as it is seen."""

    id: str
    type: str
    text: str


@dataclass
class Chat:
    """The element on a page."""

    page: Page

    def __post_init__(self) -> None:
        self.element = self.page.locator("openai-chatkit")
        self.log = self.element.get_by_role("log", name="Messages")
        self.entries = self.log.get_by_role("article")
        self.box = self.element.get_by_role("textbox", name="Message", exact=True)
        self.send_button = self.button("Send")
        self.stop_button = self.button("Stop")
        self.progress = self.element.locator("[data-part=progress]")
        self.alert = self.element.get_by_role("alert")
        self.history = self.element.get_by_role("navigation", name="Conversations")
        self.title = self.element.get_by_role("heading", level=2)
        self.badges = self.element.locator("[data-widget=Badge]")

    async def note_streams(self) -> None:
        """From now on keep what the page reads of each stream."""
        await self.page.evaluate(NOTE_STREAMS)

    async def streams(self) -> list[list[Json]]:
        """The events of each stream that was noted, to its end."""
        texts = await self.page.evaluate("Promise.all(window.streams)")
        return [frames(_without_ids(text)) for text in texts]

    def button(self, name: str) -> Locator:
        """A button of the element's."""
        return self.element.get_by_role("button", name=name, exact=True)

    async def ready(self) -> "Chat":
        """The element is there and can be used."""
        await expect(self.box).to_be_visible()
        return self

    async def say(self, text: str) -> None:
        """Send something; the answer has only begun."""
        await self.box.fill(text)
        await self.send_button.click()

    async def answers(self) -> int:
        """How many answers have ended since the page was loaded."""
        return await self.page.evaluate(
            "() => window.heard.filter((e) => e.name === 'response.end').length"
        )

    async def ask(self, text: str) -> None:
        """Send something and wait for the whole answer."""
        before = await self.answers()
        await self.say(text)
        await self.answered(before)

    async def answered(self, before: int = 0) -> None:
        """Wait until one more answer than `before` has ended, and is drawn."""
        await self.page.wait_for_function(_ENDED, arg=before)
        await expect(self.log).to_have_attribute("aria-busy", "false")

    async def loaded(self, count: int) -> None:
        """Wait for a conversation with so many entries."""
        await expect(self.entries).to_have_count(count)
        await expect(self.log).to_have_attribute("aria-busy", "false")

    async def shown(self) -> list[Shown]:
        """The log, entry by entry, as it is on the screen."""
        found = await self.entries.evaluate_all(
            "(all) => all.map((a) => [a.dataset.itemId, a.dataset.itemType, a.innerText])"
        )
        return [Shown(*each) for each in found]

    async def note_states(self) -> None:
        """From now on note each state of progress and of badges."""
        await self.element.evaluate(NOTE_STATES)

    async def states(self) -> list[str]:
        """What was noted of each call; that it runs may be over before it is drawn."""
        noted = await self.page.evaluate("() => window.seen")
        return [state for state in noted if state != "Running"]

    async def heard(self, name: str) -> list[Any]:
        """The details of the element's events of this name."""
        told = await self.page.evaluate("() => window.heard")
        return [each["detail"] for each in told if each["name"] == name]

    async def open_history(self) -> None:
        """Show the list of conversations."""
        await self.button("Conversations").click()
        await expect(self.history).to_be_visible()

    async def picture(self, name: str) -> Path:
        """Keep what the page looks like."""
        path = ARTEFACTS / "pictures" / f"{name}.png"
        await self.page.screenshot(path=path, animations="disabled")
        return path


def _without_ids(text: str) -> str:
    """A stream that can be resumed, as it is told to whoever does not ask for that."""
    return re.sub(r"^(id: \S+/\d+\n|: keep-alive\n\n)", "", text, flags=re.MULTILINE)


async def violations(page: Page, *without: str) -> list[str]:
    """What axe finds on the page, the element's shadow tree included, by all but these rules."""
    await page.evaluate(AXE.read_text())
    # what fades in is judged when it is there
    await page.evaluate(
        "() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished))"
    )
    rules = {rule: {"enabled": False} for rule in without}
    found = await page.evaluate("(options) => axe.run(options)", {"rules": rules})
    return [
        f"{each['id']}: {each['help']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
