"""What the composer holds beyond its text: menus, by the keyboard and by the page."""

import asyncio

from playwright.async_api import BrowserContext, FilePayload, Position, Route, expect

from tests.browser.attaching import card, cards, choose
from tests.browser.chromium import Watch
from tests.browser.element_page import Chat, violations
from tests.browser.endpoint import Endpoint, assistant_message, created, done, user_message
from tests.browser.opened import OPTIONS, opened
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

    # a list that is open is that of the options of now
    await press("Enter")
    others = OPTIONS | {"composer": {"models": [*MODELS, {"id": "new", "label": "New"}]}}
    set_options = "(chat, options) => chat.setOptions(options)"
    await chat.element.evaluate(set_options, others)
    await expect(models.get_by_role("option")).to_have_count(4)
    await chat.element.evaluate(set_options, OPTIONS)
    await expect(models).to_have_count(0)
    await expect(chat.box).to_be_focused()
    await chat.element.evaluate(
        set_options, OPTIONS | {"composer": {"models": MODELS, "tools": TOOLS}}
    )

    assert await chosen(chat, endpoint) == {"tool_choice": {"id": "search"}, "model": "small"}
    # a model stays, a tool is for one message
    assert await chosen(chat, endpoint, "Again") == {"model": "small"}


SELECT_ALL = """({ shadowRoot: root }) => {
  const [from, to] = [root.querySelector("[data-item-id=a1]"), root.querySelector(".actions")];
  root.getSelection().setBaseAndExtent(from, 0, to, 1);
}"""
# in the first word of a paragraph
WORD = Position(x=10, y=10)

COMMANDS = """(chat, options) => chat.setOptions({ ...options, commands: {
  enabled: true,
  onSearch: (query) => new Promise((found, failed) => {
    (window.searched ??= []).push(query);
    const all = [{ id: "say", label: "Say hello", description: "Aloud" },
                 { id: "more", label: "More", group: "Others" },
                 { id: "bad", label: "Break", group: "Others" }];
    if (query === "slow") window.slow = () => found([{ id: "late", label: "Too late" }]);
    else if (query === "bro") failed(new Error("no search today"));
    else found(all.filter(({ label }) => label.toLowerCase().includes(query)));
  }),
  onSelect: async ({ id }) => {
    (window.ran ??= []).push(id);
    if (id === "bad") throw new Error("it broke");
    if (id === "more") return { type: "menu", commands: [{ id: "inner", label: "Inner" }] };
  },
} })"""


