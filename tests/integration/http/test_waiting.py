"""A turn that waits for a person: what is asked, answered and withdrawn, on both surfaces."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from chatbridge.domain.model.tool import Away, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider
from tests.chatkit_client import Json, add, create, frames, items, retry, say, without_times
from tests.integration.http.asking import require_refused
from tests.integration.scripted_endpoint import (
    DONE,
    ScriptedEndpoint,
    chunk,
    completions,
    function_call,
    message,
    responses,
)
from tests.serving import Served, served, settings_for

SCHEMA: Json = {"type": "object", "properties": {}}
WITHDRAWN = "The person went on with something else instead of an answer, so it was not run."


class CountingTools(ToolProvider):
    """`pay`, which asks, and `look`, and how each was called, for whom and under which id."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, Any]] = []

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        return (
            Tool(name="pay", description="pay", parameters=SCHEMA, asks="approval"),
            Tool(name="look", description="look", parameters=SCHEMA),
        )

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        return ()

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        await asyncio.sleep(0.05)
        self.calls.append((request.name, on_behalf.user_id, request.call_id, request.arguments))
        return ToolResult(output=f"{request.name} has worked")

    async def close(self) -> None:
        """Nothing is open."""

    def of(self, user: str) -> list[tuple[str, Any]]:
        return [(name, arguments) for name, owner, _, arguments in self.calls if owner == user]


class Api:
    """The same model's steps by either API."""

    def __init__(self, name: str) -> None:
        self.name = name

    def text(self, text: str) -> list[bytes]:
        return responses(message(text)) if self.name == "responses" else completions(text)

    def calls(self, *asked: tuple[str, Json]) -> list[bytes]:
        if self.name == "responses":
            made = [
                function_call(name, json.dumps(arguments), f"theirs_{n}")
                for n, (name, arguments) in enumerate(asked)
            ]
            return responses(*made)
        told = [
            {
                "index": n,
                "id": f"theirs_{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
                "extra_content": {"google": {"thought_signature": f"signed_{n}"}},
            }
            for n, (name, arguments) in enumerate(asked)
        ]
        thought = {"reasoning_content": "Hm."}
        delta = {"role": "assistant", **thought, "tool_calls": told}
        return [chunk(delta), chunk(finish="tool_calls"), DONE]

    def read(self, request: Json) -> list[tuple[str, Any]]:
        """What the model was given, as (role or kind, what) in order."""
        if self.name == "responses":
            return [
                (
                    i["role"],
                    i["content"] if isinstance(i["content"], str) else i["content"][0]["text"],
                )
                if "role" in i
                else (i["type"], i.get("output") or i.get("name"))
                for i in request["input"]
            ]
        read: list[tuple[str, Any]] = []
        for m in request["messages"]:
            if m["role"] == "system":
                continue
            if calls := m.get("tool_calls"):
                read += [("function_call", c["function"]["name"]) for c in calls]
            elif m["role"] == "tool":
                read.append(("function_call_output", m["content"]))
            else:
                read.append((m["role"], m["content"]))
        return read

    def require_pairs(self, request: Json) -> None:
        """Every call has its output behind it, and nothing is an orphan."""
        open_calls: set[str] = set()
        for entry in request["input"] if self.name == "responses" else request["messages"]:
            if id := entry.get("tool_call_id"):
                open_calls.remove(id)
            elif entry.get("type") == "function_call_output":
                open_calls.remove(entry["call_id"])
            elif entry.get("type") == "function_call":
                open_calls.add(entry["call_id"])
            else:
                assert not open_calls, "something stands between a call and its output"
                made: list[Json] = entry.get("tool_calls") or []
                open_calls |= {c["id"] for c in made}
        assert not open_calls


def entry_of(item: Json) -> tuple[str, Any]:
    if "role" not in item:
        return item["type"], item.get("output") or item.get("name")
    said = item["content"]
    return item["role"], said if isinstance(said, str) else said[0]["text"]


