"""Endpoints that leave out what the two APIs promise: no turn breaks on it."""

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import TextDelta, TokensUsed, TurnEvent
from chatbridge.domain.model.usage import Usage
from tests.contracts.agent_runner import ADA, all_of, heard, heard_until_failure, kept, text_of
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import (
    DONE,
    Frame,
    ScriptedEndpoint,
    chunk,
    completions,
    frame,
    function_call,
    message,
    response,
    responses,
    usage,
    usage_chunk,
)

TEXT = "Oats float on milk."


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as here:
        yield here


@pytest.fixture
def tools() -> TaskTools:
    return TaskTools()


@pytest.fixture
async def over_responses(
    endpoint: ScriptedEndpoint, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    async for runner in runner_of(endpoint, "responses", tools):
        yield runner


@pytest.fixture
async def over_completions(
    endpoint: ScriptedEndpoint, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    async for runner in runner_of(endpoint, "chat_completions", tools):
        yield runner


async def runner_of(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
    yield OpenAIAgentRunner(model.model, tools, instructions="Help.")
    await model.close()


def changed(frames: list[Frame], change: Callable[[Any], Any]) -> list[Frame]:
    """The frames after `change` has gone over every object in them."""
    return [f if f == DONE else frame(_changed(_value(f), change)) for f in frames]


def _value(written: Frame) -> Any:
    return json.loads(written.split(b"data: ", 1)[1])


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return change({k: _changed(v, change) for k, v in value.items()})
    return [_changed(v, change) for v in value] if isinstance(value, list) else value


def without(*names: str) -> Callable[[Any], Any]:
    return lambda value: {k: v for k, v in value.items() if k not in names}


def nulled(*names: str) -> Callable[[Any], Any]:
    return lambda value: {k: None if k in names else v for k, v in value.items()}


INDICES = ("output_index", "content_index", "sequence_number", "annotation_index")


@pytest.mark.parametrize(
    "change",
    [
        without(*INDICES),
        nulled(*INDICES),
        nulled("annotations"),
        without("annotations"),
        without("logprobs"),
        without("usage"),
        nulled("usage"),
        without("status"),
        without("id", "item_id"),
        without("id", "item_id", *INDICES),
        without("created_at", "object", "model", "tools", "tool_choice", "parallel_tool_calls"),
        without("input_tokens_details", "output_tokens_details", "total_tokens"),
    ],
)
async def test_a_response_that_lacks_something_is_an_answer(
    endpoint: ScriptedEndpoint, over_responses: OpenAIAgentRunner, change: Callable[[Any], Any]
) -> None:
    endpoint.answer(*changed(responses(message(TEXT)), change))
    (answer,) = kept(await heard(over_responses, "do oats float?"))
    assert (answer.content, answer.kind) == (TEXT, "text")


@pytest.mark.parametrize(
    "change",
    [
        without("id"),
        without("call_id"),
        nulled("call_id"),
        without("id", "call_id", *INDICES),
        without("status"),
    ],
)
async def test_a_call_in_a_response_that_lacks_something_is_run_under_an_id_of_ours(
    endpoint: ScriptedEndpoint,
    over_responses: OpenAIAgentRunner,
    tools: TaskTools,
    change: Callable[[Any], Any],
) -> None:
    call = function_call("add_task", '{"title": "oats"}')
    endpoint.answer(*changed(responses(call), change)).answer(*responses(message("Added.")))
    events = await heard(over_responses, "add oats")
    assert_called_and_answered(events, tools)
    (given,) = [i for i in endpoint.requests[1]["input"] if i.get("type") == "function_call"]
    (output,) = [i for i in endpoint.requests[1]["input"] if "output" in i]
    assert given["call_id"] == output["call_id"] != ""


@pytest.mark.parametrize(
    "change",
    [
        without("index"),
        nulled("index"),
        nulled("role"),
        without("usage"),
        nulled("usage"),
        without("id", "object", "created", "model"),
        lambda value: value | {"delta": None} if value.get("finish_reason") else value,
        lambda value: value | {"choices": None} if value.get("choices") == [] else value,
        lambda value: value | {"annotations": None} if "content" in value else value,
        lambda value: value | {"tool_calls": None} if "content" in value else value,
        lambda value: value | {"refusal": None} if "content" in value else value,
    ],
)
async def test_a_completion_that_lacks_something_is_an_answer(
    endpoint: ScriptedEndpoint, over_completions: OpenAIAgentRunner, change: Callable[[Any], Any]
) -> None:
    endpoint.answer(*changed(completions(TEXT), change))
    (answer,) = kept(await heard(over_completions, "do oats float?"))
    assert (answer.content, answer.kind) == (TEXT, "text")


@pytest.mark.parametrize(
    "change",
    [
        without("id"),
        nulled("id"),
        without("index"),
        nulled("index"),
        without("id", "index"),
        without("type"),
    ],
)
async def test_a_call_in_a_completion_that_lacks_something_is_run_under_an_id_of_ours(
    endpoint: ScriptedEndpoint,
    over_completions: OpenAIAgentRunner,
    tools: TaskTools,
    change: Callable[[Any], Any],
) -> None:
    endpoint.answer(*changed(called("oats"), change)).answer(*completions("Added."))
    events = await heard(over_completions, "add oats")
    assert_called_and_answered(events, tools)
    messages = endpoint.requests[1]["messages"]
    (given,) = [call for m in messages for call in m.get("tool_calls") or ()]
    (output,) = [m for m in messages if m["role"] == "tool"]
    assert given["id"] == output["tool_call_id"] != ""


@pytest.mark.parametrize("change", [without(), without("id"), without("index")])
async def test_two_calls_of_one_completion_stay_apart(
    endpoint: ScriptedEndpoint,
    over_completions: OpenAIAgentRunner,
    tools: TaskTools,
    change: Callable[[Any], Any],
) -> None:
    endpoint.answer(*changed(called("oats", "rye"), change)).answer(*completions("Added."))
    step, _ = kept(await heard(over_completions, "add oats and rye"))
    assert [c.state for c in step.tool_calls] == ["succeeded"] * 2
    assert [t["title"] for t in tools.tasks.values()] == ["oats", "rye"]


def called(*titles: str) -> list[Frame]:
    """Calls of add_task, their arguments in two pieces each."""
    frames: list[Frame] = []
    for index, title in enumerate(titles):
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        begun = head | {"function": {"name": "add_task", "arguments": '{"title": '}}
        rest = {"index": index, "function": {"arguments": f'"{title}"}}'}}
        frames += [chunk({"tool_calls": [begun]}), chunk({"tool_calls": [rest]})]
    return [*frames, chunk(finish="tool_calls"), usage_chunk(11, 7), DONE]


def assert_called_and_answered(events: list[TurnEvent], tools: TaskTools) -> None:
    step, answer = kept(events)
    (call,) = step.tool_calls
    assert (call.name, call.state, answer.content) == ("add_task", "succeeded", "Added.")
    assert re.fullmatch("call_[0-9a-f]{32}", call.id)
    assert [t["title"] for t in tools.tasks.values()] == ["oats"]


# --- what an answer costs


async def test_what_each_response_costs_is_counted(
    endpoint: ScriptedEndpoint, over_responses: OpenAIAgentRunner
) -> None:
    call = function_call("add_task", '{"title": "oats"}')
    endpoint.answer(*responses(call)).answer(*responses(message("Added.")))
    events = await heard(over_responses, "add oats")
    assert all_of(TokensUsed, events) == [TokensUsed(input_tokens=11, output_tokens=7)] * 2
    assert cost_of(events) == Usage(input_tokens=22, output_tokens=14)


async def test_what_each_completion_costs_is_asked_for_and_counted(
    endpoint: ScriptedEndpoint, over_completions: OpenAIAgentRunner
) -> None:
    endpoint.answer(*called("oats")).answer(*completions("Added."))
    events = await heard(over_completions, "add oats")
    assert cost_of(events) == Usage(input_tokens=22, output_tokens=14)
    assert [r["stream_options"] for r in endpoint.requests] == [{"include_usage": True}] * 2


async def test_who_counts_nothing_costs_nothing_that_is_known(
    endpoint: ScriptedEndpoint, over_completions: OpenAIAgentRunner
) -> None:
    endpoint.answer(*changed(completions(TEXT), without("usage")))
    assert cost_of(await heard(over_completions, "hello")) is None


async def test_an_answer_that_is_cut_off_at_its_longest_has_cost_what_it_cost(
    endpoint: ScriptedEndpoint,
    over_completions: OpenAIAgentRunner,
    over_responses: OpenAIAgentRunner,
) -> None:
    cut = response("incomplete", usage=usage(11, 7), incomplete_details={"reason": "max"})
    *begun, _ = responses(message(TEXT))
    incomplete = frame({"type": "response.incomplete", "response": cut})
    endpoint.answer(*[f for f in begun if b"done" not in f], incomplete)
    said = chunk({"content": TEXT})
    endpoint.answer(said, chunk(finish="length"), usage_chunk(11, 7), DONE)
    for runner in (over_responses, over_completions):
        events, failure = await heard_until_failure(runner, "hello")
        assert (failure.code, text_of(events)) == ("model_truncated", TEXT)
        assert cost_of(events) == Usage(input_tokens=11, output_tokens=7)


def cost_of(events: list[TurnEvent]) -> Usage | None:
    return Transcript(ADA.conversation_id, events).usage


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_words_that_come_together_are_one_event_before_an_error_too(
    endpoint: ScriptedEndpoint, tools: TaskTools, api: Api
) -> None:
    frames = responses(message(TEXT)) if api == "responses" else completions(TEXT)
    last = next(n for n, each in enumerate(frames) if b" milk" in each)
    broken = {
        frame({"error": {"message": "overloaded", "code": "server_error"}}): "model_unavailable",
        b'data: {"choices": [{"del\n\n': "model_malformed",
    }
    async for runner in runner_of(endpoint, api, tools):
        endpoint.answer(b"".join(frames))
        assert [said.text for said in all_of(TextDelta, await heard(runner, "hello"))] == [TEXT]
        for error, code in broken.items():
            endpoint.answer(b"".join([*frames[:last], error]))
            events, failure = await heard_until_failure(runner, "hello")
            assert [said.text for said in all_of(TextDelta, events)] == ["Oats float on"]
            assert failure.code == code
