"""What the main states look like (kept as pictures), and that everyone can read and use them."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from scripts.web import Web
from tests.browser.chat_server import ChatServer
from tests.browser.chromium import Watch
from tests.browser.conftest import NewContext
from tests.browser.element_page import Chat, violations
from tests.browser.endpoint import Endpoint, assistant_message, user_message
from tests.browser.opened import opened
from tests.browser.web_stack import open_chat, sign_up
from tests.chatkit_client import Json

ACCENT = "rgb(15, 255, 80)"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}

both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


class States:
    """Looks at one state after the other; all of what is wrong is told at the end."""

    def __init__(self, where: str, scheme: str) -> None:
        self._name = f"{where}-{{}}-{scheme}"
        self.wrong: dict[str, list[str]] = {}

    async def look(self, page: Page, state: str, *without: str) -> None:
        """Keep a picture, and have axe judge it, by all but these rules."""
        name = self._name.format(state)
        await Chat(page).picture(name)
        if found := await violations(page, *without):
            self.wrong[name] = found


async def has_the_accent(chat: Chat) -> None:
    """The button that sends has the accent as it was given."""
    await chat.box.fill("x")
    await expect(chat.send_button).to_have_css("background-color", ACCENT)
    await chat.box.fill("")


@both_schemes
async def test_the_chat_page(
    chat_server: ChatServer, new_context: NewContext, scheme: str, watch: Watch
) -> None:
    watch.expect("status of 404")
    states = States("page", scheme)
    context = await new_context(color_scheme=scheme, viewport=DESK)
    chat = await chat_server.open(context, f"states-{scheme}")
    await states.look(chat.page, "start")
    await has_the_accent(chat)
    await chat.ask("add a task: buy oat milk")
    await chat.ask("rehearse a failing tool")
    await states.look(chat.page, "conversation")
    await chat.say("rehearse a slow tool for 2 seconds")
    await expect(chat.badges.last).to_have_text("Running")
    await states.look(chat.page, "running")
    await expect(chat.badges.last).to_have_text("Success")
    await chat.ask("delete task 1")
    await states.look(chat.page, "asked")
    await chat.open_history()
    await states.look(chat.page, "history")
    await chat.history.get_by_role("button").nth(1).click()
    await states.look(chat.page, "rename")
    await chat.page.keyboard.press("Escape")
    await chat.history.get_by_role("button").nth(2).click()
    await states.look(chat.page, "delete")
    lost = await chat_server.open(context, f"states-{scheme}", "conv_of_nobody")
    await expect(lost.alert).to_be_visible()
    await states.look(lost.page, "refused")
    small = await new_context(color_scheme=scheme, viewport=PHONE)
    phone = await chat_server.open(small, f"states-{scheme}")
    await states.look(phone.page, "phone")
    assert states.wrong == {}


@both_schemes
async def test_the_web_app(web: Web, new_context: NewContext, scheme: str, watch: Watch) -> None:
    watch.expect("status of 401")
    states = States("web", scheme)
    context = await new_context(color_scheme=scheme, viewport=DESK)
    page = await context.new_page()
    await page.goto(f"{web.url}/login")
    await states.look(page, "sign-in")
    await page.get_by_label("Email").fill("nobody@example.com")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("main").get_by_role("alert")).to_be_visible()
    await states.look(page, "sign-in-refused")
    await page.get_by_role("button", name="Create an account").click()
    await states.look(page, "sign-up")

    await sign_up(context, web.url, f"States-{scheme}")
    chat = await open_chat(context, web.url)
    await states.look(chat.page, "start")
    await has_the_accent(chat)
    await chat.ask("add a task: buy oat milk")
    await chat.ask("rehearse a failing tool")
    await expect(chat.page.get_by_text("1 open, 0 done")).to_be_visible()
    await states.look(chat.page, "chat")
    await chat.ask("add a task: call mum")
    await chat.ask("what are my tasks?")
    await chat.ask("delete task 1")
    await states.look(chat.page, "asked")
    await chat.page.get_by_role("button", name="Account").click()
    await expect(chat.page.get_by_role("menu")).to_be_visible()
    # an open menu lies over the landmarks, not in one
    await states.look(chat.page, "menu", "region")
    await chat.page.goto(f"{web.url}/dashboard")
    await expect(chat.page.get_by_role("list", name="Tasks")).to_be_visible()
    await states.look(chat.page, "tasks")
    small = await new_context(color_scheme=scheme, viewport=PHONE)
    await sign_up(small, web.url, f"Small-{scheme}")
    phone = await open_chat(small, web.url)
    await states.look(phone.page, "phone")
    await phone.ask("add a task: buy oat milk, and the bread that she likes, before Saturday")
    await phone.ask("what are my tasks?")
    await states.look(phone.page, "phone-tasks")
    assert states.wrong == {}


@both_schemes
async def test_every_kind_of_entry(
    endpoint: Endpoint, new_context: NewContext, scheme: str
) -> None:
    endpoint.keep("thr_1", *EVERY_KIND, title="Every kind of entry")
    context = await new_context(viewport={"width": 800, "height": 3000})
    theme = {"colorScheme": scheme, "color": {"accent": {"primary": "#0FFF50", "level": 1}}}
    chat = await opened(context, endpoint, initialThread="thr_1", theme=theme)
    await chat.loaded(len(EVERY_KIND))
    states = States("element", scheme)
    await states.look(chat.page, "entries")
    assert states.wrong == {}


def _entry(id: str, type: str, **members: Any) -> Json:
    return {"id": id, "type": type, **members}


MARKDOWN = """## What was found

