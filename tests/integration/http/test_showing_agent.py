"""An agent of the host's own that shows, and what a press on it does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from agents.items import TResponseStreamEvent
from chatkit.store import NotFoundError

from chatbridge import Bridge
from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.agents import Chat
from chatbridge.container import Container
from chatbridge.domain.model.errors import Forbidden, NotFound
from tests.chatkit_client import Json, add, create, frames, items, say, text_of
from tests.hosts import servers
from tests.hosts.assistants import assistant
from tests.hosts.bare import Bare
from tests.hosts.bridged import comparable
from tests.hosts.scripts import action, saying
from tests.serving import SECRET, served, settings_for

EXAMPLES = str(Path(__file__).resolve().parents[3] / "examples")
OURS = {"assistant_message", "user_message", "Thinking"}
ODD = "a\ufffdb\ufffd"


class Reading(OfflineModel):
    """Notes what it is given to read."""

    def __init__(self) -> None:
        super().__init__(delay=0)
        self.read: list[Any] = []

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self.read = input
        async for event in super().stream_response(system_instructions, input, *args, **kwargs):
            yield event


@dataclass
class Seats:
    """The agent behind chatbridge."""

    client: httpx.AsyncClient
    other: httpx.AsyncClient
    model: Reading = field(default_factory=Reading)

    async def shows(self, tool: str) -> tuple[str, list[Json]]:
        """A turn in which it uses this tool."""
        return await say(self.client, create(f"please {tool}"))

    async def kept(self, thread: str) -> list[Json]:
        return (await self.client.post("/chatkit", json=items(thread))).json()["data"]

    async def presses(self, *pressed: Any, sync: bool = False) -> httpx.Response:
        return await self.client.post("/chatkit", json=action(*pressed, sync=sync))

    async def seats(self) -> tuple[str, str]:
        """A conversation with the seats shown in it: its id and the widget's."""
        thread, _ = await self.shows("show_seats")
        shown = [i for i in await self.kept(thread) if i.get("copy_text") == "the seats"]
        return thread, shown[0]["id"]

    def told(self) -> str:
        """What its model was given to read last."""
        return "\n".join(str(item.get("content", "")) for item in self.model.read)


@pytest.fixture(scope="module")
async def seats() -> AsyncGenerator[Seats]:
    model = Reading()

    async def nothing_to_close() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Endpoint(model, nothing_to_close))

    agent = {"entry": "tests.hosts.assistants:assistant"}
    async with served(settings_for("memory:", agent=agent), override) as service:
        yield Seats(service.as_user("ada"), service.as_user("bob"), model)


def beside_text(told: list[Json]) -> list[Json]:
    """What was shown, but for texts, badges and what the SDK says of a stream."""
    badges = {f["item"]["id"] for f in told if "item" in f and is_badge(f["item"])}
    texts = {f["item"]["id"] for f in told if "item" in f and f["item"]["type"] in OURS}
    left = [f for f in told if f.get("item_id", f.get("item", {}).get("id")) not in badges | texts]
    own = ("thread.created", "thread.updated", "stream_options")
    return [f for f in left if f["type"] not in own and f.get("text") not in OURS]


def is_badge(item: Json) -> bool:
    return item["type"] == "widget" and "call_" in str(item["widget"])


async def test_a_tool_of_the_samples_shows_what_it_shows_with_the_bare_sdk(seats: Seats) -> None:
    servers.Looking.model.n = 0
    bare = beside_text(await saying("hello")(Bare(servers.Looking)))
    thread, told = await seats.shows("look_around")
    # bare, the thought of its scripted model is in the workflow too
    ours = beside_text(told)
    assert [f["type"] for f in ours if "workflow" not in str(f)] == [
        f["type"] for f in bare if "workflow" not in str(f)
    ]
    widget = comparable([f for f in ours if "Harry" in str(f)])
    assert widget == comparable([f for f in bare if "Harry" in str(f)])
    workflow = next(f["item"]["workflow"] for f in ours[::-1] if "workflow" in f.get("item", {}))
    assert [task["title"] for task in workflow["tasks"]] == ["Look left", "Look right"]
    assert workflow["summary"]["duration"] >= 0
    await say(seats.client, add(thread, "hello"))
    assert "<HiddenContext>\n<LOOKED/>\n</HiddenContext>" in seats.told()
    assert "was displayed to the user: a letter" in seats.told()


