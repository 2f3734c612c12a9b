"""What a tool server asks, on the page: by keyboard, after a reload and a restart, in its card."""

import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat, violations
from tests.browser.opened import BROKEN
from tests.chatkit_client import Json
from tests.integration.asking_server import SIGN_IN, AskingServer
from tests.integration.http.waiting_stage import Api
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.integration.tool_servers import older, serving

API = Api("chat_completions")
OLDER = ["hasty"]


@dataclass
class Hotel:
    """chatbridge with a model that calls what it is told to, and a tool server that asks."""

    chat: ChatServer
    endpoint: ScriptedEndpoint
    server: AskingServer

    def model(self, *asked: tuple[str, Json], then: str = "Done.") -> None:
        self.endpoint.answer(*API.calls(*asked)).answer(*API.text(then))


@pytest.fixture(scope="module")
async def hotel(_chat_server: ChatServer) -> AsyncGenerator[Hotel]:
    server = AskingServer()
    newer = ["book", "sign_in"]
    async with (
        serving(server.app()) as here,
        serving(older(server.app())) as there,
        ScriptedEndpoint().running() as endpoint,
    ):
        servers = [
            {"name": "hotel", "url": f"{here}/mcp", "tools": newer},
            {"name": "old hotel", "url": f"{there}/mcp", "tools": OLDER},
        ]
        environment = {
            **_chat_server.environment,
            "CHATBRIDGE_AGENT__MODEL": "m",
            "CHATBRIDGE_AGENT__BASE_URL": endpoint.url,
            "CHATBRIDGE_AGENT__API": API.name,
            "OPENAI_API_KEY": "k",
            "CHATBRIDGE_MCP__SERVERS": json.dumps(servers),
        }
        process = await _chat_server.another(**environment)
        chat = ChatServer(process, _chat_server.directory, _chat_server.database, environment)
        yield Hotel(chat, endpoint, server)
        chat.process.stop()


def card(chat: Chat) -> Locator:
    """The entry that asks."""
    return chat.entries.filter(has=chat.page.locator("form"))


async def test_what_a_tool_server_asks_is_answered_by_keyboard(
    hotel: Hotel, new_context: NewContext
) -> None:
    chat = await hotel.chat.open(await new_context(), "guest")
    keys = chat.page.keyboard
    hotel.model(("book", {"hotel": "Ritz"}), then="Booked.")
    await chat.ask("book a room")
    await chat.page.reload()
    await expect(card(chat)).to_contain_text("hotel asks")
    for scheme in ("light", "dark"):
        await chat.page.emulate_media(color_scheme=scheme)
        await chat.picture(f"elicitation-form-{scheme}")
        assert await violations(chat.page) == []

    seat = card(chat).get_by_role("textbox", name="Which seat?", exact=True)
    nights = card(chat).get_by_role("spinbutton", name="How many nights? (optional)")
    await expect(nights).to_have_value("2")
    await expect(card(chat).get_by_role("radio", name="Yes")).to_be_checked()
    await seat.press("Enter")
    # what is required is asked for, and nothing is sent
    await expect(seat).to_be_focused()
    assert await seat.evaluate("(field) => field.validity.valueMissing")
    await keys.type("A1")
    await keys.press("Tab")
    await expect(nights).to_be_focused()
    for key in ("Tab", "ArrowDown", "Tab"):
        await keys.press(key)
    await expect(card(chat).get_by_role("button", name="Send")).to_be_focused()
    await keys.press("Enter")

    sure = card(chat).get_by_role("radiogroup", name="Book it?")
    await sure.get_by_role("radio", name="Yes").press("Space")
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(chat.log).to_contain_text("Booked.")
    await expect(chat.badges.last).to_have_text("Success")
    assert hotel.server.told == ["accept"]
    booked = {"seat": "A1", "nights": 2, "breakfast": False}
    assert f"Ritz: {booked}, booked" in json.dumps(hotel.endpoint.requests[-1])

    hotel.model(("sign_in", {}), then="Signed in.")
    await chat.ask("sign in")
    link = card(chat).get_by_role("link", name="Open bank.example")
    await expect(link).to_have_attribute("href", SIGN_IN)
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", re.compile("noopener"))
    for scheme in ("dark", "light"):
        await chat.page.emulate_media(color_scheme=scheme)
        await chat.picture(f"elicitation-link-{scheme}")
        assert await violations(chat.page) == []
    await card(chat).get_by_role("button", name="Done").press("Enter")
    await expect(chat.log).to_contain_text("Signed in.")

    hotel.model(("book", {"hotel": "Ritz"}), then="No room, then.")
    await chat.ask("book another")
    await card(chat).get_by_role("button", name="Decline").press("Enter")
    await expect(chat.log).to_contain_text("No room, then.")
    assert [hotel.server.told[0], hotel.server.told[-1]] == ["accept", "decline"]


async def test_an_older_servers_question_is_answered_while_its_call_goes_on_and_ends_with_it(
    hotel: Hotel, new_context: NewContext, watch: Watch
) -> None:
    watch.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", BROKEN)
    context = await new_context()
    chat = await hotel.chat.open(context, "older-guest")
    hotel.model(("hasty", {}), then="All done.")
    await chat.say("hurry")
    await expect(card(chat)).to_contain_text("old hotel asks")
    await card(chat).get_by_role("radio", name="Yes").press("Space")
    await chat.page.keyboard.press("Tab")
    await chat.page.keyboard.press("Enter")
    await expect(chat.log).to_contain_text("All done.")
    await expect(card(chat)).to_have_count(0)
    assert hotel.server.told[-1] == "accept"

    hotel.model(("hasty", {}), then="It did not wait.")
    await chat.say("hurry more")
    await expect(card(chat)).to_be_visible()
    hotel.server.hurry.set()
    await expect(chat.log).to_contain_text("It did not wait.")
    await expect(card(chat)).to_have_count(0)
    await expect(chat.badges.last).to_have_text("Success")

    hotel.server.hurry.clear()
    hotel.model(("hasty", {}))
    await chat.say("hurry again")
    await expect(card(chat)).to_be_visible()
    await hotel.chat.kill_and_start_again()
    await expect(chat.badges.last).to_have_text("Outcome unknown")
    await expect(card(chat)).to_have_count(0)