class Stage:
    """chatbridge over a store, with a model that says what the test says."""

    def __init__(self, here: Served, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api):
        self.here, self.endpoint, self.tools, self.api = here, endpoint, tools, api
        self.user = f"user-{uuid4().hex[:12]}"
        self.client = here.as_user(self.user)
        endpoint.requests.clear()
        endpoint.answers.clear()

    def model(self, *asked: tuple[str, Json], then: str = "Done.") -> None:
        self.endpoint.answer(*self.api.calls(*asked)).answer(*self.api.text(then))

    async def ask(self, text: str = "pay five") -> tuple[str, list[Json]]:
        thread, told = await say(self.client, create(text))
        return thread, screen(told)

    async def press(self, thread: str, item: Json, action: Json) -> list[Json]:
        _, told = await say(self.client, act(thread, item["id"], action))
        return told

    async def answer(self, thread: str, call: str, **body: Any) -> httpx.Response:
        where = f"/api/{self.user}/conversations/{thread}/answers"
        return await self.client.post(where, json={"call_id": call, **body})

    async def reload(self, thread: str) -> list[Json]:
        answer = await self.client.post("/chatkit", json=items(thread))
        assert answer.status_code == 200, answer.text
        return [without_times(item) for item in answer.json()["data"]]

    async def kept(self, thread: str) -> list[Json]:
        where = f"/api/{self.user}/conversations/{thread}/messages"
        return (await self.client.get(where, params={"limit": 100})).json()["items"]

    async def cancel(self, thread: str) -> bool:
        where = f"/api/{self.user}/conversations/{thread}/cancel"
        return (await self.client.post(where)).json()["cancelled"]


@asynccontextmanager
async def stage(
    store_url: str, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api, **turns: Any
) -> AsyncGenerator[Served]:
    agent = {"model": "m", "base_url": endpoint.url, "api_key": "k", "api": api.name}
    settings = settings_for(store_url, agent=agent, turns=turns)

    async with served(settings, lambda c: cast(Any, c).tools.override(tools)) as here:
        yield here


@pytest.fixture(scope="module")
def api(store_url: str) -> Api:
    """No store knows of the model's API: each of the two is tried with one of them."""
    return Api("responses" if store_url == "memory:" else "chat_completions")


@pytest.fixture(scope="module")
async def endpoint() -> AsyncGenerator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as running:
        yield running


@pytest.fixture(scope="module")
def tools() -> CountingTools:
    return CountingTools()


@pytest.fixture(scope="module")
async def open_stage(
    store_url: str, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api
) -> AsyncGenerator[Served]:
    async with stage(store_url, endpoint, tools, api) as here:
        yield here


@pytest.fixture
def on(open_stage: Served, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api) -> Stage:
    return Stage(open_stage, endpoint, tools, api)


def buttons(item: Any) -> list[Json]:
    """The actions of an item's buttons, in order."""
    match item:
        case {"onClickAction": action} | {"onSubmitAction": action}:
            inner = [action]
        case _:
            inner = []
    parts: Any = [*cast(Json, item).values()] if isinstance(item, dict) else item
    listed = cast(list[Any], parts) if isinstance(parts, list) else []
    # a form's after those in it
    return [*(action for part in listed for action in buttons(part)), *inner]


def screen(told: Sequence[Json], before: Sequence[Json] = ()) -> list[Json]:
    """What a client shows after these events, a widget's component put where its id is."""
    shown = {item["id"]: item for item in before}
    for event in told:
        match event:
            case {"type": "thread.item.added" | "thread.item.done" | "thread.item.replaced"}:
                shown[event["item"]["id"]] = without_times(event["item"])
            case {"update": {"type": "widget.root.updated", "widget": widget}, "item_id": id}:
                shown[id] = {**shown[id], "widget": widget}
            case {"update": {"type": "widget.component.updated"} as update, "item_id": id}:
                shown[id] = {**shown[id], "widget": put(shown[id]["widget"], update)}
            case {"type": "thread.item.removed", "item_id": id}:
                del shown[id]
            case _:
                pass
    return [*shown.values()]


def put(node: Any, update: Json) -> Any:
    match node:
        case {"id": id} if id == update["component_id"]:
            return update["component"]
        case dict():
            return {k: put(value, update) for k, value in cast(Json, node).items()}
        case list():
            return [put(each, update) for each in cast(list[Any], node)]
        case _:
            return node