@pytest.mark.parametrize("tool", ["all_tasks", "short_words", "grow", "look_around", "gallery"])
async def test_what_was_shown_is_there_after_a_reload(seats: Seats, tool: str) -> None:
    thread, told = await seats.shows(tool)
    done = {f["item"]["id"]: f["item"] for f in told if f["type"] == "thread.item.done"}
    done |= {f["item"]["id"]: f["item"] for f in told if f["type"] == "thread.item.replaced"}
    for update in (f for f in told if f.get("update", {}).get("type") == "widget.root.updated"):
        done[update["item_id"]]["widget"] = update["update"]["widget"]
    gone = {f["item_id"] for f in told if f["type"] == "thread.item.removed"}
    kept = {item["id"]: item for item in await seats.kept(thread)}
    assert kept == {id: item for id, item in done.items() if id not in gone}


async def test_tasks_of_all_kinds_stand_in_a_workflow_and_alone(seats: Seats) -> None:
    thread, _ = await seats.shows("all_tasks")
    found = {item["type"]: item for item in await seats.kept(thread)}
    kinds = [task["type"] for task in found["workflow"]["workflow"]["tasks"]]
    assert kinds == ["custom", "web_search", "thought", "file", "image"]
    assert found["workflow"]["workflow"]["summary"] == {"title": "Five kinds"}
    assert found["workflow"]["workflow"]["expanded"] is True
    assert found["task"]["task"]["title"] == "Alone"


async def test_short_words_say_what_their_events_say(seats: Seats) -> None:
    thread, told = await seats.shows("short_words")
    wanted = {
        "progress_update": {"icon": "bolt", "text": "Working"},
        "client_effect": {"name": "blink", "data": {"n": 1}},
        "notice": {"level": "warning", "message": "Well", "title": "So"},
    }
    for type, said in wanted.items():
        assert {"type": type, **said} in told
    types = [i["type"] for i in await seats.kept(thread) if not is_badge(i)]
    assert types == [
        "user_message",
        "assistant_message",
        "widget",
        "end_of_turn",
        "assistant_message",
    ]
    # the tool has found them in its store too, with the note and the question
    assert "ada 5" in text_of((await seats.kept(thread))[-1])
    one = {"type": "threads.get_by_id", "params": {"thread_id": thread}}
    named = (await seats.client.post("/chatkit", json=one)).json()
    assert named["title"] == "Named by a tool"
    assert named["allowed_image_domains"] == ["cats.example"]
    assert "Only for the model." not in str(await seats.kept(thread))


async def test_a_widget_of_an_earlier_turn_is_found_and_changed(seats: Seats) -> None:
    thread, widget = await seats.seats()
    await say(seats.client, add(thread, "please replace_earlier"))
    found = {item["id"]: item for item in await seats.kept(thread)}
    assert found[widget]["widget"]["children"][0]["value"] == "changed"


async def test_what_no_database_holds_is_replaced_and_what_is_large_is_whole(seats: Seats) -> None:
    thread, _ = await seats.shows("odd")
    odd, large = [i for i in await seats.kept(thread) if i["type"] == "widget" and not is_badge(i)]
    assert (odd["widget"]["children"][0]["value"], odd["copy_text"]) == (ODD, "N\ufffd")
    assert len(large["widget"]["children"][0]["value"]) == 2_000_000
    _, told = await seats.shows("too_large")
    assert told[-1]["item"]["type"] == "assistant_message"
    # the element's other surface has the same entries
    page = (await seats.client.get(f"/api/ada/conversations/{thread}/messages")).json()
    kinds = [m["kind"] for m in page["items"]]
    # a page ends behind what fills it
    assert kinds == ["text", "tools", "shown", "shown"]


async def test_what_is_longer_than_can_be_kept_is_not_shown_either(seats: Seats) -> None:
    thread, told = await seats.shows("too_long")
    assert [i for i in await seats.kept(thread) if "xxx" in str(i)] == []
    assert "xxx" not in str(told)


async def test_a_mistake_of_a_tool_is_its_own(seats: Seats) -> None:
    thread, _ = await seats.shows("mistakes")
    kept = await seats.kept(thread)
    assert ("wrong" in str(kept), "Success" in str(kept)) == (False, True)
    assert [
        task["title"] for i in kept if i["type"] == "workflow" for task in i["workflow"]["tasks"]
    ] == ["Right"]
    _, told = await say(seats.client, add(thread, "hello"))
    assert told[-1]["type"] == "thread.item.done"


async def test_a_tool_asks_the_page_and_the_person_and_the_agent_goes_on(seats: Seats) -> None:
    thread, _ = await seats.shows("ask_the_page")
    asked = (await seats.kept(thread))[-1]
    assert (asked["type"], asked["status"], asked["name"]) == (
        "client_tool_call",
        "pending",
        "selected",
    )
    output = {"thread_id": thread, "result": ["1A"]}
    answer = {"type": "threads.add_client_tool_output", "params": output}
    _, told = await say(seats.client, answer)
    assert told[-1]["item"]["type"] == "assistant_message"
    assert '["1A"]' in str(seats.model.read)
    _, told = await say(seats.client, add(thread, "please ask_size"))
    asked = (await seats.kept(thread))[-1]
    assert (asked["type"], asked["status"]) == ("structured_input", "pending")
    answers = {"size": {"values": ["XL"]}, "why": {"skipped": True}}
    form = {"thread_id": thread, "item_id": asked["id"], "input": {"answers": answers}}
    _, told = await say(seats.client, {"type": "threads.add_structured_input", "params": form})
    assert told[-1]["item"]["type"] == "assistant_message"
    assert '{"question": "Which size?", "answer": "XL"}' in str(seats.model.read)


