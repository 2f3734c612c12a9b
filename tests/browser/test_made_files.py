"""What tools and models make, on the chat page: seen, heard and got, also hours later."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import BrowserContext, expect

from chatbridge.container import Container
from chatbridge.entrypoints.attachment_addresses import Addresses
from tests.browser.chromium import Watch
from tests.browser.element_page import LISTEN, Chat, violations
from tests.hosts.studio import studio
from tests.ports import free_port
from tests.serving import SECRET, Served, served, serving, settings_for

OVERFLOWS = "document.documentElement.scrollWidth - innerWidth"


# What was loaded of it is forgotten.
PLAY_ANEW = """(audio) => {
  audio.muted = true;
  audio.load();
  audio.play().catch(() => {});
}"""


@dataclass
class Clock:
    """The time by which addresses expire."""

    ahead: float = 0

    def now(self) -> float:
        """In Unix seconds."""
        return time.time() + self.ahead

    async def passes(self, chat: Chat) -> None:
        """An hour goes by, at the server and on the page."""
        self.ahead += 3_600
        # Playwright's own clock would be set in the tab of a download too, which closes meanwhile
        await chat.page.evaluate("(now) => { Date.now = () => now; }", self.now() * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def making(clock: Clock, postgres_url: str) -> AsyncIterator[Served]:
    def override(container: Container) -> None:
        container.addresses.override(Addresses(SECRET.encode(), now=clock.now))

    port = free_port()
    agent = {"entry": "tests.hosts.drawing:assistant", "tools": "all"}
    servers = {"studio": {"url": f"http://127.0.0.1:{port}/mcp"}}
    settings = settings_for(postgres_url, agent=agent, mcp={"servers": servers})
    async with (
        serving(studio().streamable_http_app(stateless_http=True), port),
        served(settings, override) as here,
    ):
        yield here


async def test_what_was_made_is_there_after_a_reload_and_hours_later(
    context: BrowserContext, making: Served, clock: Clock, watch: Watch
) -> None:
    watch.expect("403")
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(f"{making.url}/#key={making.container.key().value}")
    chat = await Chat(page).ready()
    for tool in ("paint", "everything", "draw", "everything"):
        await chat.ask(f"please {tool}")
    picture = chat.log.get_by_role("img", name="paint.png")
    drawn = chat.log.get_by_role("img", name="Generated image")
    audio = chat.log.locator("audio").first
    for loads in range(2):
        for image in (picture, drawn):
            await expect(image).not_to_have_js_property("naturalWidth", 0)
        await expect(audio).to_have_js_property("duration", 600)
        if not loads:
            await page.reload()
    for scheme, width in (("light", 1280), ("dark", 320)):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 1400})
        assert await page.evaluate(OVERFLOWS) <= 0
        await chat.picture(f"made-{scheme}-{width}")
    assert await violations(page) == []

    await clock.passes(chat)
    links = chat.log.get_by_role("link", name="notes.md")
    # what is told for the first is told for both
    for link in (links.first, links.last):
        async with page.expect_download() as downloading:
            await link.click()
        assert (await downloading.value).suggested_filename == "notes.md"
    await clock.passes(chat)
    for image in (picture, drawn):
        await image.evaluate("(image) => (image.src = image.src)")
        await expect(image).not_to_have_js_property("naturalWidth", 0)
    await clock.passes(chat)
    await audio.evaluate(PLAY_ANEW)
    await expect(audio).to_have_js_property("paused", False)
    await page.wait_for_function(
        "(audio) => audio.currentTime > 0", arg=await audio.element_handle()
    )