A *paragraph* with **bold**, `code` and [a link](https://example.com).

1. one
2. two
   - nested

> A quotation

```python
print("hello")
```

| Name | Number |
|------|-------:|
| one  |      1 |
"""

PIXELS = "data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="

EVERY_KIND: list[Json] = [
    user_message("u1", "Show me everything") | {"quoted_text": "something said before"},
    _entry(
        "w1",
        "workflow",
        workflow={
            "type": "custom",
            "expanded": True,
            "summary": {"title": "Looked it up"},
            "tasks": [
                {"type": "custom", "title": "Began", "status_indicator": "complete"},
                {"type": "web_search", "title_query": "oat milk", "queries": ["oat milk price"]},
                {"type": "thought", "content": "It is cheap.", "status_indicator": "loading"},
            ],
        },
    ),
    _entry(
        "c1",
        "widget",
        widget={
            "type": "Card",
            "children": [
                {"type": "Title", "value": "Approve?"},
                {"type": "Text", "value": "It costs 3.20."},
                *[
                    {"type": "Badge", "label": colour.title(), "color": colour}
                    for colour in ("secondary", "success", "danger", "warning", "info", "discovery")
                ],
                {
                    "type": "Form",
                    "onSubmitAction": {"type": "go"},
                    "children": [
                        {"type": "Label", "value": "Name", "fieldName": "name"},
                        {"type": "Input", "name": "name", "placeholder": "Your name"},
                        {"type": "Checkbox", "name": "sure", "label": "I am sure"},
                        {"type": "Button", "label": "Go", "submit": True, "style": "primary"},
                    ],
                },
            ],
        },
    ),
    assistant_message("a1", MARKDOWN),
    _entry(
        "q1",
        "structured_input",
        status="pending",
        inputs=[
            {
                "type": "multiple_choice",
                "id": "q",
                "question": "Which one?",
                "options": [{"value": "This"}, {"value": "That"}],
            },
            {"type": "freeform", "id": "r", "question": "Why?", "description": "In short."},
        ],
    ),
    _entry("t1", "task", task={"type": "file", "title": "Read a file", "sources": []}),
    _entry(
        "w2",
        "workflow",
        workflow={
            "type": "reasoning",
            "summary": {"duration": 7},
            "expanded": True,
            "tasks": [
                {"type": "thought", "content": "**Price** and *place* come first."},
                {
                    "type": "web_search",
                    "title": "Searched",
                    "queries": ["oat milk"],
                    "sources": [{"type": "url", "title": "A shop", "url": "https://shop.example"}],
                },
                {"type": "file", "sources": [{"type": "file", "filename": "prices.csv"}]},
                {"type": "image", "title": "Drew it", "status_indicator": "complete"},
            ],
        },
    ),
    _entry("g1", "generated_image", image={"id": "i", "url": PIXELS}),
    _entry("k1", "client_tool_call", status="completed", call_id="k", name="locate", arguments={}),
    _entry("f1", "workflow", workflow={"type": "custom", "tasks": [{"type": "custom"}] * 3}),
    _entry("n1", "of_tomorrow", text="What an older element does not know"),
]