# --- what a press does


async def test_a_press_changes_the_widget_and_the_agent_answers_it(seats: Seats) -> None:
    thread, widget = await seats.seats()
    answer = await seats.presses(thread, widget, "seat.pick", {"seat": "1A"})
    told = frames(answer.text)
    types = [f["type"] for f in told]
    assert types[:3] == ["stream_options", "progress_update", "thread.item.replaced"]
    assert told[-1]["item"]["type"] == "assistant_message"
    kept = await seats.kept(thread)
    now = next(item for item in kept if item["id"] == widget)
    assert now["widget"]["children"][0]["value"] == "Seat: 1A"
    assert kept[-1] == told[-1]["item"]
    assert seats.model.read[-1]["role"] == "user"
    assert "The user has picked 1A." in str(seats.model.read[-1])
    # the widget as it is now, not as the question's answer has shown it
    assert "a seat is taken" in seats.told()
    assert "the seats" not in seats.told()
    again = await seats.presses(thread, widget, "seat.pick", {"seat": "1A"})
    assert (again.status_code, again.json()["code"]) == (409, "action_not_offered")


async def test_a_press_may_stay_unanswered(seats: Seats) -> None:
    thread, widget = await seats.seats()
    seats.model.read = []
    told = frames((await seats.presses(thread, widget, "seat.silent", {"seat": "1A"})).text)
    assert [f["type"] for f in told][-1] == "thread.item.replaced"
    assert seats.model.read == []


async def test_an_agent_that_is_to_answer_reads_what_was_pressed(seats: Seats) -> None:
    thread, widget = await seats.seats()
    await seats.presses(thread, widget, "seat.ask", {"seat": "1A"})
    assert 'The user has pressed seat.ask with {"seat":"1A"}.' in str(seats.model.read[-1])


async def test_a_press_of_a_form_brings_its_fields(seats: Seats) -> None:
    thread, _ = await seats.shows("form")
    widget = next(i for i in await seats.kept(thread) if "seat.form" in str(i))
    sent = {"seat": "1A", "why": "the view"}
    answer = await seats.presses(thread, widget["id"], "seat.form", sent)
    assert text_of(frames(answer.text)[-1]["item"]) == "Because the view."
    more = await seats.presses(thread, widget["id"], "seat.form", {**sent, "price": 0})
    assert more.json()["code"] == "action_not_offered"


async def test_what_the_page_sends_by_itself_is_taken_where_its_handler_says_so(
    seats: Seats,
) -> None:
    thread, _ = await seats.seats()
    told = frames((await seats.presses(thread, None, "refresh", {"n": 1})).text)
    assert text_of(told[-1]["item"]).startswith("Refreshed {'n': 1}")


async def test_a_handler_that_fails_has_said_what_it_said(seats: Seats) -> None:
    thread, widget = await seats.seats()
    told = frames((await seats.presses(thread, widget, "seat.fail", {"seat": "1A"})).text)
    assert (told[-1]["type"], "private" in str(told)) == ("error", False)
    assert text_of((await seats.kept(thread))[-1]) == "Half"
    told = frames((await seats.presses(thread, widget, "seat.custom", {"seat": "1A"})).text)
    assert told[-1]["message"] == "That seat is broken."
    assert told[-1]["allow_retry"] is False


async def test_a_press_that_is_answered_at_once_is_kept(seats: Seats) -> None:
    thread, widget = await seats.seats()
    answer = await seats.presses(thread, widget, "seat.silent", {"seat": "1A"}, sync=True)
    assert answer.json()["updated_item"] in await seats.kept(thread)
    assert answer.json()["updated_item"]["widget"]["children"][0]["value"] == "Seat: 1A"


