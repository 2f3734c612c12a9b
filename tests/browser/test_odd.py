"""What is odd in a conversation is said to be, in its place; everything else is there."""

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.element_page import Chat
from tests.browser.endpoint import (
    Endpoint,
    added,
    assistant_message,
    delta,
    done,
    user_message,
)
from tests.browser.opened import asked, opened, whole
from tests.chatkit_client import Json

DEEP: Json = {"type": "Col"}
for _ in range(200):
    DEEP = {"type": "Box", "children": [DEEP, {"type": "Text", "value": "deep"}]}


def said(*parts: object) -> Json:
    return {"type": "assistant_message", "content": list(parts)}


def words(text: object, **more: object) -> Json:
    return {"type": "output_text", "text": text, **more}


# what it is, what is seen of it, and what the console is told
ODD: dict[str, tuple[object, str, str]] = {
    "o1": (said(words("with **text**", annotations=[{"type": "annotation"}])), "with text",
           "o1 (assistant_message) content[0].annotations[0].source is missing"),
    "o2": (said(words(None), words("its neighbour")), "its neighbour",
           "o2 (assistant_message) content[0].text is null"),
    "o3": ({"type": "workflow", "workflow": {"type": "custom"}}, "",
           "o3 (workflow).workflow.tasks is missing"),
    "o4": ({"type": "hologram", "text": "What it says"}, "What it says",
           "o4 (hologram) is not known"),
    "o5": ({"type": "assistant_message", "content": None}, "",
           "o5 (assistant_message).content is null"),
    "o6": ({"type": "workflow",
            "workflow": {"expanded": True, "tasks": [None, {"title": "The second step"}]}},
           "The second step", "o6 (workflow) tasks[0] is null"),
    "o7": ({"type": "structured_input", "status": "pending",
            "inputs": [7, {"id": "q", "type": "freeform", "question": "How many?"}]}, "How many?",
           "o7 (structured_input) inputs[0] is 7"),
    "o8": ({"type": "widget", "widget": "no tree"}, "", "o8 (widget).widget is \"no tree\""),
    "o9": ({"type": "user_message", "content": [{"type": "input_text"}], "attachments": [{}]}, "",
           "o9 (user_message) content[0].text is missing"),
    "o10": ({"type": "generated_image", "image": {"url": 5}}, "",
            "o10 (generated_image).image.url is 5"),
    "o11": ({"type": "task", "task": None}, "", "o11 (task).task is null"),
    "o12": ({"type": "client_tool_call"}, "", "o12 (client_tool_call).name is missing"),
    "o13": (said([], "text", 1), "", "o13 (assistant_message) content[0] is a list"),
    "o14": ({"type": ["user_message"]}, "", "o14 (a list) is not known"),
}  # fmt: skip
# odd, and drawn as far as it goes
FINE: dict[str, tuple[Json, str]] = {
    "f1": ({"type": "widget", "widget": {"type": "Nebula", "title": "Far", "children": [None, 5]}},
           "Far"),
    "f2": ({"type": "widget", "widget": {"type": "Card", "children": {"type": "Text", "value": 3},
            "status": [], "confirm": "yes", "padding": {"x": []}, "size": {}}}, "3"),
    "f3": ({"type": "widget", "widget": DEEP}, "deep"),
    "f4": ({"type": "workflow", "created_at": "no day",
            "workflow": {"tasks": [], "summary": {"duration": "long"}}}, "Working"),
    "f5": ({"type": "assistant_message", "created_at": None,
            "content": [words("No day either")]}, "No day either"),
}  # fmt: skip
ITEMS: list[object] = [
    *({**item, "id": id} for id, (item, *_) in (ODD | FINE).items() if isinstance(item, dict)),
    {**said(words("Without an id"))},
    None,
    assistant_message("last", "The last one"),
]
CANT = "This can't be shown here."


