"""What is named with @: searched, picked, written around, sent, shown, looked at and clicked."""

from playwright.async_api import BrowserContext, expect

from tests.browser.chromium import ARTEFACTS
from tests.browser.element_page import LISTEN, Chat, violations
from tests.browser.endpoint import Endpoint, assistant_message, created, done, user_message
from tests.browser.opened import OPTIONS
from tests.chatkit_client import Json

ENTITIES = r"""(options) => {
  Object.assign(window, { searched: [], clicked: [], previewed: [], late: null });
  const all = [
    { id: "t1", title: "Buy milk", group: "Tasks", icon: "empty-circle", interactive: true,
      data: { number: "1" } },
    { id: "t2", title: "Buy milk", group: "Tasks", icon: "empty-circle", interactive: true,
      data: { number: "2" } },
    { id: "p1", title: "Tom\n\u202e<b>@Berg", group: "People" },
    { id: "p2", title: "Tomas", group: "People" },
    { id: "x", title: "X".repeat(10_000) },
    { title: "no id" }, null, { id: 5, title: "odd" },
  ];
  const onTagSearch = async (query) => {
    searched.push(query);
    if (query === "fail") throw new Error("away");
    if (query === "odd") return { items: all };
    if (query === "many")
      return Array.from({ length: 500 }, (_, n) => ({ id: `${n}`, title: `${n}` }));
    if (query === "la") return new Promise((go) => (late = () => go(all)));
    return all.filter((each) => each?.title?.toLowerCase().includes(query.toLowerCase()));
  };
  const onRequestPreview = async (entity) => {
    previewed.push(entity);
    if (entity.id === "t2") throw new Error("no preview");
    const children = [{ type: "Text", value: `${entity.title}, number ${entity.data.number}` }];
    return { preview: { type: "Basic", children } };
  };
  const onClick = (entity) => clicked.push(entity);
  const entities = { onTagSearch, onRequestPreview, onClick, showComposerMenu: true };
  const prompts = [{ label: "Milk?", prompt: [
    { type: "input_text", text: "Where is " },
    { type: "input_tag", id: "t1", text: "Buy milk" }] }];
  const startScreen = { greeting: "Well?", prompts };
  document.querySelector("openai-chatkit").dataset.user = "ada";
  document.querySelector("openai-chatkit").setOptions({ ...options, entities, startScreen });
}"""
MILK: Json = {
    "type": "input_tag",
    "id": "t1",
    "text": "Buy milk",
    "group": "Tasks",
    "data": {"number": "1"},
    "interactive": True,
}
SECOND = MILK | {"id": "t2", "data": {"number": "2"}}


def text(words: str) -> Json:
    return {"type": "input_text", "text": words}


async def tagging(context: BrowserContext, endpoint: Endpoint) -> Chat:
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(ENTITIES, OPTIONS)
    chat = Chat(page)
    await expect(chat.button("Tag")).to_be_visible()
    return chat


async def sent(chat: Chat, endpoint: Endpoint) -> list[Json]:
    """The parts of the message that is sent now."""
    await chat.send_button.click()
    telling = await endpoint.telling()
    content: list[Json] = telling.params["input"]["content"]
    number = len(endpoint.requests)
    said = user_message(f"u{number}", "") | {"content": content}
    first = "thread_id" not in telling.params
    telling.end(*([created()] if first else []), done(said))
    await expect(chat.log).to_have_attribute("aria-busy", "false")
    return content