async def test_of_presses_at_once_one_is_answered(seats: Seats) -> None:
    thread, widget = await seats.seats()
    pressed = (thread, widget, "seat.silent", {"seat": "1A"})
    answers = await asyncio.gather(*(seats.presses(*pressed, sync=True) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_what_is_a_turn_is_never_answered_at_once(seats: Seats) -> None:
    thread, _ = await seats.shows("form")
    shown = next(i for i in await seats.kept(thread) if "seat.form" in str(i))
    pressed = (thread, shown["id"], "seat.form", {"seat": "1A", "why": "I like it"})
    answer = await seats.presses(*pressed, sync=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "action_not_offered")
    assert (await seats.presses(*pressed)).status_code == 200


@pytest.mark.parametrize("sync", [False, True])
async def test_a_press_is_refused_before_the_first_byte(seats: Seats, sync: bool) -> None:
    thread, widget = await seats.seats()
    said = (await seats.kept(thread))[-1]["id"]
    pick: Json = {"seat": "1A"}
    refused = [
        (action(thread, widget, "seat.pick", {"seat": "9Z"}, sync=sync), "action_not_offered"),
        (action(thread, widget, "seat.fly", pick, sync=sync), "action_not_offered"),
        (action(thread, None, "seat.pick", pick, sync=sync), "action_not_offered"),
        (action(thread, widget, "seat.unknown", pick, sync=sync), "unknown_action"),
        (action(thread, widget, "seat.pick", {"row": 1}, sync=sync), "invalid_payload"),
        (action(thread, said, "seat.pick", pick, sync=sync), "not_a_widget"),
        (action(thread, "msg_0", "seat.pick", pick, sync=sync), "message_not_found"),
        (action("conv_0", widget, "seat.pick", pick, sync=sync), "conversation_not_found"),
    ]
    for asked, code in refused:
        answer = await seats.client.post("/chatkit", json=asked)
        assert (answer.json()["code"], answer.is_error) == (code, True)
    asked = action(thread, widget, "seat.pick", pick, sync=sync)
    assert (await seats.other.post("/chatkit", json=asked)).json()["code"] == "forbidden"


async def test_the_example_shows_seats_and_a_click_picks_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    settings = settings_for("memory:", agent={"entry": "seats:assistant"})
    async with served(settings) as service:
        ada = Seats(service.as_user("ada"), service.as_user("bob"))
        thread, told = await say(ada.client, create("please show_seats LH1"))
        assert [f["text"] for f in told if f.get("icon") == "search"] == ["Looking at LH1"]
        shown = next(i for i in await ada.kept(thread) if "seat.pick" in str(i))
        pick = shown["widget"]["children"][1]["onClickAction"]["payload"]
        told = frames((await ada.presses(thread, shown["id"], "seat.pick", pick)).text)
        assert {"type": "client_effect", "name": "seat_picked", "data": {"seat": "1A"}} in told
        now = next(i for i in await ada.kept(thread) if i["id"] == shown["id"])
        assert now["widget"]["children"][0]["value"] == "LH1: 1A"


# --- where nobody has asked


@pytest.mark.parametrize("given", ["agent", "server"])
async def test_a_webhook_shows_something_in_somebodys_conversation(given: str) -> None:
    answering: dict[str, Any] = {"agent": assistant} if given == "agent" else {"server": Webhooked}
    bridge = Bridge(
        **answering,
        authenticator=lambda request: request.headers["x-user"],
        settings={
            "CHATBRIDGE_SECRET": SECRET,
            "CHATBRIDGE_DATABASE__URL": "memory:",
            "CHATBRIDGE_SERVER__LOOP": "shared",
        },
    )
    ada = {"x-user": "ada", "Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(bridge.app)
    async with (
        bridge.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://here", headers=ada) as client,
    ):
        thread, _ = await say(client, create("please show_seats"))
        async with bridge.acting_for("ada", thread) as found:
            await (delayed(found) if given == "agent" else found.delayed(thread))
        with pytest.raises(NotFoundError):
            await mistaken(bridge, thread)
        for user, where, why in (("bob", thread, Forbidden), ("ada", "conv\0", NotFound)):
            with pytest.raises(why):
                await bridge.acting_for(user, where).__aenter__()
        kept = (await client.post("/chatkit", json=items(thread))).json()["data"]
        assert [text_of(i) for i in kept if "Delayed" in str(i)] == ["Delayed by an hour."]


async def mistaken(bridge: Bridge, thread: str) -> None:
    async with bridge.acting_for("ada", thread) as found:
        await (delayed(found) if isinstance(found, Chat) else found.delayed(thread))
        await found.store.load_item(thread, "msg_0", {})


async def delayed(chat: Chat) -> None:
    await chat.say("Delayed by an hour.")
    await chat.note("The flight is late.")


class Webhooked(servers.Base):
    async def respond(self, thread: Any, item: Any, context: Any) -> AsyncIterator[Any]:
        yield self.said(thread, "Hello.", context)

    async def delayed(self, thread_id: str) -> None:
        thread = await self.store.load_thread(thread_id, {})
        item = self.said(thread, "Delayed by an hour.", {}).item
        await self.store.add_thread_item(thread_id, item, {})
