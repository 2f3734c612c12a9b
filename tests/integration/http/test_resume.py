"""Streams that are taken up again, on whichever server, and requests that are sent twice."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from itertools import groupby
from typing import Any

import httpx
import pytest

from chatbridge.container import Container
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.turn_event import Revised, Titled
from chatbridge.entrypoints import showing
from tests.chatkit_client import Json, add, create, items, retry
from tests.integration.http.asking import NO_TURN, require_refused
from tests.integration.http.person import PATIENCE, Person, until_shown
from tests.scripted_agent import ScriptedAgent
from tests.serving import Served, served, settings_for
from tests.waiting import until

RESUMABLE = {"X-Chatbridge-Stream": "resumable"}
Frame = tuple[str | None, str]


@pytest.fixture
async def replicas(
    store_url: str, agent: ScriptedAgent, scripted: Served
) -> AsyncGenerator[list[Served]]:
    """Two servers of one store, both with the scripted agent."""

    def beside(container: Container) -> None:
        container.agent.override(agent)
        if store_url == "memory:":
            container.store.override(scripted.container.store())

    async with served(settings_for(store_url), beside) as other:
        yield [scripted, other]


def frames_of(text: str) -> list[Frame]:
    """The frames of a stream with their ids; comments left out."""
    parts = [part for part in text.split("\n\n") if part and not part.startswith(":")]
    split = [part.partition("data: ") for part in parts]
    return [(head.removeprefix("id: ").strip() or None, data) for head, _, data in split]


def told(frames: list[Frame]) -> list[Frame]:
    """Those that the turn itself gave."""
    return [frame for frame in frames if frame[0]]


def kinds_of(frames: list[Frame]) -> list[str]:
    """What kinds of frames there are; two turns may cut the same words differently."""
    return [kind for kind, _ in groupby(json.loads(data)["type"] for _, data in frames)]


def on(replica: Served, person: Person) -> httpx.AsyncClient:
    return replica.as_user(person.name)


async def follow(client: httpx.AsyncClient, thread: str, after: str | None = None) -> list[Frame]:
    headers = {"Last-Event-ID": after} if after else {}
    answer = await client.get(f"/chatkit/threads/{thread}/events", headers=headers)
    assert answer.status_code == 200, answer.text
    return frames_of(answer.text)


async def answered(client: httpx.AsyncClient, request: Json, **headers: str) -> httpx.Response:
    answer = await client.post("/chatkit", json=request, headers=RESUMABLE | headers)
    assert answer.status_code == 200, answer.text
    return answer


# --- frames


@pytest.mark.parametrize("text", ["hello", "rehearse a failing tool", "rehearse a failing model"])
async def test_a_resumable_stream_says_what_a_plain_one_says(person: Person, text: str) -> None:
    plain = await person.http.post("/chatkit", json=create(text))
    assert "id: " not in plain.text
    resumable = frames_of((await answered(person.http, create(text))).text)
    assert kinds_of(resumable) == kinds_of(frames_of(plain.text))
    assert [id for id, _ in resumable[:3]] == [None, None, None]
    numbers = [int((id or "").partition("/")[2]) for id, _ in told(resumable)]
    assert numbers == [*range(1, len(resumable) - 2)]


async def test_a_stream_can_be_taken_up_after_every_frame(person: Person) -> None:
    answer = await answered(person.http, create("add a task: tea"))
    thread, turn = answer.headers["x-conversation-id"], answer.headers["x-turn-id"]
    whole = told(frames_of(answer.text))
    assert await follow(person.http, thread, f"{turn}/0") == whole
    for number, (id, _) in enumerate(whole, 1):
        assert id == f"{turn}/{number}"
        assert await follow(person.http, thread, id) == whole[number:]


async def test_after_goes_behind_last_event_id(person: Person) -> None:
    answer = await answered(person.http, create("hello"))
    path = f"/chatkit/threads/{answer.headers['x-conversation-id']}/events"
    whole = told(frames_of(answer.text))
    first, second = whole[0][0] or "", whole[1][0] or ""
    assert frames_of((await person.http.get(path, params={"after": first})).text) == whole[1:]
    both = await person.http.get(path, params={"after": first}, headers={"Last-Event-ID": second})
    assert frames_of(both.text) == whole[2:]
    assert both.headers["x-turn-id"] == answer.headers["x-turn-id"]
    assert both.headers["link"] == '<cancel>; rel="stop"'


async def test_every_server_tells_the_same_frames(
    replicas: list[Served], agent: ScriptedAgent
) -> None:
    person = Person(replicas[0])
    asked = asyncio.create_task(answered(person.http, create("hello")))
    run = await agent.next_run(person.name)
    run.say("Half")
    thread = run.request.on_behalf.conversation_id
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as watching:
        path = f"/chatkit/threads/{thread}/events"
        streams = [
            await watching.enter_async_context(on(replica, person).stream("GET", path))
            for replica in replicas
        ]
        run.finish(" and whole")
        whole = told(frames_of((await asked).text))
        for stream in streams:
            assert frames_of((await stream.aread()).decode()) == whole
    for replica in replicas:
        assert await follow(on(replica, person), thread, whole[2][0]) == whole[3:]


async def test_nothing_is_under_way_after_the_end(replicas: list[Served]) -> None:
    person = Person(replicas[0])
    person.http.headers.update(RESUMABLE)
    agent = replicas[0].container.agent()
    assert isinstance(agent, ScriptedAgent)
    asked = asyncio.create_task(answered(person.http, create("hello")))
    (await agent.next_run(person.name)).finish("Hi")
    thread = (await asked).headers["x-conversation-id"]
    for replica in replicas:
        answer = await on(replica, person).get(f"/chatkit/threads/{thread}/events")
        assert (answer.status_code, answer.content) == (204, b"")


async def test_a_silent_stream_says_that_it_is_alive(
    scripted: Served, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "SILENCE", 0.05)
    person = Person(scripted)
    for headers, expected in ((RESUMABLE, True), ({}, False)):
        stream = person.http.stream("POST", "/chatkit", json=create("hello"), headers=headers)
        async with asyncio.timeout(PATIENCE), stream as response:
            run = await agent.next_run(person.name)
            asyncio.get_running_loop().call_later(0.5, run.finish, "Hi")
            text = (await response.aread()).decode()
        assert (": keep-alive\n\n" in text) == expected


@pytest.mark.parametrize(
    ("cursor", "status", "code"),
    [
        ("nonsense", 422, "invalid_cursor"),
        ("turn_1/-1", 422, "invalid_cursor"),
        (f"{NO_TURN}/1", 404, "turn_not_found"),
        ("x" * 151, 422, "invalid_request"),
    ],
)
async def test_a_cursor_that_leads_nowhere_is_refused(
    person: Person, cursor: str, status: int, code: str
) -> None:
    thread, _ = await person.say("hello")
    path = f"/chatkit/threads/{thread}/events"
    require_refused(await person.http.get(path, params={"after": cursor}), status, code)


async def test_a_turn_is_watched_in_its_own_thread_and_by_its_owner(service: Served) -> None:
    alice, bob = Person(service), Person(service)
    answer = await answered(alice.http, create("hello"))
    turn = answer.headers["x-turn-id"]
    other, _ = await alice.say("hello")
    bobs, _ = await bob.say("hello")
    elsewhere = await alice.http.get(f"/chatkit/threads/{other}/events?after={turn}/1")
    require_refused(elsewhere, 404, "turn_not_found")
    stolen = await bob.http.get(f"/chatkit/threads/{bobs}/events?after={turn}/1")
    require_refused(stolen, 403, "forbidden")
    stolen = await bob.http.get(f"/api/{bob.name}/turns/{turn}/events")
    require_refused(stolen, 403, "forbidden")


async def test_a_turns_events_over_rest_are_taken_up_after_a_number(person: Person) -> None:
    sse = {"Accept": "text/event-stream"}
    path = f"/api/{person.name}/chat"
    answer = await person.http.post(path, json={"message": "hello"}, headers=sse)
    events = f"/api/{person.name}/turns/{answer.headers['x-turn-id']}/events"
    assert (await person.http.get(events)).text == answer.text
    parts = answer.text.split("\n\n")
    for number in range(1, len(parts) - 1):
        rest = await person.http.get(events, headers={"Last-Event-ID": str(number)})
        assert rest.text == "\n\n".join(parts[number + 1 :])
        assert (await person.http.get(f"{events}?after={number}")).text == rest.text
    for wrong in ("-1", "x", "99999999999"):
        require_refused(await person.http.get(f"{events}?after={wrong}"), 422, "invalid_request")


# --- the same request twice


async def test_a_request_that_is_sent_twice_is_one_turn(person: Person) -> None:
    first = await answered(person.http, create("hello"), **{"Idempotency-Key": "k-1"})
    again = await answered(person.http, create("hello"), **{"Idempotency-Key": "k-1"})
    assert again.text == first.text
    for name in ("x-turn-id", "x-conversation-id"):
        assert again.headers[name] == first.headers[name]
    thread = first.headers["x-conversation-id"]
    asked, _ = await person.messages(thread)
    for request in (add(thread, "more"), retry(thread, asked["id"])):
        twice = [
            await answered(person.http, request, **{"Idempotency-Key": f"k-{request['type']}"})
            for _ in range(2)
        ]
        assert twice[0].text == twice[1].text


async def test_ten_at_once_on_two_servers_are_one_turn(
    replicas: list[Served], agent: ScriptedAgent
) -> None:
    person = Person(replicas[0])
    key = {"Idempotency-Key": "k-1"}
    clients = [on(replicas[n % 2], person) for n in range(10)]
    asked = [asyncio.create_task(answered(c, create("hello"), **key)) for c in clients]
    (await agent.next_run(person.name)).finish("Once")
    answers = await asyncio.gather(*asked)
    assert len({a.text for a in answers}) == 1
    listed = (await person.http.get(f"/api/{person.name}/conversations")).json()["items"]
    assert [c["id"] for c in listed] == [answers[0].headers["x-conversation-id"]]
    assert len(await person.messages(listed[0]["id"])) == 2


async def test_a_key_is_good_for_one_request_only(person: Person) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await answered(person.http, create("hello"), **key)
    for other in (create("something else"), add(first.headers["x-conversation-id"], "hello")):
        refused = await person.http.post("/chatkit", json=other, headers=key)
        require_refused(refused, 422, "idempotency_key_reused")
    await answered(Person(person.service).http, create("hello"), **key)


async def test_a_request_over_rest_that_is_sent_twice_is_one_turn(person: Person) -> None:
    path, key = f"/api/{person.name}/chat", {"Idempotency-Key": "k-1"}
    first = await person.http.post(path, json={"message": "hello"}, headers=key)
    again = await person.http.post(path, json={"message": "hello"}, headers=key)
    assert again.json() == first.json()
    stream = {**key, "Accept": "text/event-stream"}
    events = await person.http.post(path, json={"message": "hello"}, headers=stream)
    assert events.headers["x-turn-id"] == first.json()["turn_id"]
    refused = await person.http.post(path, json={"message": "other"}, headers=key)
    require_refused(refused, 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "header",
    [
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "a b"},
        {"Idempotency-Key": "k" * 256},
        {"X-Chatbridge-On-Busy": "wait"},
        {"X-Chatbridge-Stream": "x"},
    ],
)
async def test_a_header_that_says_nothing_known_is_refused(
    person: Person, header: dict[str, str]
) -> None:
    refused = await person.http.post("/chatkit", json=create("hello"), headers=header)
    problem = require_refused(refused, 422, "invalid_request")
    assert next(iter(header)) in problem["detail"]


# --- while an answer is under way


async def test_a_new_message_interrupts_where_the_request_says_so(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    async with person.watching(create("one")) as (thread, seen):
        run = await agent.next_run(person.name)
        run.say("Half")
        await until_shown(seen, "Half")
        refused = await person.http.post("/chatkit", json=add(thread, "no"))
        require_refused(refused, 409, "turn_running")
        headers = {"X-Chatbridge-On-Busy": "interrupt"}
        second = asyncio.create_task(answered(person.http, add(thread, "no"), **headers))
        (await agent.next_run(person.name)).finish("Whole")
        await second
        rest = [event async for event in seen]
    assert rest[-1]["type"] == "thread.item.done"
    kept = [(m["kind"], m["content"]) for m in await person.messages(thread)]
    assert kept == [("text", "one"), ("partial", "Half"), ("text", "no"), ("text", "Whole")]


async def test_a_reload_shows_what_is_being_said_on_every_server(
    replicas: list[Served], agent: ScriptedAgent
) -> None:
    person = Person(replicas[0])
    async with person.watching(create("one")) as (thread, seen):
        run = await agent.next_run(person.name)
        run.start_call()
        run.say("Half")
        await until_shown(seen, "Half")
        for replica in replicas:
            client = on(replica, person)
            shown = await shown_by(client, thread)
            assert [item["type"] for item in shown] == [
                "user_message",
                "widget",
                "assistant_message",
            ]
            assert shown[-1]["content"][0]["text"] == "Half"
            last = (await client.post("/chatkit", json=items(thread, order="desc", limit=1))).json()
            assert last["data"] == shown[-1:]
        run.finish(" and whole")
        _ = [event async for event in seen]


async def shown_by(client: httpx.AsyncClient, thread: str) -> list[Any]:
    request = {"type": "threads.get_by_id", "params": {"thread_id": thread}}
    return (await client.post("/chatkit", json=request)).json()["items"]["data"]


async def test_a_server_that_is_to_stop_says_so(store_url: str) -> None:
    async with served(settings_for(store_url)) as service:
        person = Person(service)
        assert (await person.http.get("/readyz")).status_code == 200
        await service.container.turns().stop()
        require_refused(await person.http.get("/readyz"), 503, "stopping")
        assert (await person.http.get("/healthz")).status_code == 200
        refused = await person.http.post("/chatkit", json=create("hello"))
        require_refused(refused, 503, "stopping")


# --- what is changed beside a turn


async def test_a_change_of_the_conversation_is_told_wherever_its_turn_is_watched(
    replicas: list[Served], agent: ScriptedAgent
) -> None:
    person = Person(replicas[0])
    asked = asyncio.create_task(answered(person.http, create("hello")))
    run = await agent.next_run(person.name)
    run.tell(Revised(title="The agent's"))
    run.say("Half")
    thread, turn = run.request.turn.conversation.id, run.request.turn.id
    about = f"/api/{person.name}/conversations/{thread}"
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as watching:
        watched = [f"/chatkit/threads/{thread}/events", f"/api/{person.name}/turns/{turn}/events"]
        streams = [
            await watching.enter_async_context(on(replica, person).stream("GET", path))
            for path in watched
            for replica in replicas
        ]
        # where the turn runs, and where it does not
        locked = {"status": "locked", "status_reason": "Audit"}
        for replica, change in zip(replicas, ({"title": "Tea"}, locked), strict=True):
            changed = await on(replica, person).patch(about, json=change)
            assert changed.status_code == 200, changed.text
        here = await replicas[0].container.turns().running_in(UserId(person.name), thread)
        assert here
        await until(lambda: here.shown.revised.status == "locked")
        run.tell(Titled(title="The model's"))
        run.finish(" and whole")
        texts = [(await asked).text, *[(await stream.aread()).decode() for stream in streams]]
        every = [[json.loads(data) for _, data in frames_of(text)] for text in texts]
        for told in every[:3]:
            thread = [e["thread"] for e in told if e["type"] == "thread.updated"][-1]
            assert thread["title"] == "Tea"
            assert thread["status"] == {"type": "locked", "reason": "Audit"}
        for told in every[3:]:
            # both by one event, or one after the other
            revised = [e for e in told if e["type"] == "revised" and "id" in e]
            both = {name: value for event in revised for name, value in event.items()}
            assert {**both, "title": "Tea", **locked} == both
            assert "The model's" not in [e.get("title") for e in told]
    for replica in replicas:
        kept = (await on(replica, person).get(about)).json()
        assert {**kept, "title": "Tea", **locked} == kept
