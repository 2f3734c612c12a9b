"""What the composer holds beyond its text: menus, by the keyboard and by the page."""

from playwright.async_api import BrowserContext, expect

from tests.browser.element_page import Chat, violations
from tests.browser.endpoint import Endpoint, created, done, user_message
from tests.browser.opened import opened
from tests.chatkit_client import Json

MODELS = [
    {"id": "small", "label": "Small", "description": "Answers at once"},
    {"id": "large", "label": "Large", "default": True},
    {"id": "huge", "label": "Huge", "disabled": True},
]
TOOLS = [
    {
        "id": "search",
        "label": "Search the web",
        "shortLabel": "Search",
        "icon": "globe",
        "placeholderOverride": "What to look for",
    },
    {"id": "draw", "label": "Draw", "icon": "image", "persistent": True},
    {"id": "think", "label": "Think", "icon": "lightbulb", "pinned": True},
]


async def chosen(chat: Chat, endpoint: Endpoint, text: str = "Well?") -> Json:
    """The choices that go along with a message that is sent now."""
    await chat.say(text)
    telling = await endpoint.telling()
    options: Json = telling.params["input"]["inference_options"]
    said = user_message("u1", text) | {"inference_options": options}
    telling.end(created(), done(said)) if len(endpoint.requests) == 1 else telling.end(done(said))
    await expect(chat.log).to_have_attribute("aria-busy", "false")
    return options


async def test_a_model_and_a_tool_are_chosen_by_the_keyboard_and_go_along(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint, composer={"models": MODELS, "tools": TOOLS})
    press = chat.page.keyboard.press
    await expect(chat.button("Model: Large")).to_be_visible()
    await chat.box.focus()
    await press("Tab")
    await expect(chat.button("Tools")).to_be_focused()
    await press("Enter")
    tools = chat.element.get_by_role("listbox", name="Tools")
    await expect(tools.get_by_role("option")).to_have_text(["Search the web", "Draw"])
    await press("Escape")
    await expect(tools).to_have_count(0)
    await expect(chat.button("Tools")).to_be_focused()

    await press("Enter")
    await press("ArrowDown")
    await press("ArrowUp")
    await press("Enter")
    await expect(chat.box).to_have_attribute("placeholder", "What to look for")
    await press("Tab")
    await expect(chat.button("Search")).to_have_attribute("aria-pressed", "true")

    await chat.button("Model: Large").press("Enter")
    models = chat.element.get_by_role("listbox", name="Models")
    large = models.get_by_role("option", name="Large")
    await expect(large).to_have_attribute("aria-selected", "true")
    assert await violations(chat.page) == []
    await press("ArrowDown")  # one that is disabled can't be chosen
    await press("Enter")
    await expect(models).to_be_visible()
    await press("ArrowDown")
    await press("Enter")
    await expect(chat.button("Model: Small")).to_be_focused()

    assert await chosen(chat, endpoint) == {"tool_choice": {"id": "search"}, "model": "small"}
    # a model stays, a tool is for one message
    assert await chosen(chat, endpoint, "Again") == {"model": "small"}
