"""docs/chatkit.md says of the element's options, methods and events what the element does."""

import re
from collections.abc import Iterable

import pytest
from playwright.async_api import BrowserContext

from tests.browser.bundles import ELEMENT
from tests.browser.element_page import LISTEN, Chat
from tests.browser.endpoint import Endpoint, assistant_message, created, done, user_message
from tests.chatkit_client import Json
from tests.unit.test_docs import ROOT, rows, section

PAGE = (ROOT / "docs" / "chatkit.md").read_text()
SOURCES = "\n".join(path.read_text() for path in sorted((ELEMENT / "src").rglob("*.ts")))

# Sets every option there is, and notes which of them the element looks at.
SPY = """([names, url]) => {
  const looked = (window.looked = new Set());
  const noting = (path, value) => new Proxy(value, {
    get: (target, name) => {
      looked.add(path + String(name));
      return Reflect.get(target, name);
    },
  });
  const options = {};
  for (const name of names) {
    const [group, part] = name.split(".");
    if (part) (options[group] ??= {})[part] = undefined;
    else options[group] = undefined;
  }
  Object.assign(options.api, {
    url,
    fetch: (...request) => fetch(...request),
    getClientSecret: async () => "secret",
  });
  options.composer.attachments = { enabled: true };
  options.api = noting("api.", options.api);
  options.composer = noting("composer.", options.composer);
  options.onClientTool = async () => ({});
  options.widgets = { onAction: async () => {} };
  document.querySelector("openai-chatkit").setOptions(noting("", options));
}"""
ATTACH = """async () => {
  const files = [new File(["milk"], "list.txt", { type: "text/plain" })];
  await document.querySelector("openai-chatkit").setComposerValue({ files });
}"""
CALL: Json = {
    "type": "client_tool_call",
    "id": "c1",
    "thread_id": "thr_1",
    "created_at": "2026-11-22T10:00:00Z",
    "status": "pending",
    "call_id": "call_1",
    "name": "locate",
    "arguments": {},
}
WIDGET: Json = {
    "type": "widget",
    "id": "w1",
    "thread_id": "thr_1",
    "created_at": "2026-11-22T10:00:00Z",
    "widget": {
        "type": "Card",
        "children": [
            {
                "type": "Button",
                "label": "Here",
                "onClickAction": {"type": "here", "handler": "client"},
            }
        ],
    },
}


def said(title: str) -> dict[str, str]:
    """The first two cells of the table below the heading."""
    return {row[0].strip("`"): row[1].partition(";")[0] for row in rows(section(title, PAGE))}


@pytest.fixture(scope="module")
def types() -> str:
    """ChatKit's public types, without their comments."""
    text = (ELEMENT / "node_modules/@openai/chatkit/types/index.d.ts").read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def body(types: str, name: str) -> str:
    """What is between the braces of the type."""
    return re.split(rf"(?:type {name} =|interface {name}\b[^{{]*) ?\{{\n", types)[1].split("\n}")[0]


def members(types: str, name: str) -> Iterable[str]:
    """The names of the type's own members."""
    return re.findall(r"^  ([\w$]+)\??[:(<]", body(types, name), re.MULTILINE)


def test_every_option_is_told(types: str) -> None:
    plain = {*members(types, "ChatKitOptions")} - {"api", "composer"}
    api = [*members(types, "CustomApiConfig"), *members(types, "HostedApiConfig")]
    composer = members(types, "ComposerOption")
    parts = {f"api.{name}" for name in api} | {f"composer.{name}" for name in composer}
    assert said("Options of the element").keys() == plain | parts


async def test_the_options_that_have_an_effect_are_those_that_are_looked_at(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    told = said("Options of the element")
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    await page.goto(endpoint.url)
    await page.evaluate(SPY, [list(told), "chatkit"])
    chat = await Chat(page).ready()
    await chat.say("Where am I?")
    asked = await endpoint.telling()
    asked.end(created(), done(user_message("u1", "Where am I?")), done(WIDGET), done(CALL))
    (await endpoint.telling()).end(done(assistant_message("a1", "Here.")))
    await chat.loaded(4)
    await chat.button("Here").click()
    await chat.open_history()
    await page.evaluate(ATTACH)
    looked = set(await page.evaluate("[...window.looked]"))
    assert {name for name, effect in told.items() if effect != "no"} == looked & told.keys()


def test_every_method_is_told_and_there(types: str) -> None:
    told = said("Methods of the element")
    methods = set(members(types, "OpenAIChatKit")) - {"addEventListener", "removeEventListener"}
    assert told.keys() == methods
    for name in told:
        assert re.search(rf"^  (async )?{name}\(", SOURCES, re.MULTILINE), name


def test_every_event_is_told_and_comes(types: str) -> None:
    told = said("Events of the element")
    events = re.findall(r"^  '(chatkit\.[\w.]+)'", body(types, "ChatKitEvents"), re.MULTILINE)
    assert told.keys() == set(events)
    emitted = {f"chatkit.{name}" for name in re.findall(r'emit\("([a-z.]+)"', SOURCES)}
    assert {name for name, comes in told.items() if comes == "yes"} == emitted