def act(thread: str, item_id: str, action: Json) -> Json:
    params = {"thread_id": thread, "item_id": item_id, "action": action}
    return {"type": "threads.custom_action", "params": params}


def call_of(item: Json) -> str:
    return buttons(item)[0]["payload"]["call_id"]


async def test_what_is_approved_is_run_once_and_the_answer_goes_on(on: Stage) -> None:
    on.model(("pay", {"sum": 5}), then="Paid.")
    thread, shown = await on.ask()
    assert on.tools.of(on.user) == []
    assert await on.reload(thread) == shown
    assert '"sum": 5' in json.dumps(shown[-1]).replace('\\"', '"')
    assert "Pay 5" in json.dumps(shown[-1])
    approve = buttons(shown[-1])[0]
    told = await on.press(thread, shown[-1], approve)
    shown = screen(told, shown)
    assert [i["type"] for i in shown] == ["user_message", "widget", "assistant_message"]
    assert on.tools.of(on.user) == [("pay", {"sum": 5})]
    assert await on.reload(thread) == shown
    assert buttons(shown[1]) == []
    kept = await on.kept(thread)
    assert [m["kind"] for m in kept] == ["text", "tools", "text"]
    (call,) = kept[1]["tool_calls"]
    assert (call["state"], call["asks"], call["id"]) == (
        "succeeded",
        "approval",
        approve["payload"]["call_id"],
    )
    for request in on.endpoint.requests:
        on.api.require_pairs(request)
    assert [entry for entry in on.api.read(on.endpoint.requests[1]) if entry[0] != "reasoning"] == [
        ("user", "pay five"),
        ("function_call", "pay"),
        ("function_call_output", "pay has worked"),
    ]
    # whoever presses again sees the same, and nothing is run
    again = await on.press(thread, shown[1], approve)
    assert screen(again, shown) == shown
    assert len(on.tools.of(on.user)) == 1
    assert len(on.endpoint.requests) == 2


async def test_what_a_provider_hung_on_the_asked_step_goes_back(on: Stage) -> None:
    thought: Json = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "encrypted_content": "sealed",
    }
    asked = function_call("pay", '{"sum": 5}', "theirs_7")
    by_responses = on.api.name == "responses"
    step = responses(thought, asked) if by_responses else on.api.calls(("pay", {"sum": 5}))
    hung = ["sealed", "theirs_7"] if by_responses else ['"reasoning_content": "Hm."', "signed_0"]
    for decision in ("approve", "reject"):
        on.endpoint.answer(*step).answer(*on.api.text("Well."))
        turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "pay"})).json()
        call_id = turn["messages"][0]["tool_calls"][0]["id"]
        done = await on.answer(turn["conversation_id"], call_id, decision=decision)
        assert done.json()["state"] == "completed", done.text
        sent = json.dumps(on.endpoint.requests[-1])
        assert [each for each in hung if each not in sent] == []
        told = await on.client.get(f"/api/{on.user}/turns/{turn['turn_id']}/events")
        assert [each for each in hung if each in told.text] == []


async def test_what_is_rejected_is_not_run_and_the_model_reads_why(on: Stage) -> None:
    on.model(("pay", {"sum": 5}), then="I won't.")
    turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "pay"})).json()
    assert turn["state"] == "waiting"
    listed = await on.client.get(f"/api/{on.user}/conversations", params={"waiting": True})
    assert [each["id"] for each in listed.json()["items"]] == [turn["conversation_id"]]
    (call,) = turn["messages"][0]["tool_calls"]
    assert (call["state"], call["asks"]) == ("waiting", "approval")
    thread = turn["conversation_id"]
    body = {"decision": "reject", "reason": "too dear"}
    done = (await on.answer(thread, call["id"], **body)).json()
    again = (await on.answer(thread, call["id"], **body)).json()
    other = await on.answer(thread, call["id"], decision="approve")
    assert done == again
    assert done["state"] == "completed"
    assert done["messages"][0]["tool_calls"][0]["state"] == "rejected"
    require_refused(other, 409, "not_waiting")
    assert on.tools.of(on.user) == []
    assert on.api.read(on.endpoint.requests[1])[-1] == (
        "function_call_output",
        "The person rejected this call, so it was not run. They said: too dear",
    )
    on.api.require_pairs(on.endpoint.requests[1])
    assert len(on.endpoint.requests) == 2


