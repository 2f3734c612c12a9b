"""Widgets in the element: every component of the SDK, any tree however wrong, and what they do."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from chatkit import widgets as sdk
from chatkit.actions import ActionConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

from chatbridge.adapters.chatkit.items.badges import badges
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool_call import CallState, ToolCall
from tests.browser.bundles import ELEMENT
from tests.browser.conftest import NewContext
from tests.browser.test_theme import LEAST, contrast

# show(tree, context): draws a widget on the page; show.again(tree, context): draws it again.
SHOW = """
const show = (tree, {scheme = "light", ...context} = {}) => {
  document.body.replaceChildren();
  const host = document.body.appendChild(document.createElement("div"));
  const shadow = host.attachShadow({mode: "open"});
  const {themeStyles, elementStyles, itemStyles, widgetStyles} = modules;
  shadow.adoptedStyleSheets = [themeStyles, elementStyles, itemStyles, widgetStyles].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  modules.applyTheme(host, scheme);
  const chat = shadow.appendChild(document.createElement("section"));
  chat.className = "chat";
  const parent = chat.appendChild(document.createElement("article"));
  globalThis.acted = [];
  const around = {act: ({action}) => acted.push(action), open() {}, busy: false,
    allowedImageDomains: [], running: [], waits: false};
  show.again = (tree, context) => modules.drawWidget(parent, tree, {...around, ...context});
  show.again(tree, context);
  globalThis.show = show;
  return parent.firstElementChild;
};
"""

ACTION = ActionConfig(type="save", payload={"id": 1}, handler="client", loadingBehavior="self")

DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
ADA: list[sdk.SelectOption] = [{"value": "a", "label": "Ada"}]
TWO: list[sdk.SelectOption] = [*ADA, {"value": "b", "label": "Bo"}]
TEXT = sdk.Text(value="Some text")
SAMPLES: list[tuple[sdk.WidgetComponentBase, str, str]] = [
    (TEXT, "p", "Some text"),
    (sdk.Title(value="A title"), "[role=heading][aria-level='3']", "A title"),
    (sdk.Caption(value="A caption"), "p", "A caption"),
    (
        sdk.Chart(
            data=[{"day": "Mon", "sold": 3}],
            series=[sdk.BarSeries(dataKey="sold", label="Sold")],
            xAxis="day",
        ),
        "table",
        "Sold Mon 3",
    ),
    (sdk.Badge(label="New", color="info"), "span[data-color=info]", "New"),
    (sdk.Markdown(value="Some **bold**"), "strong", "Some bold"),
    (sdk.Box(children=[TEXT]), "div > p", "Some text"),
    (sdk.Row(children=[TEXT]), "div > p", "Some text"),
    (sdk.Col(children=[TEXT]), "div > p", "Some text"),
    (sdk.Divider(), "hr", ""),
    (sdk.Icon(name="bolt"), "svg[aria-hidden=true]", ""),
    (sdk.Image(src=DOT, alt="A dot"), "img[alt='A dot']", ""),
    (sdk.ListViewItem(children=[TEXT]), "li > p", "Some text"),
    (sdk.Button(label="Press"), "button[type=button]", "Press"),
    (sdk.Checkbox(name="sure", label="Sure"), "label > input[type=checkbox]", "Sure"),
    (sdk.Spacer(), "div", ""),
    (sdk.Select(name="one", options=ADA), "select", "Ada"),
    (sdk.DatePicker(name="day"), "input[type=date]", ""),
    (sdk.Form(children=[TEXT]), "form > p", "Some text"),
    (sdk.Input(name="word"), "input[type=text]", ""),
    (sdk.Label(value="A label", fieldName="word"), "label[for]", "A label"),
    (sdk.RadioGroup(name="pick", options=ADA), "[role=radiogroup]", "Ada"),
    (sdk.Textarea(name="note", defaultValue="Noted"), "textarea", "Noted"),
    (sdk.Transition(children=TEXT), "div > p", "Some text"),
    (sdk.Card(children=[TEXT], status={"text": "Waiting"}), "div > p", "Waiting Some text"),
    (sdk.ListView(children=[sdk.ListViewItem(children=[TEXT])]), "ul > li", "Some text"),
    (sdk.BasicRoot(children=[sdk.DynamicWidgetComponent(type="Text", value="Some text")]),
     "div > p", "Some text"),
]  # fmt: skip


def in_json(widget: sdk.WidgetComponentBase) -> dict[str, Any]:
    return widget.model_dump(mode="json", exclude_none=True)


async def shown(page: Page, tree: Any, script: str, **context: Any) -> Any:
    """What a script finds in the drawing of a tree, which it knows as `widget`."""
    return await page.evaluate(
        f"async ([tree, context]) => {{ {SHOW} const widget = show(tree, context); {script} }}",
        [tree, context],
    )


def test_the_samples_are_the_sdks_whole_union() -> None:
    unions = (sdk.StrictWidgetComponent, sdk.StrictWidgetRoot)
    members = {member for union in unions for member in get_args(get_args(union)[0])}
    assert {type(sample) for sample, _, _ in SAMPLES} == members


@pytest.mark.parametrize(
    ("widget", "selector", "words"), SAMPLES, ids=[sample.type for sample, _, _ in SAMPLES]
)
async def test_every_component_of_the_sdk_is_drawn(
    modules_page: Page, widget: sdk.WidgetComponentBase, selector: str, words: str
) -> None:
    tree = in_json(widget) | {"id": "it"}
    found = await shown(
        modules_page,
        {"type": "Basic", "children": [tree]},
        f"""const it = widget.querySelector("[data-widget][data-component-id=it]");
        const words = (node) => node instanceof Text ? node.data
          : node.localName === "textarea" ? node.value : [...node.childNodes].map(words).join(" ");
        const drawn = it.matches("{selector}") || it.parentElement.querySelector("{selector}");
        return [it.dataset.widget, !!drawn, words(it).split(/\\s+/).filter(Boolean).join(" ")];""",
    )
    assert found == [widget.type, True, words]


async def test_a_table_has_a_header(modules_page: Page) -> None:
    def row(*words: str, header: bool = False) -> dict[str, Any]:
        cells = [{"type": "Table.Cell", "children": [{"type": "Text", "value": w}]} for w in words]
        return {"type": "Table.Row", "header": header, "children": cells}

    tree = {"type": "Table", "children": [row("Name", header=True), row("Ada")]}
    cells = await shown(
        modules_page,
        {"type": "Card", "children": [tree]},
        """return [...widget.querySelectorAll("tr > [data-widget='Table.Cell']")].map(
          (cell) => [cell.localName, cell.textContent]);""",
    )
    assert cells == [["th", "Name"], ["td", "Ada"]]


# --- trees that are not as they should be ---


async def test_an_unknown_component_shows_what_it_says_and_holds(modules_page: Page) -> None:
    tree = {"type": "Gauge", "title": "Load", "value": 7, "children": [in_json(TEXT), "plain"]}
    words = "return widget.querySelector('[data-widget=Gauge]').innerText.split(/\\s*\\n\\s*/);"
    assert await shown(modules_page, {"type": "Card", "children": tree}, words) == [
        "Load", "7", "Some text", "plain",
    ]  # fmt: skip


@pytest.mark.parametrize("root", [None, 7, "words", [], {}, {"type": None}, {"type": "toString"}])
async def test_no_root_breaks(modules_page: Page, root: Any) -> None:
    words = await shown(modules_page, root, "return widget.textContent;")
    assert words == ("" if not isinstance(root, int | str) else str(root))


async def test_a_tree_without_end_still_says_everything(modules_page: Page) -> None:
    deep = """let deep = {type: "Text", value: "the bottom"};
      for (let i = 0; i < 20000; i++) deep = {type: "Col", children: [deep, null, {}]};
      return show(deep).textContent;"""
    assert await shown(modules_page, {}, deep) == "the bottom"


WORDS = st.text("abcdefgh", min_size=3, max_size=8)
RUBBISH = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
RUBBISH |= st.lists(st.none() | st.text(), max_size=3) | st.dictionaries(st.text(), st.text())
TYPES = sorted({sample.type for sample, _, _ in SAMPLES} | {"Table", "Table.Row", "Table.Cell"})
MEMBERS = sorted(
    {name for sample, _, _ in SAMPLES for name in type(sample).model_fields}
    - {"type", "children", "id", "key"}
)
SAYING = st.builds(lambda word: {"type": "Text", "value": word}, WORDS) | st.builds(
    lambda type, member, word: {"type": type, member: word},
    st.sampled_from(["Gauge", "", "constructor", "__proto__"]) | st.none() | st.integers(),
    st.sampled_from(["title", "label", "value", "text"]),
    WORDS,
)
HOLDERS = ["Card", "Basic", "Row", "Col", "Box", "Form", "ListView", "ListViewItem", "Transition",
           "Table", "Table.Row", "Table.Cell", "Gauge"]  # fmt: skip
SPEAKING = st.recursive(
    SAYING | st.none() | st.booleans() | st.just({}),
    lambda nodes: st.builds(
        lambda type, children: {"type": type, "children": children},
        st.sampled_from(HOLDERS),
        nodes | st.lists(nodes, max_size=4),
    ),
    max_leaves=20,
)
TREES = st.recursive(
    RUBBISH,
    lambda nodes: st.builds(
        lambda type, members, children: members | {"type": type, "children": children},
        st.sampled_from([*TYPES, "Gauge"]),
        st.dictionaries(st.sampled_from(MEMBERS), nodes, max_size=8),
        nodes | st.lists(nodes, max_size=4),
    ),
    max_leaves=15,
)
fuzzed = settings(max_examples=150)


def words_of(tree: Any) -> list[str]:
    if isinstance(tree, list):
        return [word for child in tree for word in words_of(child)]
    if not isinstance(tree, dict):
        return [] if tree is None else [str(tree).lower()]
    own = [str(tree[name]) for name in ("title", "label", "value", "text") if name in tree]
    return own + words_of(tree.get("children"))


@fuzzed
@given(tree=SPEAKING)
async def test_what_a_tree_says_is_shown(modules_page: Page, tree: Any) -> None:
    text = await shown(modules_page, tree, "return widget.textContent;")
    assert [word for word in words_of(tree) if word not in text] == []


@fuzzed
@given(tree=TREES)
async def test_no_tree_breaks_or_styles_by_attribute(modules_page: Page, tree: Any) -> None:
    kind = await shown(modules_page, tree, "return widget.localName;")
    assert kind


@pytest.mark.parametrize(
    "hostile",
    [
        "url(https://evil.test/a.png)", "var(--ck-accent)", "1px; position: fixed", "calc(9px)",
        "env(x)", "attr(id)", "-40px", "1e9vw", "expression(1)", "red url(x)", "image-set('x')",
    ],
)  # fmt: skip
async def test_css_of_the_wire_is_a_length_or_a_colour_or_nothing(
    modules_page: Page, hostile: str
) -> None:
    lengths = ["width", "height", "gap", "padding", "margin", "minSize", "maxSize", "flex",
               "aspectRatio", "radius", "align", "justify", "wrap"]  # fmt: skip
    box = {
        "type": "Box",
        **dict.fromkeys([*lengths, "background"], hostile),
        "border": {"size": hostile, "color": hostile, "style": hostile},
    }
    text = {"type": "Text", "value": "x", "color": {"light": hostile, "dark": hostile}}
    tree = {"type": "Card", "background": hostile, "children": [box, text]}
    styles = (
        """return [widget, ...widget.querySelectorAll("*")].map((node) => node.style.cssText);"""
    )
    assert set(await shown(modules_page, tree, styles)) == {""}


async def test_sizes_and_colours_are_set(modules_page: Page) -> None:
    box = {
        "type": "Box", "width": 120, "height": "50%", "gap": 2, "padding": {"x": 3, "top": "1px"},
        "radius": "md", "background": {"light": "#ff0000", "dark": "blue-900"},
        "border": {"bottom": {"size": 2, "style": "dashed", "color": "rgb(0 0 255)"}},
        "flex": "1 1 auto", "align": "end", "justify": "between", "direction": "row",
    }  # fmt: skip
    found = await shown(
        modules_page,
        {"type": "Card", "children": [box]},
        """const style = getComputedStyle(widget.querySelector("[data-widget=Box]"));
        return ["width", "gap", "paddingLeft", "paddingTop", "borderTopLeftRadius",
          "backgroundColor", "borderBottom", "alignItems", "justifyContent", "flexDirection",
        ].map((name) => style[name]);""",
    )
    assert found == [
        "120px", "8px", "12px", "1px", "8px", "rgb(255, 0, 0)", "2px dashed rgb(0, 0, 255)",
        "flex-end", "space-between", "row",
    ]  # fmt: skip


async def test_a_page_may_forbid_every_style_attribute(
    new_context: NewContext, modules_bundle: str
) -> None:
    context = await new_context()
    await context.route(
        "**/*",
        lambda route: route.fulfill(
            content_type="text/html",
            headers={
                "Content-Security-Policy": "default-src 'none'; style-src 'none'; img-src data:"
            },
            body="<!doctype html><title>Strict</title>",
        ),
    )
    page = await context.new_page()
    await page.goto("http://strict.test/")
    await page.evaluate(f"{modules_bundle}\nglobalThis.modules = modules;")
    tree = {"type": "Card", "padding": 2, "children": [in_json(sample) for sample, _, _ in SAMPLES]}
    assert await shown(page, tree, "return getComputedStyle(widget).paddingTop;") == "8px"


# --- acting ---


async def acted(page: Page) -> Any:
    return await page.evaluate("acted")


async def draw(
    page: Page, widget: sdk.WidgetComponentBase | dict[str, Any], **context: Any
) -> None:
    tree = widget if isinstance(widget, dict) else in_json(widget)
    await shown(page, tree, "", **context)


SAVE = {"type": "save", "handler": "client", "loadingBehavior": "self", "streaming": True}


async def test_a_button_acts_with_its_whole_action(modules_page: Page) -> None:
    await draw(modules_page, sdk.Card(children=[sdk.Button(label="Save", onClickAction=ACTION)]))
    await modules_page.get_by_role("button", name="Save").click()
    assert await acted(modules_page) == [SAVE | {"payload": {"id": 1}}]


async def test_a_form_puts_its_values_into_the_payload(modules_page: Page) -> None:
    form = sdk.Form(
        onSubmitAction=ACTION,
        children=[
            sdk.Label(value="Title", fieldName="title"),
            sdk.Input(name="title", required=True),
            sdk.Textarea(name="note", defaultValue="as before"),
            sdk.Select(name="who", options=TWO),
            sdk.Checkbox(name="sure", label="Sure"),
            sdk.RadioGroup(
                name="when",
                defaultValue="now",
                options=[{"value": "now", "label": "Now"}, {"value": "later", "label": "Later"}],
            ),
            sdk.DatePicker(name="day"),
            sdk.Text(value="draft", editable={"name": "text"}),
            sdk.Button(label="Send it", submit=True),
        ],
    )  # fmt: skip
    page = modules_page
    await draw(page, sdk.Card(children=[form]))
    await page.get_by_role("button", name="Send it").click()
    assert await acted(page) == []  # the title is required
    await page.get_by_label("Title").fill("Milk")
    await page.get_by_label("who").select_option("Bo")
    await page.get_by_label("Sure").check()
    await page.get_by_label("Later").check()
    await page.get_by_label("day").fill("2026-11-30")
    await page.get_by_label("Title").press("Enter")
    values = {"title": "Milk", "note": "as before", "who": "b", "sure": True, "when": "later",
              "day": "2026-11-30", "text": "draft"}  # fmt: skip
    assert await acted(page) == [SAVE | {"payload": {"id": 1} | values}]


async def test_a_card_that_is_a_form_confirms_and_cancels_with_its_values(
    modules_page: Page,
) -> None:
    card = sdk.Card(
        asForm=True,
        children=[sdk.Input(name="reason", required=True)],
        confirm={"label": "Approve", "action": ActionConfig(type="approve")},
        cancel={"label": "Decline", "action": ActionConfig(type="decline")},
    )
    page = modules_page
    await draw(page, card)
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_role("button", name="Decline").click()
    await page.get_by_label("reason").fill("fine")
    await page.get_by_role("button", name="Approve").click()
    done = [(action["type"], action["payload"]) for action in await acted(page)]
    assert done == [("decline", {"reason": ""}), ("approve", {"reason": "fine"})]


async def test_a_change_acts_with_the_changed_value(modules_page: Page) -> None:
    select = sdk.Select(
        name="who", options=ADA, onChangeAction=ACTION, placeholder="Who"
    )  # fmt: skip
    box = sdk.Checkbox(name="sure", label="Sure", onChangeAction=ActionConfig(type="tick"))
    await draw(modules_page, sdk.Card(children=[select, box]))
    await modules_page.get_by_label("Who").select_option("Ada")
    await modules_page.get_by_label("Sure").check()
    payloads = [action["payload"] for action in await acted(modules_page)]
    assert payloads == [{"id": 1, "who": "a"}, {"sure": True}]


async def test_what_needs_a_turn_does_not_act_while_an_answer_runs(modules_page: Page) -> None:
    page = modules_page
    begins = ActionConfig(type="save")
    at_once = ActionConfig(type="peek", streaming=False)
    tree = sdk.Card(
        asForm=True,
        children=[
            sdk.Button(label="Save", onClickAction=begins),
            sdk.Button(label="Peek", onClickAction=at_once),
            sdk.Button(label="Look", onClickAction=ACTION),
            sdk.Input(name="word"),
        ],
        confirm={"label": "Approve", "action": begins},
    )
    await draw(page, tree, busy=True)
    for name in ("Save", "Approve"):
        assert await page.get_by_role("button", name=name).is_disabled()
        await page.get_by_role("button", name=name).dispatch_event("click")
    await page.get_by_label("word").press("Enter")
    assert await acted(page) == []
    # no turn is needed for these
    await page.get_by_role("button", name="Peek").click()
    await page.get_by_role("button", name="Look").click()
    assert [action["type"] for action in await acted(page)] == ["peek", "save"]


async def test_a_row_of_a_list_acts_and_so_does_the_button_in_it(modules_page: Page) -> None:
    def item(name: str) -> sdk.ListViewItem:
        inner = sdk.Button(label=f"Open {name}", onClickAction=ActionConfig(type="open"))
        choose = ActionConfig(type="choose", payload={"name": name})
        return sdk.ListViewItem(children=[sdk.Text(value=name), inner], onClickAction=choose)

    page = modules_page
    await draw(page, sdk.ListView(children=[item(name) for name in "ABC"], limit=2))
    assert await page.get_by_role("listitem").count() == 2
    await page.get_by_role("button", name="Show more").press("Enter")
    assert await page.get_by_role("listitem").count() == 3
    await page.keyboard.press("Enter")  # the focus is on the first of what came
    await page.get_by_text("B", exact=True).click(force=True)
    await page.get_by_role("button", name="Open A", exact=True).click()
    types = [(action["type"], action.get("payload")) for action in await acted(page)]
    assert types == [("choose", {"name": "C"}), ("choose", {"name": "B"}), ("open", None)]


# --- drawing again ---


async def test_what_was_filled_in_and_the_focus_stay_when_a_widget_is_drawn_again(
    modules_page: Page,
) -> None:
    def tree(title: str, greeting: str) -> sdk.Card:
        return sdk.Card(
            asForm=True,
            collapsed=True,
            children=[
                sdk.Title(value=title),
                sdk.Input(name="word"),
                sdk.Input(name="greeting", defaultValue=greeting),
                sdk.Checkbox(name="sure", label="Sure"),
                sdk.Select(name="who", options=TWO, defaultValue="a"),
            ],
            confirm={"label": "Approve", "action": ActionConfig(type="approve")},
        )  # fmt: skip

    page = modules_page
    await draw(page, tree("One", "Hello"))
    await page.get_by_text("One").first.click()
    await page.get_by_label("Sure").check()
    await page.get_by_label("who").select_option("Bo")
    await page.get_by_label("greeting").fill("Mine")
    await page.get_by_label("word").press_sequentially("helo")
    await page.keyboard.press("ArrowLeft")
    await page.evaluate("(tree) => show.again(tree)", in_json(tree("Two", "Good day")))
    await page.keyboard.insert_text("l")
    assert await page.get_by_role("heading", name="Two").is_visible()
    await page.get_by_role("button", name="Approve").click()
    values = {"word": "hello", "greeting": "Good day", "sure": True, "who": "b"}
    assert (await acted(page))[0]["payload"] == values


async def test_the_focus_stays_on_a_button_while_what_it_started_runs(modules_page: Page) -> None:
    page = modules_page
    tree = in_json(
        sdk.Card(children=[sdk.Button(label=name, onClickAction=ACTION) for name in "ab"])
    )
    await draw(page, tree)
    await page.get_by_role("button", name="b").press("Enter")
    for busy in (True, False):
        await page.evaluate("([tree, busy]) => show.again(tree, {busy})", [tree, busy])
    await page.keyboard.press("Enter")
    assert len(await acted(page)) == 2


STEP = """async (tree) => {
  const item = {id: "it", type: "widget", thread_id: "t", created_at: "", widget: tree};
  const state = new modules.ThreadState();
  state.apply({type: "thread.item.added", item});
  const lines = () => [...document.querySelector("div").shadowRoot.querySelectorAll("article "
    + "[data-component-id]")];
  const before = lines();
  const tell = (id, component) => {
    const update = {type: "widget.component.updated", component_id: id, component};
    state.apply({type: "thread.item.updated", item_id: "it", update});
    show.again(state.items.get("it").widget, {allowedImageDomains: []});
  };
  const line = (id) => ({type: "Col", id, children: {type: "Row", children: [
    {type: "Button", label: id, onClickAction: {type: id}}]}});
  let made = 0;
  const watch = new MutationObserver((changes) => {
    for (const {addedNodes} of changes) for (const node of addedNodes)
      made += 1 + (node.querySelectorAll?.("*").length ?? 0);
  });
  watch.observe(before[0].closest("article"), {childList: true, subtree: true});
  for (const {id} of tree.children[0].children) tell(id, line(id));
  await Promise.resolve();
  tell("c1", {type: "Text", id: "c1", value: "Gone"});
  return [made, before.length, lines().map(({localName}) => localName).join("")];
}"""


async def test_of_a_long_card_only_the_line_that_changes_is_drawn(modules_page: Page) -> None:
    page = modules_page
    lines = [{"type": "Col", "id": f"c{n}"} for n in range(150)]
    tree = {"type": "Card", "children": [{"type": "Col", "gap": 0, "children": lines}]}
    await draw(page, tree)
    made, before, after = await page.evaluate(STEP, tree)
    assert before == len(lines)
    assert made <= 5 * len(lines)
    assert after == "div" + "p" + "div" * 148
    await page.get_by_role("button", name="c7", exact=True).click()
    assert await acted(page) == [{"type": "c7"}]


# --- what is seen ---


def call(state: CallState, output: str | None = None) -> ToolCall:
    return ToolCall(
        id=CallId(state),
        name="add_task",
        arguments="{}",
        started_at=datetime(2026, 11, 30, tzinfo=UTC),
        output=output,
        state=state,
    )


STATES: dict[CallState, tuple[str, str]] = {
    "running": ("Running", "secondary"),
    "succeeded": ("Success", "success"),
    "failed": ("Failed", "danger"),
    "cancelled": ("Cancelled", "warning"),
    "unknown": ("Outcome unknown", "warning"),
}
PAINT = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const paint = (...colors) => {
  for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const look = (node) => {
  const host = node.getRootNode().host;
  const grounds = [getComputedStyle(host).getPropertyValue("--ck-bg")];
  const chain = [];
  for (let at = node; at; at = at.parentElement)
    chain.unshift(getComputedStyle(at).backgroundColor);
  grounds.push(...chain);
  return [paint(...grounds, getComputedStyle(node).color), paint(...grounds)];
};
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_tools_badge_is_readable_and_tells_its_state(
    modules_page: Page, scheme: str
) -> None:
    calls = [call(state, "No such task." if state == "failed" else None) for state in STATES]
    card = badges(calls)["widget"].model_dump(mode="json")
    found = await shown(
        modules_page,
        card,
        PAINT
        + """return [...widget.querySelectorAll("[data-widget=Badge], [data-widget=Text]")].map(
          (node) => [node.textContent, node.dataset.color ?? "", ...look(node)]);""",
        scheme=scheme,
    )
    told = [(text, color) for text, color, _, _ in found if color]
    assert told == list(STATES.values())
    assert {text: contrast(ink, ground) for text, _, ink, ground in found
            if contrast(ink, ground) < LEAST} == {}  # fmt: skip
    grounds = {text: ground for text, _, _, ground in found}
    red, green, _ = grounds["Success"]
    assert green > red
    red, green, _ = grounds["Failed"]
    assert red > green


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_badge_and_button_is_readable(modules_page: Page, scheme: str) -> None:
    badge_colors = ["secondary", "success", "danger", "warning", "info", "discovery"]
    button_colors = [*badge_colors, "primary", "caution"]
    children = [
        *({"type": "Badge", "label": f"{c} {v}", "color": c, "variant": v}
          for c in badge_colors for v in ("solid", "soft", "outline")),
        *({"type": "Button", "label": f"{c} {v}", "color": c, "variant": v}
          for c in button_colors for v in ("solid", "soft", "outline", "ghost")),
    ]  # fmt: skip
    found = await shown(
        modules_page,
        {"type": "Card", "children": children},
        PAINT
        + """return [...widget.children].map((node) => [node.localName + " " + node.textContent,
          ...look(node)]);""",
        scheme=scheme,
    )
    ratios = {name: contrast(ink, ground) for name, ink, ground in found}
    assert len(ratios) == len(children)
    assert {name: ratio for name, ratio in ratios.items() if ratio < LEAST} == {}


async def test_a_running_tool_moves_unless_motion_is_not_wanted(modules_page: Page) -> None:
    card = badges([call("running")])["widget"].model_dump(mode="json")
    moving = "return widget.getAnimations({subtree: true}).length;"
    await modules_page.emulate_media(reduced_motion="no-preference")
    assert await shown(modules_page, card, moving) == 1
    await modules_page.emulate_media(reduced_motion="reduce")
    assert await shown(modules_page, card, moving) == 0
    await modules_page.emulate_media(reduced_motion=None)
    done = badges([call("succeeded")])["widget"].model_dump(mode="json")
    assert await shown(modules_page, done, moving) == 0


async def test_a_call_is_one_line_and_stays_in_a_narrow_page(modules_page: Page) -> None:
    await modules_page.set_viewport_size({"width": 320, "height": 600})
    card = badges([call("succeeded"), call("failed", "x" * 150)])["widget"].model_dump(mode="json")
    heights, over = await shown(
        modules_page,
        card,
        """const rows = [...widget.querySelectorAll("[data-widget=Row]")];
        const over = document.documentElement.scrollWidth - 320;
        return [rows.map((row) => row.clientHeight), over];""",
    )
    assert max(heights) < 40
    assert over <= 0
    await modules_page.set_viewport_size({"width": 1280, "height": 720})


async def test_an_image_comes_from_an_allowed_place_or_is_words(modules_page: Page) -> None:
    sources = [
        "https://img.example/a.png", "https://sub.img.example/a.png", "https://notimg.example/a.png",
        "https://img.example.evil/a.png", "javascript:alert(1)", "data:text/html,x", "file:///a.png",
        DOT,
    ]  # fmt: skip
    images = [{"type": "Image", "src": src, "alt": src[-9:]} for src in sources]
    kinds = """return [...widget.children].map((node) => node.localName);"""
    tree = {"type": "Card", "children": images}
    allowed = await shown(modules_page, tree, kinds, allowedImageDomains=["img.example"])
    assert allowed == ["img", "img", "span", "span", "span", "span", "span", "img"]
    nowhere = await shown(modules_page, tree, kinds)
    assert nowhere == ["span", "span", "span", "span", "span", "span", "span", "img"]
    offers = """return [...widget.querySelectorAll("button")].map((each) => each.textContent);"""
    assert await shown(modules_page, tree, offers) == [
        f"Show the picture from {host}"
        for host in ("img.example", "sub.img.example", "notimg.example", "img.example.evil")
    ]
    words = "return widget.children[4].textContent;"
    assert await shown(modules_page, tree, words) == ":alert(1)"


async def test_what_is_pressed_is_large_enough_and_has_a_name(modules_page: Page) -> None:
    sizes = get_args(sdk.ControlSize)
    card = sdk.Card(
        children=[
            *(sdk.Button(iconStart="plus", size=size) for size in sizes),
            *(sdk.Input(name=f"word {size}", size=size) for size in sizes),
            sdk.Checkbox(name="sure"),
            sdk.RadioGroup(name="pick", options=ADA),
        ]
    )
    small, nameless = await shown(
        modules_page,
        in_json(card),
        """const all = [...widget.querySelectorAll("button, input.control, .choice")];
        const name = (node) => node.ariaLabel || node.textContent;
        return [all.filter((node) => node.clientHeight < 22 || node.clientWidth < 22).length,
          all.filter((node) => !name(node)).length];""",
    )
    assert (small, nameless) == (0, 0)


# --- icons ---


def names_of_the_public_types() -> set[str]:
    types = ELEMENT / "node_modules/@openai/chatkit/types"
    found: set[str] = set()
    for file in ("index.d.ts", "widgets.d.ts"):
        for union in re.findall(
            r"type (?:ChatKit|Widget|Header)Icon =(.*?);", (types / file).read_text(), re.DOTALL
        ):
            found |= set(re.findall(r"'([a-z0-9-]+)'", union))
    return found


OURS = ["history", "compose", "plus", "close", "send", "stop", "copy", "check", "thumb-up",
        "thumb-down", "retry", "edit", "trash", "back", "chevron-down", "chevron-right", "warning",
        "info", "dots", "document", "search", "globe", "image", "external-link", "arrow-down",
        "user", "clock", "bolt"]  # fmt: skip

DRAWN = """(names) => Object.fromEntries(names.map((name) => {
  const svg = modules.icon(name);
  document.body.replaceChildren(svg);
  const box = svg.getBBox();
  const whole = svg.ariaHidden === "true" && svg.classList.contains("icon");
  return [name, [svg.dataset.icon, whole && box.x >= 0 && box.y >= 0 && box.width > 0 &&
    box.x + box.width <= 24 && box.y + box.height <= 24]];
}))"""


async def test_every_icon_of_the_public_types_draws_something(modules_page: Page) -> None:
    names = names_of_the_public_types() | set(OURS)
    assert len(names) > 100
    drawn = await modules_page.evaluate(DRAWN, sorted(names))
    assert [name for name, (icon, whole) in drawn.items() if not whole or icon == "dot"] == ["dot"]


async def test_a_librarys_icon_is_drawn_by_one_of_its_words(modules_page: Page) -> None:
    names = ["lucide:file-text", "vendor:arrow-up", "lucide:circle-check", "lucide:qqq", "toString"]
    drawn = await modules_page.evaluate(DRAWN, names)
    assert [drawn[name] for name in names] == [
        ["square-text", True], ["send", True], ["check", True], ["dot", True], ["dot", True],
    ]  # fmt: skip
