"""A turn that waits for a person: what is asked, answered and withdrawn, on both surfaces."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

import pytest

from tests.chatkit_client import Json, add, create, frames, retry, say
from tests.integration.http.asking import require_refused
from tests.integration.http.test_who_may import bearing, session_of
from tests.integration.http.waiting_stage import (
    Api,
    CountingTools,
    Stage,
    act,
    buttons,
    call_of,
    events_of,
    numbered,
    screen,
    stage,
)
from tests.integration.scripted_endpoint import ScriptedEndpoint, function_call, responses
from tests.serving import Served

WITHDRAWN = "The person went on with something else instead of an answer, so it was not run."


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


async def test_over_rest_too_each_of_several_is_answered(on: Stage) -> None:
    on.model(("pay", {"sum": 5}), ("pay", {"sum": 6}))
    turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "pay"})).json()
    (first, second) = [call["id"] for call in turn["messages"][0]["tool_calls"]]
    thread = turn["conversation_id"]
    half = (await on.answer(thread, first, decision="reject", reason="no")).json()
    assert (half["state"], on.tools.of(on.user)) == ("waiting", [])
    assert [call["state"] for call in half["messages"][0]["tool_calls"]] == ["rejected", "waiting"]
    whole = (await on.answer(thread, second, decision="approve")).json()
    assert (whole["state"], on.tools.of(on.user)) == ("completed", [("pay", {"sum": 6})])
    assert (await on.answer(thread, second, decision="approve")).json() == whole
    on.api.require_pairs(on.endpoint.requests[-1])


async def test_a_tool_that_is_gone_is_not_run_and_the_model_is_told(on: Stage) -> None:
    on.model(("pay", {"sum": 5}), then="Oh.")
    thread, shown = await on.ask()
    on.tools.gone = True
    try:
        shown = screen(await on.press(thread, shown[-1], buttons(shown[-1])[0]), shown)
    finally:
        on.tools.gone = False
    assert await on.reload(thread) == shown
    assert on.tools.of(on.user) == []
    assert [c["state"] for m in await on.kept(thread) for c in m["tool_calls"]] == ["failed"]
    assert "no tool named pay" in str(on.api.read(on.endpoint.requests[-1])[-1])


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


@pytest.mark.parametrize("decision", ["approve", "reject", None])
async def test_a_retry_that_waits_leaves_the_old_answer_until_it_is_complete(
    on: Stage, decision: str | None
) -> None:
    on.endpoint.answer(*on.api.text("No."))
    on.model(("pay", {"sum": 5}), then="Well.")
    thread, shown = await on.ask()
    await say(on.client, retry(thread, shown[0]["id"]))
    *before, card = await on.reload(thread)
    assert before == shown
    if decision is None:
        assert await on.cancel(thread)
        assert await on.reload(thread) == shown
    else:
        await on.answer(thread, call_of(card), decision=decision)
        kept = await on.reload(thread)
        assert [i["type"] for i in kept] == ["user_message", "widget", "assistant_message"]
        assert "Well." in json.dumps(kept[-1])
    assert len(on.tools.of(on.user)) == (decision == "approve")


async def test_a_deleted_conversation_asks_nothing(on: Stage) -> None:
    on.model(("pay", {"sum": 5}))
    thread, shown = await on.ask()
    gone = await on.client.delete(f"/api/{on.user}/conversations/{thread}")
    assert gone.status_code == 204
    late = await on.answer(thread, call_of(shown[-1]), decision="approve")
    require_refused(late, 404, "conversation_not_found")
    listed = await on.client.get(f"/api/{on.user}/conversations", params={"waiting": True})
    assert (listed.json()["items"], on.tools.of(on.user)) == ([], [])


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
    bodies: list[Json] = [{}, {"decision": "maybe"}, {"decision": "reject", "reason": "x" * 9_999}]
    for body in (*bodies, {"decision": "approve", "arguments": {"sum": 500}}):
        require_refused(await on.answer(thread, call_of(card), **body), 422, "invalid_request")
    assert buttons((await on.reload(thread))[-1])
    assert on.tools.of(on.user) == []
    on.endpoint.answers.clear()
    on.endpoint.answer(*on.api.text("Hi.")).answer(*on.api.text("Paid."))
    unlike, _ = await on.ask("hello")
    bound = bearing(on.here, await session_of(on.here, on.user, unlike))
    elsewhere = await bound.post("/chatkit", json=act(thread, card["id"], approve))
    require_refused(elsewhere, 403, "session_is_bound")
    bound = bearing(on.here, await session_of(on.here, on.user, thread))
    mine = await bound.post("/chatkit", json=act(thread, card["id"], approve))
    assert (mine.status_code, len(on.tools.of(on.user))) == (200, 1)


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


async def test_a_stream_is_taken_up_after_any_frame_before_and_after_the_answer(on: Stage) -> None:
    on.model(("look", {}), ("pay", {"sum": 5}), then="Paid.")
    resumable = {"X-Chatbridge-Stream": "resumable"}
    first = await on.client.post("/chatkit", json=create("pay"), headers=resumable)
    thread, before = first.headers["x-conversation-id"], numbered(first.text)
    shown = screen([json.loads(data) for _, data in before])
    clicked = act(thread, shown[-1]["id"], buttons(shown[-1])[0])
    where = f"/chatkit/threads/{thread}/events"
    for n, (id, _) in enumerate(before):
        again = await on.client.get(where, headers={"Last-Event-ID": id})
        assert numbered(again.text) == before[n + 1 :]
    second = await on.client.post("/chatkit", json=clicked, headers=resumable)
    whole = [*before, *numbered(second.text)]
    # the question came without a place
    assert screen([json.loads(data) for _, data in whole]) == (await on.reload(thread))[1:]
    for n, (id, _) in enumerate(whole):
        again = await on.client.get(where, headers={"Last-Event-ID": id})
        assert numbered(again.text) == whole[n + 1 :]


async def test_three_clicks_on_two_replicas_are_one_execution(
    postgres_url: str, endpoint: ScriptedEndpoint, tools: CountingTools
) -> None:
    api = Api("responses")
    async with (
        stage(postgres_url, endpoint, tools, api) as one,
        stage(postgres_url, endpoint, tools, api) as two,
    ):
        for _ in range(2):
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