async def test_of_several_calls_each_is_answered_and_the_last_answer_goes_on(on: Stage) -> None:
    on.model(("look", {}), ("pay", {"sum": 5}), ("pay", {"sum": 6}))
    thread, shown = await on.ask("look and pay twice")
    assert on.tools.of(on.user) == [("look", {})]
    assert await on.reload(thread) == shown
    card = shown[-1]
    first, _, _, reject_second = buttons(card)
    shown = screen(await on.press(thread, card, first), shown)
    assert on.tools.of(on.user) == [("look", {})], "the other one is still asked"
    assert len(buttons(shown[-1])) == 2
    assert await on.reload(thread) == shown
    assert screen(await on.press(thread, card, first), shown) == shown
    reject_second["payload"]["reason"] = " once is enough "
    shown = screen(await on.press(thread, card, reject_second), shown)
    assert await on.reload(thread) == shown
    assert on.tools.of(on.user) == [("look", {}), ("pay", {"sum": 5})]
    on.api.require_pairs(on.endpoint.requests[1])
    read = on.api.read(on.endpoint.requests[1])
    assert sorted(what for kind, what in read if kind == "function_call_output") == [
        "The person rejected this call, so it was not run. They said: once is enough",
        "look has worked",
        "pay has worked",
    ]


async def test_a_turn_may_wait_twice(on: Stage) -> None:
    on.endpoint.answer(*on.api.calls(("pay", {"sum": 1})))
    on.model(("pay", {"sum": 2}))
    thread, shown = await on.ask("pay, and pay again")
    for count in (1, 2):
        card = shown[-1]
        shown = screen(await on.press(thread, card, buttons(card)[0]), shown)
        assert await on.reload(thread) == shown
        assert len(on.tools.of(on.user)) == count
    assert shown[-1]["type"] == "assistant_message"
    on.api.require_pairs(on.endpoint.requests[-1])


GOES_ON: dict[str, Callable[[str, Json], Json]] = {
    "a message": lambda thread, _: add(thread, "no, wait"),
    "a retry": lambda thread, asked: retry(thread, asked["id"]),
}


@pytest.mark.parametrize("how", GOES_ON)
async def test_who_goes_on_with_something_else_withdraws_the_question(on: Stage, how: str) -> None:
    on.model(("pay", {"sum": 5}), then="As you like.")
    thread, shown = await on.ask()
    await say(on.client, GOES_ON[how](thread, shown[0]))
    late = await on.client.post("/chatkit", json=act(thread, shown[1]["id"], buttons(shown[1])[0]))
    require_refused(late, 409, "not_waiting")
    assert on.tools.of(on.user) == []
    kept = await on.reload(thread)
    assert all(not buttons(item) for item in kept)
    on.api.require_pairs(on.endpoint.requests[1])
    if how == "a message":
        assert "Not run" in json.dumps(kept[1])
        read = on.api.read(on.endpoint.requests[1])
        assert ("function_call_output", WITHDRAWN) in read
        assert read[-1] == ("user", "no, wait")


async def test_stop_withdraws_and_nothing_waits_then(on: Stage) -> None:
    on.model(("pay", {"sum": 5}))
    thread, shown = await on.ask()
    assert await on.cancel(thread)
    assert not await on.cancel(thread)
    late = await on.answer(thread, call_of(shown[-1]), decision="approve")
    require_refused(late, 409, "not_waiting")
    kept = await on.reload(thread)
    assert "The person stopped the answer" in json.dumps(kept[-1])
    assert on.tools.of(on.user) == []


