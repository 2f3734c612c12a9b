"""How often a model is asked, how long it is waited for, and what is never asked twice."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from agents import Agent
from agents.testing import ScriptedModel, assistant_message
from agents.testing import function_call as asks_for

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.adapters.openai.patience import Patience
from chatbridge.domain.model.turn_event import TextFinished
from tests.contracts.agent_runner import (
    all_of,
    heard,
    heard_until_failure,
    kept,
    nothing_left,
    text_of,
)
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
    responses,
)

IDLE = 0.5
APIS: tuple[Api, ...] = ("responses", "chat_completions")
SAID = "one two three"


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as here:
        yield here


@pytest.fixture
def tools() -> TaskTools:
    return TaskTools()


@pytest.fixture
async def runner(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    async for made in runner_of(endpoint, api, tools, idle=5):
        yield made


@pytest.fixture
async def hasty(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    """One that soon loses its patience."""
    async for made in runner_of(endpoint, api, tools, idle=IDLE, first=3 * IDLE):
        yield made


async def runner_of(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools, idle: float, first: float | None = None
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(
        model="m",
        base_url=endpoint.url,
        api_key=None,
        api=api,
        patience=Patience(first=first or idle, idle=idle),
    )
    yield OpenAIAgentRunner(model.model, tools, instructions="Help.")
    await model.close()


def whole(api: Api, text: str = SAID) -> list[Frame]:
    return responses(message(text)) if api == "responses" else completions(text)


def begun(api: Api) -> list[Frame]:
    """The frames up to the second word."""
    frames = whole(api)
    last = next(n for n, each in enumerate(frames) if b" two" in each)
    return frames[: last + 1]


def waits(endpoint: ScriptedEndpoint) -> list[float]:
    return [later - sooner for sooner, later in pairwise(endpoint.times)]


# --- before the first event


@pytest.mark.parametrize("ending", ["silence", "pings"])
async def test_a_model_that_says_nothing_is_given_up_and_not_made_to_begin_anew(
    endpoint: ScriptedEndpoint,
    hasty: OpenAIAgentRunner,
    ending: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.answer(ending=ending)
    async with asyncio.timeout(5):
        events, failure = await heard_until_failure(hasty, "hello")
    assert (events, failure.code, len(endpoint.requests)) == ([], "model_timeout", 1)
    assert failure.detail == "The model took too long to answer. Please try again."
    assert "see CHATBRIDGE_AGENT__FIRST" in caplog.text


async def test_the_first_word_may_take_longer_than_the_next(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools
) -> None:
    endpoint.answer(*whole(api), late=IDLE * 3)
    async for runner in runner_of(endpoint, api, tools, idle=IDLE, first=10):
        assert text_of(await heard(runner, "hello")) == SAID
    assert len(endpoint.requests) == 1


async def test_a_model_that_is_being_loaded_is_asked_until_it_is(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    loading = frame({"error": {"code": 503, "message": "Loading model"}}).split(b"data: ")[1]
    for _ in range(2):
        endpoint.answer(loading, status=503, headers={"content-type": "application/json"})
    endpoint.answer(*whole(api))
    assert text_of(await heard(runner, "hello")) == SAID


@pytest.mark.parametrize(
    "trouble",
    [
        {"ending": "cut"},
        {"ending": "end"},
        {"status": 408},
        {"status": 409},
        {"status": 429},
        {"status": 500},
        {"status": 503},
    ],
    ids=str,
)
async def test_trouble_before_the_first_event_is_asked_again(
    endpoint: ScriptedEndpoint, hasty: OpenAIAgentRunner, api: Api, trouble: dict[str, Any]
) -> None:
    endpoint.answer(**trouble).answer(*whole(api))
    assert text_of(await heard(hasty, "hello")) == SAID
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "model_refused"), (401, "model_unauthorized"), (404, "model_refused")],
)
async def test_a_refusal_is_not_asked_again(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, status: int, code: str
) -> None:
    endpoint.answer(status=status)
    _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == (code, 1)


async def test_the_endpoint_says_when_it_may_be_asked_again(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    endpoint.answer(status=429, headers={"retry-after": "1"})
    endpoint.answer(status=503, headers={"retry-after-ms": "40"}).answer(*whole(api))
    assert text_of(await heard(runner, "hello")) == SAID
    long, short = waits(endpoint)
    assert long >= 1.0
    assert short < 0.75, "the usual wait is at least so long here"


async def test_an_endpoint_that_wants_a_long_rest_is_not_waited_for(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    endpoint.answer(status=429, headers={"retry-after": "61"})
    async with asyncio.timeout(5):
        _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == ("model_rate_limited", 1)


# --- after the first event


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("silence", "model_timeout"),
        ("pings", "model_timeout"),
        ("cut", "model_unavailable"),
        ("end", "model_truncated"),
    ],
)
async def test_an_answer_that_has_begun_is_never_asked_for_again(
    endpoint: ScriptedEndpoint, hasty: OpenAIAgentRunner, api: Api, ending: str, code: str
) -> None:
    before = asyncio.all_tasks()
    endpoint.answer(*begun(api), ending=ending)
    async with asyncio.timeout(5):
        events, failure = await heard_until_failure(hasty, "hello")
    assert (text_of(events), failure.code, len(endpoint.requests)) == ("one two", code, 1)
    assert all_of(TextFinished, events) == []
    assert await nothing_left(before | endpoint.serving)


async def test_a_slow_answer_is_waited_for_as_long_as_it_goes_on(
    endpoint: ScriptedEndpoint, api: Api, tools: TaskTools
) -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    endpoint.answer(*(whole(api, text)), pause=0.12)
    started = asyncio.get_running_loop().time()
    async for patient in runner_of(endpoint, api, tools, idle=1):
        assert text_of(await heard(patient, "hello")) == text
    assert asyncio.get_running_loop().time() - started > 1


@pytest.mark.parametrize("ending", ["silence", "pings", "cut"])
async def test_an_answer_that_is_whole_is_whole_whatever_comes_behind_it(
    endpoint: ScriptedEndpoint, hasty: OpenAIAgentRunner, api: Api, ending: str
) -> None:
    frames = whole(api)
    last = b"response.completed" if api == "responses" else b'"finish_reason": "stop"'
    end = next(n for n, each in enumerate(frames) if last in each)
    endpoint.answer(*frames[: end + 1], ending=ending)
    async with asyncio.timeout(10):
        (answer,) = kept(await heard(hasty, "hello"))
    assert (answer.content, answer.kind, len(endpoint.requests)) == (SAID, "text", 1)


async def test_a_connection_that_is_left_open_behind_the_end_is_soon_left(
    endpoint: ScriptedEndpoint, tools: TaskTools
) -> None:
    endpoint.answer(chunk({"content": SAID}), chunk(finish="stop"), ending="silence")
    async with asyncio.timeout(15):
        async for patient in runner_of(endpoint, "chat_completions", tools, idle=30):
            (answer,) = kept(await heard(patient, "hello"))
            assert (answer.content, answer.kind) == (SAID, "text")


async def test_the_next_request_takes_the_same_connection(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    for _ in range(3):
        endpoint.answer(*whole(api))
        assert text_of(await heard(runner, "hello")) == SAID
    assert endpoint.connections == 1


async def test_only_the_step_that_failed_is_asked_again_and_a_tool_runs_once(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api, tools: TaskTools
) -> None:
    arguments = '{"title": "oats"}'
    call = {"index": 0, "id": "c", "function": {"name": "add_task", "arguments": arguments}}
    asked = {
        "responses": responses(function_call("add_task", arguments)),
        "chat_completions": [chunk({"tool_calls": [call]}), chunk(finish="tool_calls"), DONE],
    }
    endpoint.answer(*asked[api]).answer(status=500).answer(*whole(api))
    assert text_of(await heard(runner, "add oats")) == SAID
    assert (len(endpoint.requests), len(tools.requests)) == (3, 1)


# --- agents that others use as a tool


async def test_an_agent_that_is_a_tool_is_asked_again_too(endpoint: ScriptedEndpoint) -> None:
    model = openai_model(
        model="m",
        base_url=endpoint.url,
        api_key=None,
        api="responses",
        patience=Patience(first=IDLE, idle=IDLE),
    )
    endpoint.answer(status=500)
    endpoint.answer(*json_answer(message("Inside.")), headers={"content-type": "application/json"})
    inner = Agent(name="Inner", model=model.model)
    outer = ScriptedModel(
        [[asks_for("ask_inner", {"input": "?"}, call_id="1")], [assistant_message("Out.")]]
    )
    host = Agent(name="Host", tools=[inner.as_tool("ask_inner", "Ask it.")])
    runner = OpenAIAgentRunner(outer, TaskTools(()), instructions="", agent=host)
    step, _ = kept(await heard(runner, "go"))
    assert (step.tool_calls[0].output, len(endpoint.requests)) == ("Inside.", 2)
    await model.close()


def json_answer(item: dict[str, Any]) -> list[Frame]:
    _, data = responses(item)[-1].split(b"data: ", 1)
    start, end = data.index(b'"response": ') + len(b'"response": '), data.rindex(b"}")
    return [data[:end][start:]]
