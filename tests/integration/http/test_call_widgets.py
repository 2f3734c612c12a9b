"""What is shown of what a tool has brought: behind its line, live, resumed and reloaded."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from agents.items import TResponseStreamEvent
from mcp.server import MCPServer
from mcp_types import CallToolResult, TextContent

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from tests.chatkit_client import Json, create, frames, text_of
from tests.hosts.scripts import action
from tests.integration.http.person import Person
from tests.ports import free_port
from tests.serving import Served, served, serving, settings_for

RESUMABLE = {"X-Chatbridge-Stream": "resumable"}


class Reading(OfflineModel):
    """Notes what it is given to read."""

    def __init__(self) -> None:
        super().__init__(delay=0)
        self.read = ""

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self.read = str(input)
        async for event in super().stream_response(system_instructions, input, *args, **kwargs):
            yield event


@pytest.fixture(scope="module")
def model() -> Reading:
    return Reading()


@pytest.fixture(scope="module")
async def showing(store_url: str, model: Reading) -> AsyncGenerator[Served]:
    async def nothing_to_close() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Endpoint(model, nothing_to_close))

    agent = {"entry": "tests.hosts.results:assistant", "tools": "all"}
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    quiet = {"url": url, "tools": ["in_data", "in_meta", "broken"], "widget": "chatkit"}
    acting = {"url": url, "tools": ["to_press"], "widget": "chatkit", "widget_actions": True}
    unset = {"url": url, "tools": ["unset"]}
    servers = {"quiet": quiet, "acting": acting, "unset": unset}
    async with (
        serving(maps().streamable_http_app(stateless_http=True), port),
        served(settings_for(store_url, agent=agent, mcp={"servers": servers}), override) as here,
    ):
        yield here


SEAT = {"type": "seat.pick", "payload": {"seat": "1A"}, "streaming": False}
SHOWN = {
    "type": "Card",
    "size": "sm",
    "children": [
        {"type": "Box", "size": 25, "children": [{"type": "Text", "value": "Drawn there"}]},
        {"type": "Button", "label": "1A", "onClickAction": SEAT},
    ],
}


def maps() -> MCPServer:
    """A foreign tool server whose results give widgets."""
    server = MCPServer("maps")

    def told(**more: Any) -> CallToolResult:
        return CallToolResult(content=[TextContent(type="text", text="Drawn there, 7 km")], **more)

    def in_data() -> CallToolResult:
        return told(structured_content={"km": 7, "chatkit": SHOWN})

    def in_meta() -> CallToolResult:
        return told(_meta={"chatkit": SHOWN})

    def broken() -> CallToolResult:
        return told(_meta={"chatkit": "<b>no widget</b>"})

    for tool in (in_data, in_meta, broken):
        server.add_tool(tool)
    server.add_tool(in_meta, name="to_press")
    server.add_tool(in_meta, name="unset")
    return server


@pytest.fixture
def person(showing: Served) -> Person:
    return Person(showing)


def is_badge(item: Json) -> bool:
    return item["type"] == "widget" and "call_" in str(item["widget"])


def widgets_in(items: list[Json]) -> list[Json]:
    return [item for item in items if item["type"] == "widget" and not is_badge(item)]


def done(told: list[Json]) -> list[Json]:
    return [event["item"] for event in told if event["type"] == "thread.item.done"]


async def pressed(person: Person, thread: str, item: str, *what: Any, sync: bool = False) -> Any:
    return await person.http.post("/chatkit", json=action(thread, item, *what, sync=sync))


async def test_a_result_is_shown_behind_its_line_and_read_as_it_was(
    person: Person, model: Reading
) -> None:
    thread, told = await person.say("please find_seats LH1")
    (shown,) = widgets_in(done(told))
    assert shown["widget"]["children"][0]["value"] == "Seats of LH1"
    line = next(n for n, event in enumerate(told) if "Success" in str(event))
    assert line < told.index({"type": "thread.item.done", "item": shown})
    kept = await person.reload(thread)
    began = dict.fromkeys(event["item"]["id"] for event in told if "item" in event)
    assert [item["id"] for item in kept] == [*began]
    assert widgets_in(kept)[0]["widget"] == shown["widget"]
    await person.say("hello", thread)
    assert '{"flight":"LH1","seats":["1A","1B"]}' in model.read
    assert "Seats of" not in model.read


async def test_what_is_pressed_in_it_goes_to_its_handler(person: Person) -> None:
    thread, told = await person.say("please find_seats LH1")
    (shown,) = widgets_in(done(told))
    answer = await pressed(person, thread, shown["id"], "seat.pick", {"seat": "1A"}, sync=True)
    assert answer.json()["updated_item"]["widget"]["children"][0]["value"] == "1A is taken"
    assert "1A is taken" in str(widgets_in(await person.reload(thread)))
    other = await pressed(person, thread, shown["id"], "seat.pick", {"seat": "9Z"}, sync=True)
    assert other.json()["code"] == "action_not_offered"


async def test_so_is_that_of_a_bundled_tool(person: Person) -> None:
    await person.say("add a task: buy oat milk")
    thread, told = await person.say("list my tasks")
    (shown,) = widgets_in(done(told))
    assert (shown["widget"]["type"], "buy oat milk" in str(shown)) == ("ListView", True)
    answer = await pressed(person, thread, shown["id"], "task.open", {"number": 1})
    assert text_of(done(frames(answer.text))[-1]) == "Task 1."


@pytest.mark.parametrize("tool", ["find_nothing", "find_badly", "find_fault", "fail"])
async def test_what_can_not_be_shown_leaves_the_line_and_the_answer_goes_on(
    person: Person, tool: str, caplog: pytest.LogCaptureFixture
) -> None:
    thread, told = await person.say(f"please {tool}")
    assert widgets_in(done(told)) == widgets_in(await person.reload(thread)) == []
    assert done(told)[-1]["type"] == "assistant_message"
    assert any(map(is_badge, done(told)))
    said = [r for r in caplog.records if "is not shown" in r.message]
    wanted = {"find_badly": [logging.WARNING], "find_fault": [logging.ERROR]}
    assert [r.levelno for r in said] == wanted.get(tool, [])


@pytest.mark.parametrize("tool", ["in_data", "in_meta"])
async def test_a_tool_server_gives_one_in_which_nothing_acts_unless_it_may(
    person: Person, tool: str
) -> None:
    thread, told = await person.say(f"please {tool}")
    (shown,) = widgets_in(done(told))
    box, button = shown["widget"]["children"]
    assert (shown["widget"]["size"], box) == ("sm", SHOWN["children"][0])
    assert "onClickAction" not in button
    answer = await pressed(person, thread, shown["id"], "seat.pick", {"seat": "1A"}, sync=True)
    assert answer.json()["code"] == "action_not_offered"
    assert widgets_in(await person.reload(thread))[0]["widget"] == shown["widget"]


async def test_one_that_may_goes_to_the_registered_handler(person: Person, model: Reading) -> None:
    thread, told = await person.say("please to_press")
    (shown,) = widgets_in(done(told))
    answer = await pressed(person, thread, shown["id"], "seat.pick", {"seat": "1A"}, sync=True)
    assert "1A is taken" in str(answer.json()["updated_item"])
    await person.say("hello", thread)
    assert "Drawn there, 7 km" in model.read
    assert "onClickAction" not in model.read


@pytest.mark.parametrize("tool", ["broken", "unset"])
async def test_without_a_widget_or_the_setting_the_line_stands_alone(
    person: Person, tool: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, told = await person.say(f"please {tool}")
    assert (widgets_in(done(told)), "Success" in str(told)) == ([], True)
    said = [r.message for r in caplog.records if "is not shown" in r.message]
    wanted = "the widget of broken is not shown: it is of type str, and no widget"
    assert said == [wanted] * (tool == "broken")


async def test_it_is_told_again_from_every_frame(person: Person) -> None:
    asked = await person.http.post(
        "/chatkit", json=create("please find_seats LH1"), headers=RESUMABLE
    )
    thread = asked.headers["x-conversation-id"]
    parts = [part for part in asked.text.split("\n\n") if part.startswith("id: ")]
    assert len(parts) > 5
    for number, part in enumerate(parts, 1):
        after = {"Last-Event-ID": part.partition("\n")[0].removeprefix("id: ")}
        rest = await person.http.get(f"/chatkit/threads/{thread}/events", headers=after)
        assert [each for each in rest.text.split("\n\n") if each] == parts[number:]