async def test_a_tag_is_picked_sent_shown_looked_at_and_clicked(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await tagging(context, endpoint)
    page, press, type_ = chat.page, chat.page.keyboard.press, chat.page.keyboard.type
    tags = chat.element.get_by_role("listbox", name="Tags")
    options = tags.get_by_role("option")
    chips = chat.element.get_by_role("list", name="Tags")

    await chat.box.press_sequentially("mail a@b and (complete @mil")
    await expect(options).to_have_text(["Buy milk", "Buy milk"])
    assert await violations(page) == []
    await page.screenshot(path=ARTEFACTS / "tags-search.png")
    await press("ArrowDown")
    await press("Enter")
    await expect(chat.box).to_have_value("mail a@b and (complete @Buy milk ")
    await type_("before @bu")
    await expect(options).to_have_count(2)
    await press("Tab")
    await expect(chat.box).to_have_value("mail a@b and (complete @Buy milk before @Buy milk ")
    await expect(chips.get_by_role("button")).to_have_count(2)

    # looked at by the keyboard, and by the pointer
    await chips.get_by_role("button").nth(1).focus()
    tip = chat.element.get_by_role("tooltip")
    await expect(tip).to_have_text("Buy milk, number 1")
    assert await violations(page) == []
    await page.screenshot(path=ARTEFACTS / "tags-preview.png")
    await press("Escape")
    await expect(tip).to_have_count(0)
    await chips.get_by_role("button").first.hover()
    await expect(tip).to_have_text("The preview can't be shown.")
    await chips.get_by_role("button").first.click()
    await expect(tip).to_have_count(0)
    assert await page.evaluate("clicked.map(({ id }) => id)") == ["t2"]

    content = await sent(chat, endpoint)
    assert content == [
        text("mail a@b and (complete "),
        SECOND,
        text(" before "),
        MILK,
    ]
    await expect(chips).to_have_count(0)
    shown = chat.log.get_by_role("button", name="@Buy milk")
    await expect(shown).to_have_count(2)
    await shown.nth(1).focus()
    await expect(tip).to_have_text("Buy milk, number 1")
    await press("Escape")
    await shown.nth(1).click()
    entity = {"id": "t1", "title": "Buy milk", "group": "Tasks", "data": {"number": "1"}}
    assert await page.evaluate("clicked.at(-1)") == entity | {"interactive": True}
    assert await violations(page) == []


async def test_whatever_becomes_of_the_text_a_tag_is_whole_or_none(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await tagging(context, endpoint)
    press, type_ = chat.page.keyboard.press, chat.page.keyboard.type
    tags = chat.element.get_by_role("listbox", name="Tags")
    options = tags.get_by_role("option")
    chips = chat.element.get_by_role("list", name="Tags").get_by_role("listitem")

    await chat.button("Tag").click()
    await type_("berg")
    await expect(options).to_have_text(["Tom <b>@Berg"])
    await options.first.click()
    await expect(chat.box).to_have_value("@Tom <b>@Berg ")
    await expect(chips).to_have_text(["Tom <b>@Berg"])
    await type_("knows @mil")
    await expect(options).to_have_count(2)
    await press("Enter")
    whole = "@Tom <b>@Berg knows @Buy milk "
    await expect(chat.box).to_have_value(whole)
    # written into, undone, taken away by halves, undone, and pasted once more
    await press("ArrowLeft")
    await press("ArrowLeft")
    await type_("X")
    await expect(chips).to_have_count(1)
    await press("Control+z")
    await expect(chat.box).to_have_value(whole)
    await expect(chips).to_have_count(2)
    await press("End")
    await press("Backspace")
    await press("Backspace")
    await expect(chat.box).to_have_value("@Tom <b>@Berg knows ")
    await press("Control+z")
    await expect(chips).to_have_count(2)
    await press("Control+a")
    await press("Control+c")
    await press("End")
    await type_(" ")
    await press("Control+v")
    await type_(" @Buy milky")
    # a reload of the page that has kept it, for whom it was
    await expect(chips).to_have_count(2)
    written = await chat.box.input_value()
    await chat.page.reload()
    await chat.page.evaluate(ENTITIES, OPTIONS)
    await expect(chat.box).to_have_value(written)
    await expect(chips).to_have_text(["Tom <b>@Berg", "Buy milk"])
    tom = {"type": "input_tag", "id": "p1", "text": "Tom <b>@Berg", "group": "People"}
    tom |= {"data": {}, "interactive": False}
    assert await sent(chat, endpoint) == [
        tom,
        text(" knows "),
        MILK,
        text(" "),
        tom,
        text(" knows "),
        MILK,
        text(" @Buy milky"),
    ]
    await expect(chat.log.locator("span.tag")).to_have_count(2)

    await chat.page.evaluate(
        """() => document.querySelector("openai-chatkit").setComposerValue({ content: [
             { type: "input_text", text: "See " },
             { type: "input_tag", id: "n", text: "New", data: { a: "b" } }] })"""
    )
    await expect(chips).to_have_text(["New"])
    new = {"type": "input_tag", "id": "n", "text": "New", "data": {"a": "b"}, "interactive": False}
    assert await sent(chat, endpoint) == [text("See "), new]


async def test_a_search_that_fails_dawdles_or_overdoes_it_costs_only_itself(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await tagging(context, endpoint)
    press = chat.page.keyboard.press
    tags = chat.element.get_by_role("listbox", name="Tags")
    options = tags.get_by_role("option")
    said = chat.element.locator(".listbox [role=status]")
    failed = "The search has failed. Type on to try again."

    for count, query in enumerate(("fail", "odd"), 1):
        await chat.box.fill(f"@{query}")
        errors = "(count) => heard.filter((e) => e.name === 'error').length === count"
        await chat.page.wait_for_function(errors, arg=count)
        await expect(said).to_have_text(failed)
    await chat.box.fill("@many")
    await expect(options).to_have_count(50)
    await press("Escape")
    await chat.box.press_sequentially("m")
    await expect(tags).to_have_count(0)
    await chat.box.fill("@la")
    await expect(said).to_have_text("Searching")
    await press("Backspace")
    await press("Backspace")
    await chat.box.press_sequentially("xxx")
    await expect(options).to_have_text([f"{'X' * 200}…"])
    await chat.page.evaluate("late?.()")
    await expect(options).to_have_count(1)
    await press("Enter")
    await expect(chat.box).to_have_value(f"@{'X' * 200}… ")
    await chat.box.fill("@nobody")
    await expect(said).to_have_text("No matches")
    await chat.box.press_sequentially(" is here")
    await expect(said).to_be_hidden()
    await press("Enter")
    telling = await endpoint.telling()
    assert telling.params["input"]["content"] == [text("@nobody is here")]
    source = {"type": "entity", "id": "t1", "title": "Buy milk", "interactive": True}
    source |= {"icon": "check", "data": {"number": "1"}}
    answer = assistant_message("a1", "It is a task.")
    answer["content"][0]["annotations"] = [{"type": "annotation", "source": source}]
    telling.end(created(), done(user_message("u1", "@nobody is here")), done(answer))
    await chat.log.get_by_role("button", name="Buy milk").click()
    assert await chat.page.evaluate("clicked.at(-1).data") == {"number": "1"}


async def test_a_prompt_of_the_start_may_name_things_and_all_fits_a_narrow_dark_window(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await tagging(context, endpoint)
    await chat.page.set_viewport_size({"width": 320, "height": 560})
    await chat.page.evaluate(
        "(options) => document.querySelector('openai-chatkit').setOptions("
        "{ ...options, theme: 'dark', entities: { onTagSearch: async () => [], onClick() {} } })",
        OPTIONS,
    )
    await chat.page.evaluate(ENTITIES, OPTIONS | {"theme": "dark"})
    await chat.box.press_sequentially("@")
    await expect(chat.element.get_by_role("option").first).to_be_visible()
    await chat.page.screenshot(path=ARTEFACTS / "tags-narrow.png")
    assert await violations(chat.page) == []
    await chat.page.keyboard.press("Escape")
    await chat.box.fill("")
    await chat.button("Milk?").click()
    telling = await endpoint.telling()
    tag = {"type": "input_tag", "id": "t1", "text": "Buy milk", "data": {}}
    assert telling.params["input"]["content"] == [text("Where is "), tag]
    telling.end(created(), done(user_message("u1", "") | {"content": [text("Where is "), tag]}))
    await expect(chat.log).to_contain_text("Where is @Buy milk")