async def test_commands_are_searched_chosen_and_say_what_went_wrong(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    options = OPTIONS | {"composer": {"tools": TOOLS}}
    await chat.element.evaluate(COMMANDS, options)
    await expect(chat.button("Tools")).to_be_visible()
    press, type_in = chat.page.keyboard.press, chat.page.keyboard.type
    commands = chat.element.get_by_role("listbox", name="Commands")
    names = commands.get_by_role("option")
    await chat.box.focus()
    await type_in("and/or ")
    await expect(commands).to_have_count(0)
    await type_in("/")
    await expect(names).to_have_text(
        ["Say helloAloud", "More", "Break", "Search the web", "Draw", "Think"]
    )
    assert await violations(chat.page) == []
    await type_in("slow")
    await expect(chat.element.get_by_text("Searching")).to_be_visible()
    for _ in "slow":
        await press("Backspace")
    await chat.page.evaluate("window.slow()")
    await expect(names).to_have_count(6)
    await expect(chat.box).to_have_attribute("aria-activedescendant", "option-0")

    # what an input method does with Enter picks nothing and sends nothing
    composing = {"key": "Enter", "keyCode": 229, "bubbles": True, "composed": True}
    await chat.box.evaluate(
        "(box, key) => box.dispatchEvent(new KeyboardEvent('keydown', key))", composing
    )
    await expect(names).to_have_count(6)
    await press("Escape")
    await expect(commands).to_have_count(0)
    await type_in("s")
    await expect(commands).to_have_count(0)
    await press("Backspace")
    await press("Backspace")

    await type_in("/say")
    await expect(names).to_have_text(["Say helloAloud"])
    await press("Enter")
    await expect(chat.box).to_have_value("and/or ")
    await type_in("/more")
    await expect(names).to_have_text(["More"])
    await press("Enter")
    inner = chat.element.get_by_role("listbox", name="More").get_by_role("option")
    await expect(inner).to_have_text(["Inner"])
    await press("Enter")
    await type_in("/brea")
    await expect(names).to_have_text(["Break"])
    await press("Enter")
    await expect(chat.element.get_by_text("Break has failed: it broke")).to_be_visible()
    assert await chat.page.evaluate("window.ran") == ["say", "more", "inner", "bad"]
    await type_in("/bro")
    said = chat.element.get_by_text("The commands can't be had: no search today")
    await expect(said).to_be_visible()
    assert await chat.heard("error") == ["it broke", "no search today"]
    for _ in "/bro":
        await press("Backspace")
    await type_in("/web")
    await expect(names).to_have_text(["Search the web"])
    await press("Enter")
    await expect(chat.button("Search")).to_have_attribute("aria-pressed", "true")
    await expect(chat.box).to_have_value("and/or ")
    assert endpoint.requests == []


async def test_what_is_selected_in_an_answer_is_quoted(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    said = assistant_message("a1", "The sky is blue.\n\n```py\n1 + 1\n```\n\nGrass is green.")
    asked = user_message("u1", "Well?") | {"inference_options": {"model": "small"}}
    endpoint.keep("thr_1", asked, said)
    menus = {"models": MODELS, "tools": TOOLS}
    chat = await opened(context, endpoint, initialThread="thr_1", composer=menus)
    await chat.loaded(2)
    # a conversation goes on with the model that it had
    await expect(chat.button("Model: Small")).to_be_visible()
    press = chat.page.keyboard.press
    second = chat.entries.nth(1).get_by_text("Grass is green.")
    await second.dblclick(position=WORD)
    await expect(chat.button("Quote")).to_be_visible()
    await press("Escape")
    await expect(chat.button("Quote")).to_be_hidden()
    await second.click(click_count=3, position=WORD)
    await expect(chat.button("Quote")).to_be_visible()
    await press("Tab")
    await expect(chat.button("Quote")).to_be_focused()
    assert await violations(chat.page) == []
    await press("Enter")
    await expect(chat.box).to_be_focused()
    quote = chat.element.locator(".composer blockquote")
    await expect(quote).to_have_text("Grass is green.")
    await chat.button("Remove the quote").press("Enter")
    await expect(quote).to_have_count(0)
    # of more than an answer it is what the answer has of it, without what is pressed there
    await chat.element.evaluate(SELECT_ALL)
    await chat.button("Quote").click()
    assert await quote.inner_text() == "The sky is blue.\n1 + 1\nGrass is green."
    await chat.button("Remove the quote").click()

    # it waits where it was begun, and comes back with what was refused
    await chat.element.evaluate("(chat) => chat.setComposerValue({ text: 'Why?', reply: 'green' })")
    await expect(quote).to_have_text("green")
    await chat.button("New conversation").first.click()
    await expect(quote).to_have_count(0)
    await chat.element.evaluate("(chat) => chat.setThreadId('thr_1')")
    await expect(quote).to_have_text("green")
    for what, why in [
        ("{ selectedModelId: 'huge' }", ': composer.models has no "huge".'),
        ("{ files: [], selectedToolId: 'fly' }", " needs composer.attachments to be enabled."),
        ("{ selectedToolId: 'fly' }", ': composer.tools has no "fly".'),
    ]:
        refused = f"(chat) => chat.setComposerValue({what}).catch(String)"
        assert await chat.element.evaluate(refused) == f"IntegrationError: setComposerValue{why}"
    for tool, shown in (("search", "Search"), (None, ""), ("draw", "Draw")):
        select = "(chat, id) => chat.setComposerValue({ selectedToolId: id })"
        await chat.element.evaluate(select, tool)
        await expect(chat.element.locator("[data-tool][aria-pressed=true]")).to_have_text(
            [shown] if shown else []
        )
    await chat.send_button.click()
    telling = await endpoint.telling()
    assert telling.params["input"]["quoted_text"] == "green"
    options = telling.params["input"]["inference_options"]
    assert options == {"tool_choice": {"id": "draw"}, "model": "small"}
    await expect(chat.button("Draw")).to_be_visible()
    await expect(quote).to_have_count(0)
    await expect(chat.log.locator(".quote")).to_have_text("green")
    telling.end(done(user_message("u2", "Why?") | {"quoted_text": "green"}))
    await expect(chat.log.locator("[data-item-id=u2] .quote")).to_have_text("green")


async def test_what_was_begun_meanwhile_stays_when_a_message_comes_back(
    context: BrowserContext, endpoint: Endpoint, watch: Watch
) -> None:
    watch.expect("503")
    for thread in ("thr_1", "thr_2"):
        endpoint.keep(thread, user_message("u1", "Well?"), assistant_message("a1", "Yes."))
    may_go = asyncio.Event()

    async def hold(route: Route) -> None:
        if "add_user_message" in (route.request.post_data or ""):
            await may_go.wait()
        await route.continue_()

    await context.route("**/chatkit", hold)
    composer = {"models": MODELS, "tools": TOOLS, "attachments": {"enabled": True}}
    more = {"initialThread": "thr_1", "commands": {"enabled": True}}
    chat = await opened(context, endpoint, composer=composer, **more)
    await chat.loaded(2)
    await choose(chat, ("a.txt", "text/plain", b"a"), ("b.txt", "text/plain", b"b"))
    for name in ("a.txt", "b.txt"):
        await expect(card(chat, name)).to_have_attribute("data-state", "ready")
    await chat.say("First")
    await expect(cards(chat)).to_have_count(0)
    begun = "{ text: 'Second', reply: 'Yes.', selectedToolId: 'draw', selectedModelId: 'small' }"
    await chat.element.evaluate(f"(chat) => chat.setComposerValue({begun})")
    await chat.box.press("End")
    await chat.page.keyboard.type(" /attach")
    await expect(chat.element.get_by_role("option")).to_have_text(["Attach files"])
    async with chat.page.expect_file_chooser() as chooser:
        await chat.page.keyboard.press("Enter")
    told = FilePayload(name="c.txt", mimeType="text/plain", buffer=b"c")
    await (await chooser.value).set_files(told)
    await expect(card(chat, "c.txt")).to_have_attribute("data-state", "ready")
    endpoint.refuse(503)
    may_go.set()
    await expect(chat.box).to_have_value("First\n\nSecond ")
    await expect(cards(chat)).to_have_count(3)

    # tried again it is what the person has made of it
    await chat.button("Remove b.txt").click()
    await chat.alert.get_by_role("button", name="Retry").press("Enter")
    said = (await endpoint.telling()).params["input"]
    assert said["content"] == [{"type": "input_text", "text": "First\n\nSecond"}]
    assert (said["attachments"], said["quoted_text"]) == (["att_1", "att_3"], "Yes.")
    assert said["inference_options"] == {"tool_choice": {"id": "draw"}, "model": "small"}
    await expect(cards(chat)).to_have_count(0)
    await expect(chat.box).to_be_focused()

    # who goes elsewhere before anything is heard of it finds it all there, if it has not arrived
    for thread, count in (("thr_2", 0), ("thr_1", 2)):
        await chat.element.evaluate("(chat, id) => chat.setThreadId(id)", thread)
        await chat.loaded(2)
        await expect(cards(chat)).to_have_count(count)
    await expect(chat.box).to_have_value("First\n\nSecond ")
    await expect(chat.element.locator(".composer blockquote")).to_have_text("Yes.")
