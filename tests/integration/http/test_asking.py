"""What a turn asks besides leave: a tool that the page runs, and questions; on both surfaces."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from chatbridge.domain.model.ask_person import ASK_PERSON
from chatbridge.domain.model.tool import OnBehalf, Tool
from tests.chatkit_client import Json, add, create, say
from tests.integration.http.asking import require_refused
from tests.integration.http.waiting_stage import (
    Api,
    CountingTools,
    Stage,
    act,
    numbered,
    screen,
    stage,
)
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.serving import Served, served, settings_for

THEME: Json = {
    "type": "object",
    "properties": {"theme": {"type": "string"}},
    "required": ["theme"],
}


class AskingTools(CountingTools):
    """The same, a tool that the page runs, and questions."""

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        theme = Tool(name="theme", description="theme", parameters=THEME, asks="client")
        return (*await super().tools(on_behalf), theme, ASK_PERSON)


@pytest.fixture(scope="module")
def api(store_url: str) -> Api:
    return Api("chat_completions" if store_url == "memory:" else "responses")


@pytest.fixture(scope="module")
async def endpoint() -> AsyncGenerator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as running:
        yield running


@pytest.fixture(scope="module")
def tools() -> AskingTools:
    return AskingTools()


@pytest.fixture(scope="module")
async def open_stage(
    store_url: str, endpoint: ScriptedEndpoint, tools: AskingTools, api: Api
) -> AsyncGenerator[Served]:
    async with stage(store_url, endpoint, tools, api) as here:
        yield here


@pytest.fixture
def on(open_stage: Served, endpoint: ScriptedEndpoint, tools: AskingTools, api: Api) -> Stage:
    return Stage(open_stage, endpoint, tools, api)


def output(thread: str, result: Any) -> Json:
    params = {"thread_id": thread, "result": result}
    return {"type": "threads.add_client_tool_output", "params": params}


def filled_in(thread: str, item: Json, **answers: list[str]) -> Json:
    given = {id: {"values": values} for id, values in answers.items()}
    form = {"status": "answered" if given else "skipped", "answers": given}
    params = {"thread_id": thread, "item_id": item["id"], "input": form}
    return {"type": "threads.add_structured_input", "params": params}


def approval(call_id: str) -> Json:
    return {"type": "chatbridge.approve", "payload": {"call_id": call_id}}


async def told(on: Stage, request: Json, shown: list[Json], **headers: str) -> list[Json]:
    answer = await on.client.post("/chatkit", json=request, headers=headers)
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.split("\n") if line.startswith("data: ")]
    return screen([json.loads(line[6:]) for line in lines], shown)


def outputs(on: Stage) -> list[str]:
    read = on.api.read(on.endpoint.requests[-1])
    return [what for kind, what in read if kind == "function_call_output"]


async def test_the_page_runs_what_the_model_asked_for_and_the_answer_goes_on(on: Stage) -> None:
    on.model(("theme", {"theme": "dark"}), then="It is dark.")
    thread, shown = await on.ask("dark, please")
    asked = shown[-1]
    assert (asked["type"], asked["status"], asked["name"], asked["arguments"]) == (
        "client_tool_call",
        "pending",
        "theme",
        {"theme": "dark"},
    )
    assert await on.reload(thread) == shown
    shown = await told(on, output(thread, {"done": True}), shown)
    assert [i["type"] for i in shown] == ["user_message", "client_tool_call", "assistant_message"]
    assert (shown[1]["status"], shown[1]["output"]) == ("completed", {"done": True})
    assert await on.reload(thread) == shown
    assert outputs(on) == ['{"done": true}']
    on.api.require_pairs(on.endpoint.requests[-1])
    # the same once more is answered alike, another one is too late
    assert await told(on, output(thread, {"done": True}), shown) == shown
    late = await on.client.post("/chatkit", json=output(thread, "no"))
    require_refused(late, 409, "not_waiting")
    assert len(on.endpoint.requests) == 2


async def test_questions_are_answered_with_words_of_ones_own(on: Stage) -> None:
    questions = [
        {"question": "Which size?", "choices": ["S", "L"]},
        {"question": "With what?", "choices": ["oat", "soy", "none"], "multiple": True},
        {"question": "Anything else?"},
    ]
    on.model(("ask_person", {"questions": questions}), then="Noted.")
    thread, shown = await on.ask("a coffee")
    form = shown[-1]
    assert (form["type"], form["status"]) == ("structured_input", "pending")
    assert [each["question"] for each in form["inputs"]] == [q["question"] for q in questions]
    assert await on.reload(thread) == shown
    unknown = await on.client.post("/chatkit", json=filled_in(thread, form, q9=["L"]))
    require_refused(unknown, 422, "wrong_answer")
    answers = {"q1": ["huge"], "q2": ["oat", "soy"]}
    shown = await told(on, filled_in(thread, form, **answers), shown)
    assert shown[1]["status"] == "answered"
    assert [each["answer"] for each in shown[1]["inputs"]] == [
        {"values": ["huge"], "skipped": False},
        {"values": ["oat", "soy"], "skipped": False},
        {"values": [], "skipped": True},
    ]
    assert await on.reload(thread) == shown
    assert [json.loads(each) for each in outputs(on)] == [
        [
            {"question": "Which size?", "answer": "huge"},
            {"question": "With what?", "answer": ["oat", "soy"]},
            {"question": "Anything else?", "answer": None},
        ]
    ]
    on.api.require_pairs(on.endpoint.requests[-1])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *((text, text) for text in ("1", "yes", "off", "007", "1.0", "true", "nan", "1e3")),
        (True, "true"),
        (7, "7"),
        (1.5, "1.5"),
    ],
)
async def test_over_rest_an_answer_is_what_was_written(on: Stage, given: Any, kept: str) -> None:
    on.model(("ask_person", {"questions": [{"question": "Which?", "choices": ["1", "2"]}]}))
    turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "go"})).json()
    (call,) = turn["messages"][0]["tool_calls"]
    done = await on.answer(turn["conversation_id"], call["id"], answers={"q1": given})
    assert done.json()["messages"][0]["tool_calls"][0]["answers"] == {"q1": [kept]}


async def test_questions_are_skipped_or_withdrawn(on: Stage) -> None:
    asked = ("ask_person", {"questions": [{"question": "Why?"}]})
    on.model(asked, then="Well.")
    thread, shown = await on.ask("go")
    shown = await told(on, filled_in(thread, shown[-1]), shown)
    assert shown[1]["status"] == "skipped"
    assert await on.reload(thread) == shown
    assert outputs(on) == ["The person has skipped the questions."]
    on.model(asked, then="Never mind.")
    _, events = await say(on.client, add(thread, "again"))
    form = screen(events)[-1]
    on.endpoint.answers.clear()
    on.endpoint.answer(*on.api.text("Never mind."))
    await say(on.client, add(thread, "no, wait"))
    late = await on.client.post("/chatkit", json=filled_in(thread, form, q1=["because"]))
    require_refused(late, 409, "not_waiting")
    forms = [i for i in await on.reload(thread) if "inputs" in i]
    assert [form["status"] for form in forms] == ["skipped"] * 2
    # nobody has skipped what was withdrawn
    answers = [form["inputs"][0].get("answer") for form in forms]
    assert answers == [{"values": [], "skipped": True}, None]
    assert "something else instead of an answer" in outputs(on)[-1]


async def test_what_cannot_be_asked_is_the_models_mistake(on: Stage) -> None:
    bad = [
        ("ask_person", {"questions": []}),
        ("ask_person", {"questions": ["why", "what"]}),
        ("ask_person", {}),
        ("theme", {}),
    ]
    on.model(*bad, then="Sorry.")
    thread, shown = await on.ask("go")
    assert [i["type"] for i in shown] == ["user_message", *["widget"] * 1, "assistant_message"]
    assert await on.reload(thread) == shown
    assert len(outputs(on)) == len(bad)


async def test_over_rest_each_call_is_answered_by_what_it_asks(on: Stage) -> None:
    questions = [{"question": "Why?"}]
    asks = (("theme", {"theme": "a"}), ("ask_person", {"questions": questions}), ("pay", {}))
    on.model(("look", {}), *asks)
    turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "go"})).json()
    thread = turn["conversation_id"]
    calls = {c["name"]: c for m in turn["messages"] for c in m["tool_calls"]}
    assert {name: (c["state"], c["asks"]) for name, c in calls.items()} == {
        "pay": ("waiting", "approval"),
        "theme": ("waiting", "client"),
        "ask_person": ("waiting", "answers"),
        "look": ("succeeded", None),
    }
    assert calls["ask_person"]["form"]["questions"][0]["words"] == "Why?"
    for name, body in (
        ("theme", {"decision": "approve"}),
        ("ask_person", {"output": 1}),
        ("pay", {"answers": {}}),
    ):
        refused = await on.answer(thread, calls[name]["id"], **body)
        require_refused(refused, 422, "wrong_answer")
    nothing = await on.answer(thread, calls["theme"]["id"])
    require_refused(nothing, 422, "invalid_request")
    waits = await on.answer(thread, calls["theme"]["id"], output=None)
    assert waits.json()["state"] == "waiting"
    await on.answer(thread, calls["pay"]["id"], decision="approve")
    done = await on.answer(thread, calls["ask_person"]["id"], answers={"q1": 5})
    assert done.json()["state"] == "completed", done.text
    assert sorted(outputs(on)) == sorted(
        ["look has worked", "null", "pay has worked", '[{"question": "Why?", "answer": "5"}]']
    )
    on.api.require_pairs(on.endpoint.requests[-1])


async def test_what_is_no_answer_to_the_pages_call_leaves_it_asked(on: Stage) -> None:
    on.model(("theme", {"theme": "dark"}), then="It is dark.")
    thread, shown = await on.ask("dark, please")
    call = shown[-1]
    approve = act(thread, call["id"], approval(call["call_id"]))
    for request, status, code in (
        (output(thread, "x" * 2_000_000), 413, "too_large"),
        (output(thread, "x" * 32_001), 422, "text_too_long"),
        (output(thread, [0] * 3_000), 413, "too_complex"),
        (output(thread, {"a": "\0"}), 422, "invalid_text"),
        (approve, 422, "wrong_answer"),
        (act(thread, call["id"], approval("call_other")), 409, "not_waiting"),
        (filled_in(thread, call, q1=["dark"]), 409, "not_waiting"),
    ):
        require_refused(await on.client.post("/chatkit", json=request), status, code)
    whole = await on.answer(thread, call["call_id"], output="x" * 2_000_000)
    require_refused(whole, 413, "too_large")
    assert await on.reload(thread) == shown
    shown = await told(on, output(thread, "x" * 32_000), shown)
    assert outputs(on) == [f'"{"x" * 32_000}"']
    assert (await on.reload(thread), len(on.endpoint.requests)) == (shown, 2)


async def test_an_approval_is_given_by_no_output_and_by_no_form(on: Stage) -> None:
    on.model(("pay", {}))
    thread, shown = await on.ask()
    for request in (output(thread, True), filled_in(thread, shown[-1], q1=["yes"])):
        require_refused(await on.client.post("/chatkit", json=request), 409, "not_waiting")
    assert (await on.reload(thread), on.tools.of(on.user)) == (shown, [])


async def test_a_stream_that_asks_is_taken_up_after_any_frame(on: Stage) -> None:
    asks = (("theme", {"theme": "a"}), ("ask_person", {"questions": [{"question": "Why?"}]}))
    on.model(("look", {}), *asks, then="So be it.")
    resumable = {"X-Chatbridge-Stream": "resumable"}
    first = await on.client.post("/chatkit", json=create("go"), headers=resumable)
    thread, whole = first.headers["x-conversation-id"], numbered(first.text)
    where = f"/chatkit/threads/{thread}/events"
    form = screen([json.loads(data) for _, data in whole])[-1]
    answers = (output(thread, "done"), filled_in(thread, form, q1=["so"]))
    for answer in (None, *answers):
        if answer:
            told = await on.client.post("/chatkit", json=answer, headers=resumable)
            whole += numbered(told.text)
        for n, (id, _) in enumerate(whole):
            again = await on.client.get(where, headers={"Last-Event-ID": id})
            assert numbered(again.text) == whole[n + 1 :]
    # the question came without a place
    assert screen([json.loads(data) for _, data in whole]) == (await on.reload(thread))[1:]
    on.api.require_pairs(on.endpoint.requests[-1])


async def test_an_output_under_its_key_is_one_answer_elsewhere_and_after_a_restart(
    postgres_url: str, endpoint: ScriptedEndpoint, tools: AskingTools
) -> None:
    api = Api("responses")
    async with (
        stage(postgres_url, endpoint, tools, api) as one,
        stage(postgres_url, endpoint, tools, api) as two,
    ):
        on = Stage(one, endpoint, tools, api)
        on.model(("theme", {"theme": "a"}), ("theme", {"theme": "b"}), then="Both.")
        thread, shown = await on.ask("both")
        keys = [{"Idempotency-Key": f"{n}-{thread}"} for n in range(2)]
        half = await told(on, output(thread, "done"), shown, **keys[0])
        elsewhere = Stage(two, endpoint, tools, api)
        elsewhere.client = two.as_user(on.user)
        endpoint.answer(*api.text("Both."))
        # without its key it would be the second call's
        assert await told(elsewhere, output(thread, "done"), shown, **keys[0]) == half
        assert half[-1]["arguments"] == {"theme": "b"}
        whole = await told(elsewhere, output(thread, "done"), half, **keys[1])
    async with stage(postgres_url, endpoint, tools, api) as again:
        on.client = again.as_user(on.user)
        assert await told(on, output(thread, "done"), half, **keys[1]) == whole
        assert await on.reload(thread) == whole
        other = await on.client.post("/chatkit", json=output(thread, 1), headers=keys[1])
        require_refused(other, 422, "idempotency_key_reused")
    assert outputs(on) == ['"done"'] * 2
    assert len(endpoint.requests) == 1


async def test_the_tools_of_the_settings_reach_the_model(endpoint: ScriptedEndpoint) -> None:
    endpoint.requests.clear()
    agent = {
        "model": "m",
        "base_url": endpoint.url,
        "api_key": "k",
        "tools": "none",
        "client_tools": [{"name": "theme", "description": "d", "parameters": THEME}],
        "ask_person": True,
    }
    api = Api("responses")
    endpoint.answers.clear()
    endpoint.answer(*api.calls(("theme", {"theme": "dark"}))).answer(*api.text("Dark."))
    async with served(settings_for("memory:", agent=agent)) as here:
        client = here.as_user("ada")
        thread, told = await say(client, create("dark"))
        assert screen(told)[-1]["name"] == "theme"
        assert [tool["name"] for tool in endpoint.requests[0]["tools"]] == ["theme", "ask_person"]
        answer = await client.post("/chatkit", json=output(thread, None))
        assert "Dark." in answer.text
