"""Clicks on what is shown: on two replicas, at once, while its answer runs and while it waits."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chatbridge import Bridge
from chatbridge.agents import Entry
from chatbridge.domain.model.errors import Busy
from tests.chatkit_client import Json, add, create, items, say, text_of
from tests.hosts.assistants import card
from tests.hosts.bridged import frames_in
from tests.hosts.clicked import GATE, Gate, running
from tests.hosts.scripts import action
from tests.integration.http.waiting_stage import buttons
from tests.round_trips import at_once
from tests.serving import SECRET, Served, served, settings_for
from tests.waiting import PATIENCE

SERVER: Json = {"server": {"entry": "tests.hosts.servers:Seats", "actions": "offered"}}
AGENT: Json = {"agent": {"entry": "tests.hosts.assistants:assistant"}}
DIFFERENT = {
    "server": [("seat.pick", {"seat": "1A"}), ("seat.pick", {"seat": "1B"})],
    "agent": [("seat.pick", {"seat": "1A"}), ("seat.silent", {"seat": "1A"})],
}


@dataclass
class Replicas:
    """Two on one Postgres, and somebody's clients of both."""

    kind: str
    services: tuple[Served, ...]
    user: str = ""

    @property
    def clients(self) -> tuple[httpx.AsyncClient, ...]:
        return tuple(service.as_user(self.user) for service in self.services)


def replica(url: str, **given: Any) -> AbstractAsyncContextManager[Served]:
    """One more of them, whose model takes no time."""
    return served(settings_for(url, **given), at_once)


@pytest.fixture(scope="module", params=[SERVER, AGENT], ids=["server", "agent"])
async def both(request: pytest.FixtureRequest, postgres_url: str) -> AsyncGenerator[Replicas]:
    given = request.param
    async with replica(postgres_url, **given) as here, replica(postgres_url, **given) as elsewhere:
        yield Replicas(next(iter(given)), (here, elsewhere))


@pytest.fixture
def replicas(both: Replicas) -> Replicas:
    return Replicas(both.kind, both.services, f"user-{uuid4().hex[:12]}")


async def kept(client: httpx.AsyncClient, thread: str) -> list[Json]:
    return (await client.post("/chatkit", json=items(thread))).json()["data"]


def seats_of(shown: list[Json]) -> Json:
    return next(item for item in shown if item.get("copy_text") in ("seats", "the seats"))


async def shown_by(client: httpx.AsyncClient, gate: Gate) -> tuple[str, str]:
    """The one thread, in which a turn runs, and the widget that it has shown."""
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()
        while True:
            listed = await client.post("/chatkit", json={"type": "threads.list", "params": {}})
            (thread,) = [each["id"] for each in listed.json()["data"]]
            for item in await kept(client, thread):
                if item.get("copy_text") == "the seats":
                    return thread, item["id"]
            await asyncio.sleep(0.02)


async def seats(client: httpx.AsyncClient) -> tuple[str, str]:
    """A thread, and the widget in it."""
    thread, _ = await say(client, create("please show_seats"))
    return thread, seats_of(await kept(client, thread))["id"]


async def press(client: httpx.AsyncClient, request: Json, **headers: str) -> httpx.Response:
    return await client.post("/chatkit", json=request, headers=headers)


async def test_of_two_different_clicks_at_once_one_is_done(replicas: Replicas) -> None:
    clients = replicas.clients
    for _ in range(2):
        thread, widget = await seats(clients[0])
        clicks = [action(thread, widget, *click) for click in DIFFERENT[replicas.kind]]
        answers = await asyncio.gather(*map(press, clients, clicks))
        (done,) = [answer for answer in answers if answer.status_code == 200]
        (refused,) = [answer for answer in answers if answer is not done]
        assert refused.status_code == 409
        assert refused.json()["code"] in ("action_not_offered", "turn_running")
        replaced = [f for f in frames_in(done.text) if f["type"] == "thread.item.replaced"]
        (now,) = [item for item in await kept(clients[1], thread) if item["id"] == widget]
        assert replaced[-1]["item"] == now


async def test_two_requests_of_one_key_at_once_are_one_click(replicas: Replicas) -> None:
    clients = replicas.clients
    thread, widget = await seats(clients[0])
    click = action(thread, widget, *DIFFERENT[replicas.kind][0])
    key = {"Idempotency-Key": f"pick-{thread}"}
    answers = await asyncio.gather(*(press(client, click, **key) for client in clients))
    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (frames_in(answer.text) for answer in answers)
    assert first[-1] == second[-1]
    said = [item["id"] for item in await kept(clients[1], thread)]
    told = [f["item"]["id"] for f in first if f["type"] == "thread.item.done"]
    assert [said.count(id) for id in told] == [1] * len(told)
    assert said[-1] == told[-1]


