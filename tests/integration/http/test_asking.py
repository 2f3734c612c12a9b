"""What a turn asks besides leave: a tool that the page runs, and questions; on both surfaces."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from chatbridge.domain.model.ask_person import ASK_PERSON
from chatbridge.domain.model.tool import OnBehalf, Tool
from tests.chatkit_client import Json, add, create, say
from tests.integration.http.asking import require_refused
from tests.integration.http.test_waiting import Api, CountingTools, Stage, screen, stage
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
    assert [i["status"] for i in await on.reload(thread) if "inputs" in i] == ["skipped"] * 2
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
    on.model(("theme", {"theme": "a"}), ("ask_person", {"questions": questions}), ("pay", {}))
    turn = (await on.client.post(f"/api/{on.user}/chat", json={"message": "go"})).json()
    thread = turn["conversation_id"]
    calls = {c["name"]: c for m in turn["messages"] for c in m["tool_calls"]}
    assert {name: (c["state"], c["asks"]) for name, c in calls.items()} == {
        "pay": ("waiting", "approval"),
        "theme": ("waiting", "client"),
        "ask_person": ("waiting", "answers"),
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
        ["null", "pay has worked", '[{"question": "Why?", "answer": "5"}]']
    )
    on.api.require_pairs(on.endpoint.requests[-1])


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