async def test_only_its_owner_answers_and_only_what_is_asked(on: Stage) -> None:
    on.model(("pay", {"sum": 5}))
    thread, shown = await on.ask()
    card, approve = shown[-1], buttons(shown[-1])[0]
    mallory = Stage(on.here, on.endpoint, on.tools, on.api)
    require_refused(
        await mallory.client.post("/chatkit", json=act(thread, card["id"], approve)),
        403,
        "forbidden",
    )
    foreign = await mallory.answer(thread, call_of(card), decision="approve")
    require_refused(foreign, 403, "forbidden")
    missing = await on.answer("conv_0", call_of(card), decision="approve")
    require_refused(missing, 404, "conversation_not_found")
    other = await on.answer(thread, "call_other", decision="approve")
    require_refused(other, 409, "not_waiting")
    others: list[Json] = [{"type": "chatbridge.pay", "payload": {}}, {**approve, "payload": {}}]
    for action in others:
        refused = await on.client.post("/chatkit", json=act(thread, card["id"], action))
        require_refused(refused, 409, "action_not_offered")
    assert buttons((await on.reload(thread))[-1])
    assert on.tools.of(on.user) == []
    await on.cancel(thread)


async def test_events_of_a_waiting_turn_end_and_go_on_by_their_numbers(on: Stage) -> None:
    on.model(("pay", {"sum": 5}), then="Paid.")
    streamed = {"Accept": "text/event-stream"}
    chat = f"/api/{on.user}/chat"
    first = await on.client.post(chat, json={"message": "pay"}, headers=streamed)
    told = events_of(first.text)
    assert told[-1] == (len(told), {"type": "turn.waiting"})
    thread, turn = first.headers["x-conversation-id"], first.headers["x-turn-id"]
    where = f"/api/{on.user}/turns/{turn}/events"
    watched = await on.client.get(where)
    assert events_of(watched.text) == told
    (call,) = [e["call_id"] for _, e in told if e["type"] == "tool_call.asked"]
    answers = f"/api/{on.user}/conversations/{thread}/answers"
    body = {"call_id": call, "decision": "approve"}
    second = await on.client.post(answers, json=body, headers=streamed)
    more = events_of(second.text)
    assert [number for number, _ in more] == [*range(len(told) + 1, len(told) + len(more) + 1)]
    assert more[0][1]["type"] == "tool_call.answered"
    assert more[-1][1] == {"type": "turn.ended", "state": "completed"}
    for after in range(len(told)):
        watched = await on.client.get(where, params={"after": after})
        assert events_of(watched.text) == [*told, *more][after:]


def events_of(text: str) -> list[tuple[int, Json]]:
    """The numbered events of a stream over REST, without what a person's machine has to say."""
    found: list[tuple[int, Json]] = []
    for part in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
        if "id" in lines:
            found.append((int(lines["id"]), json.loads(lines["data"])))
    return found


async def test_three_clicks_on_two_replicas_are_one_execution(
    postgres_url: str, endpoint: ScriptedEndpoint, tools: CountingTools
) -> None:
    api = Api("responses")
    async with (
        stage(postgres_url, endpoint, tools, api) as one,
        stage(postgres_url, endpoint, tools, api) as two,
    ):
        for _ in range(5):
            here = Stage(one, endpoint, tools, api)
            here.model(("pay", {"sum": 5}), then="Paid.")
            thread, shown = await here.ask()
            clicked = act(thread, shown[-1]["id"], buttons(shown[-1])[0])
            clients = [here.client, two.as_user(here.user), here.client]
            answers = await asyncio.gather(*(c.post("/chatkit", json=clicked) for c in clients))
            assert [a.status_code for a in answers] == [200] * 3, [a.text for a in answers]
            assert here.tools.of(here.user) == [("pay", {"sum": 5})]
            assert len(endpoint.requests) == 2
            seen = [screen(frames(a.text), shown) for a in answers]
            assert seen[0] == seen[1] == seen[2] == await here.reload(thread)


async def test_what_nobody_answers_in_time_is_not_run(
    store_url: str, endpoint: ScriptedEndpoint, tools: CountingTools
) -> None:
    api = Api("responses")
    async with stage(store_url, endpoint, tools, api, patience=0.2) as short:
        here = Stage(short, endpoint, tools, api)
        here.model(("pay", {"sum": 5}))
        thread, shown = await here.ask()
        await asyncio.sleep(0.25)
        late = await here.answer(thread, call_of(shown[-1]), decision="approve")
        assert late.status_code == 409
        assert late.json()["code"] in ("question_expired", "not_waiting")
        kept = await here.reload(thread)
    assert buttons(kept[-1]) == []
    assert "Nobody has answered in time" in json.dumps(kept[-1])
    assert here.tools.of(here.user) == []