async def test_an_odd_item_is_said_to_be_and_the_rest_is_there(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    endpoint.keep("thr_1", user_message("u1", "Well?"))
    endpoint.items["thr_1"] += ITEMS  # type: ignore[arg-type]
    warnings: list[str] = []
    context.on("console", lambda m: warnings.append(m.text) if m.type == "warning" else None)

    for _ in ("opened", "opened again"):
        chat = await opened(context, endpoint, initialThread="thr_1")
        await all_is_there(chat, warnings)
        await chat.page.close()

    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    for item in ITEMS:
        telling.tell(added(item), done(item))  # type: ignore[arg-type]
    telling.end()
    await chat.answered()
    await all_is_there(chat, warnings)


async def all_is_there(chat: Chat, warnings: list[str]) -> None:
    """What can be read is read, and what can't is named once."""
    await expect(chat.log).to_contain_text("The last one")
    await expect(chat.log).to_contain_text("Without an id")
    await expect(chat.alert).to_have_count(0)
    texts = {entry.id: entry.text for entry in await chat.shown()}
    for id, (_, text, _) in ODD.items():
        assert CANT in texts[id], id
        assert text in texts[id], id
    for id, (_, text) in FINE.items():
        assert CANT not in texts[id], id
        assert text in texts[id], id
    told = [w.removeprefix("chatkit: ") for w in warnings if w.startswith("chatkit: ")]
    assert len(told) == len(set(told))
    assert {line for *_, line in ODD.values()} <= set(told)
    warnings.clear()


async def test_events_that_cant_be_read_end_nothing(
    context: BrowserContext, endpoint: Endpoint
) -> None:
    chat = await opened(context, endpoint)
    telling = await asked(chat, endpoint)
    telling.write(b"data: {not json\n\ndata: null\n\ndata: []\n\ndata: {}\n\ndata: 7\n\n")
    message = assistant_message("a1", "")
    message["content"] = None
    telling.tell(
        {"type": "thread.item.added", "item": message},
        {"type": "thread.item.updated", "item_id": "a1"},
        {"type": "thread.item.updated", "item_id": "a1", "update": {"type": "what"}},
        {"type": "thread.updated", "thread": None},
        {"type": "notice", "message": 5},
        {"type": "progress_update"},
        {"type": "stream_options"},
        delta("a1", "Half of it"),
    )
    far = delta("a1", "far")
    far["update"]["content_index"] = 10**9
    telling.tell(far)
    await expect(chat.log.locator(".prose")).to_have_text("Half of it")
    telling.end(whole("All of it"))
    await chat.answered()
    await expect(chat.log.locator(".prose")).to_have_text("All of it")
    await expect(chat.alert).to_have_count(0)


COUNTED = """async (size) => {
  let steps = 0;
  const { split } = String.prototype, { join } = Array.prototype;
  String.prototype.split = function (...how) {
    steps += this.length; return split.apply(this, how);
  };
  Array.prototype.join = function (...how) {
    const whole = join.apply(this, how); steps += whole.length; return whole;
  };
  try {
    const piece = new TextEncoder().encode("x".repeat(100));
    let left = size / 100;
    const body = new ReadableStream({ pull(stream) {
      if (left === size / 100) stream.enqueue(new TextEncoder().encode("data: "));
      if (left-- > 0) return stream.enqueue(piece);
      stream.enqueue(new TextEncoder().encode("\\n\\n"));
      stream.close();
    } });
    const events = [];
    for await (const { data } of modules.serverSentEvents(body)) events.push(data.length);
    return [events, steps];
  } finally {
    String.prototype.split = split;
    Array.prototype.join = join;
  }
}"""


async def test_a_frame_of_two_megabytes_in_small_pieces_is_read_once(modules_page: Page) -> None:
    size = 2_000_000
    events, steps = await modules_page.evaluate(COUNTED, size)
    assert events == [size]
    assert steps < 4 * size