async def test_a_clicks_turn_is_taken_up_after_any_frame_elsewhere(replicas: Replicas) -> None:
    here, elsewhere = replicas.clients
    thread, widget = await seats(here)
    click = action(thread, widget, *DIFFERENT[replicas.kind][0])
    answer = await press(here, click, **{"X-Chatbridge-Stream": "resumable"})
    whole = answer.text.replace(": keep-alive\n\n", "")
    ids = [f.partition("\n")[0] for f in whole.split("\n\n") if f.startswith("id: ")]
    assert len(ids) > 3
    for id in ids:
        after = {"after": id.removeprefix("id: ")}
        events = await elsewhere.get(f"/chatkit/threads/{thread}/events", params=after)
        rest = whole.partition(f"{id}\n")[2].partition("\n\n")[2]
        assert events.text.replace(": keep-alive\n\n", "") == rest


# --- while the answer runs


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Shut, for a turn that shows and goes on."""
    GATE.open.clear()
    GATE.reached.clear()
    yield GATE
    GATE.open.set()


async def test_what_a_running_answer_has_shown_is_changed_where_it_runs(
    gate: Gate, postgres_url: str
) -> None:
    user = f"user-{uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        bridges: list[tuple[Bridge, httpx.AsyncClient]] = []
        for _ in range(2):
            bridge = Bridge(
                agent=running,
                authenticator=lambda request: request.headers["x-user"],
                settings={"CHATBRIDGE_SECRET": SECRET, "CHATBRIDGE_DATABASE__URL": postgres_url},
            )
            await stack.enter_async_context(bridge.lifespan())
            headers = {"x-user": user, "Sec-Fetch-Site": "same-origin"}
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(bridge.app), base_url="http://here", headers=headers
            )
            bridges.append((bridge, await stack.enter_async_context(client)))
        (here, ours), (elsewhere, theirs) = bridges
        answering = asyncio.create_task(say(ours, create("go")))
        thread, widget = await shown_by(theirs, gate)
        click = action(thread, widget, "seat.silent", {"seat": "1A"}, sync=True)
        refused = await press(theirs, click)
        assert (refused.status_code, refused.json()["code"]) == (409, "turn_running")
        done = await press(ours, click)
        assert done.json()["updated_item"] == seats_of(await kept(theirs, thread))
        with pytest.raises(Busy):
            await _taken(elsewhere, user, thread, widget)
        await _taken(here, user, thread, widget)
        assert "a webhook" in str(seats_of(await kept(theirs, thread))["widget"])
        gate.open.set()
        _, told = await answering
        assert [f for f in told if f["type"] == "thread.item.replaced" and "a webhook" in str(f)]
        shown = await kept(theirs, thread)
        assert "a webhook" in str(seats_of(shown)["widget"])
        assert [i for i in shown if "Told beside it." in str(i)]


async def _taken(bridge: Bridge, user: str, thread: str, widget: str) -> None:
    async with bridge.acting_for(user, thread) as chat:
        await chat.say("Told beside it.")
        await Entry(await chat.widget(widget), chat).replace(card("a webhook"))


# --- while it waits


async def test_what_a_waiting_answer_has_shown_is_changed_and_it_waits_on(store_url: str) -> None:
    agent = {"entry": "tests.hosts.clicked:resting"}
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(replica(store_url, agent=agent))
        elsewhere = here
        if store_url != "memory:":
            elsewhere = await stack.enter_async_context(replica(store_url, agent=agent))
        user = f"user-{uuid4().hex[:12]}"
        ours, theirs = here.as_user(user), elsewhere.as_user(user)
        thread, _ = await say(ours, create("go"))
        *_, widget, asked = await kept(ours, thread)
        click = action(thread, widget["id"], "seat.silent", {"seat": "1A"}, sync=True)
        now = (await press(theirs, click)).json()["updated_item"]
        again = await press(ours, click)
        assert (again.status_code, again.json()["code"]) == (409, "action_not_offered")
        # a turn's click that is not offered withdraws nothing
        unoffered = await press(ours, action(thread, widget["id"], "seat.fly", {"seat": "1A"}))
        assert (unoffered.status_code, unoffered.json()["code"]) == (409, "action_not_offered")
        assert await kept(ours, thread) == [*(await kept(theirs, thread))[:-2], now, asked]
        approve = buttons(asked)[0]
        pressed: Any = {"item_id": asked["id"], "action": approve, "thread_id": thread}
        _, told = await say(theirs, {"type": "threads.custom_action", "params": pressed})
        assert told[-1]["item"]["content"][0]["text"] == "Paid."
        assert now in await kept(ours, thread)
        # a turn's click that is offered goes on with something else
        await say(ours, add(thread, "go"))
        *_, widget, asked = await kept(ours, thread)
        silent = action(thread, widget["id"], "seat.silent", {"seat": "1A"})
        assert (await press(theirs, silent)).status_code == 200
        assert "Not run" in str((await kept(ours, thread))[-2:])
        pressed = {"item_id": asked["id"], "action": buttons(asked)[0], "thread_id": thread}
        late = await press(ours, {"type": "threads.custom_action", "params": pressed})
        assert (late.status_code, late.json()["code"]) == (409, "not_waiting")
        _, told = await say(ours, add(thread, "well?"))
        assert text_of(told[-1]["item"]) == "Paid."
