"""Both APIs of a model endpoint, over real HTTP, in good and in bad times."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import pytest
from llmock.pytest_plugin import LLMock
from llmock.scenarios import Reply

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import openai_model
from chatbridge.adapters.openai.names import short_id
from chatbridge.adapters.openai.patience import Patience
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn_event import TextFinished, TokensUsed
from tests.contracts.agent_runner import (
    AgentRunnerContract,
    all_of,
    heard,
    heard_until_failure,
    kept,
    nothing_left,
    said,
    text_of,
)
from tests.contracts.task_tools import TaskTools
from tests.counted import counted
from tests.strict_reader import messages_of

Api = Literal["responses", "chat_completions"]
APIS: tuple[Api, ...] = ("responses", "chat_completions")


@dataclass
class Agent:
    """A runner whose model is the scripted endpoint."""

    runner: OpenAIAgentRunner
    tools: TaskTools
    api: Api


@pytest.fixture
def endpoint(llmock: LLMock) -> LLMock:
    return llmock.tool_mode("off")


@pytest.fixture(params=APIS)
async def agent(request: pytest.FixtureRequest, endpoint: LLMock) -> AsyncIterator[Agent]:
    model = openai_model(
        model="mock", base_url=endpoint.base_url(), api_key="key", api=request.param
    )
    tools = TaskTools()
    yield Agent(OpenAIAgentRunner(model.model, tools, instructions="Help."), tools, request.param)
    await model.close()


class _OverHttp(AgentRunnerContract):
    @pytest.fixture(autouse=True)
    def script(self, endpoint: LLMock) -> None:
        self._endpoint = endpoint.pace(5)

    def says(self, text: str) -> None:
        self._endpoint.reply(text)

    def calls(self, name: str, **arguments: object) -> None:
        self._endpoint.call_tool(name, arguments)


class TestResponsesAgent(_OverHttp):
    @pytest.fixture
    async def runner(self, endpoint: LLMock, tools: TaskTools) -> AsyncIterator[OpenAIAgentRunner]:
        async for runner in _runner("responses", endpoint, tools):
            yield runner


class TestChatCompletionsAgent(_OverHttp):
    @pytest.fixture
    async def runner(self, endpoint: LLMock, tools: TaskTools) -> AsyncIterator[OpenAIAgentRunner]:
        async for runner in _runner("chat_completions", endpoint, tools):
            yield runner


async def _runner(
    api: Api, mock: LLMock, tools: TaskTools, idle: float = 30
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(
        model="mock",
        base_url=mock.base_url(),
        api_key=None,
        api=api,
        patience=Patience(first=idle, idle=idle),
    )
    yield OpenAIAgentRunner(model.model, tools, instructions="Help.")
    await model.close()


async def test_three_turns_with_tools_and_all_of_it_replayed(
    agent: Agent, endpoint: LLMock
) -> None:
    history: list[Message] = []
    for turn, title in enumerate(("tea", "milk", "bread"), start=1):
        endpoint.call_tool("add_task", {"title": title}).reply(f"Added {title}.")
        history.append(said(f"add {title}"))
        history += kept(await heard(agent.runner, *history))
        assert history[-1].content == f"Added {title}."
        assert len(history) == 3 * turn
    assert len({m.id for m in history}) == 9
    assert [t["title"] for t in agent.tools.tasks.values()] == ["tea", "milk", "bread"]
    ids = [c.id for m in history for c in m.tool_calls]
    read = messages_of(endpoint.requests[-1].body)
    answered = [message["tool_call_id"] for message in read if message["role"] == "tool"]
    assert answered[:2] == [short_id(id) for id in ids[:2]]


async def test_what_the_model_costs_is_counted(agent: Agent, endpoint: LLMock) -> None:
    endpoint.call_tool("add_task", {"title": "tea"}).reply("Added.")
    costs = all_of(TokensUsed, await heard(agent.runner, "add tea"))
    assert len(costs) == 2
    assert all(cost.input_tokens > 0 and cost.output_tokens > 0 for cost in costs)


async def test_a_busy_endpoint_is_asked_again(agent: Agent, endpoint: LLMock) -> None:
    endpoint.rate_limit(times=1, retry_after=0.1).reply("Here I am.")
    assert text_of(await heard(agent.runner, "hello")) == "Here I am."
    assert [r.status for r in endpoint.requests] == [429, 200]


@pytest.mark.parametrize(
    ("status", "requests", "code"),
    [
        (401, 1, "model_unauthorized"),
        (403, 1, "model_unauthorized"),
        (400, 1, "model_refused"),
        (404, 1, "model_refused"),
        (422, 1, "model_refused"),
        (429, 3, "model_rate_limited"),
        (500, 3, "model_unavailable"),
    ],
)
async def test_a_refusal_has_its_code(
    agent: Agent, endpoint: LLMock, status: int, requests: int, code: str
) -> None:
    endpoint.fail(status, times=None, retry_after=0.01)
    events, failure = await heard_until_failure(agent.runner, "hello")
    assert (events, failure.code, len(endpoint.requests)) == ([], code, requests)


async def test_a_prompt_that_is_too_long_is_named(agent: Agent, endpoint: LLMock) -> None:
    endpoint.context_overflow()
    _, failure = await heard_until_failure(agent.runner, "hello")
    assert failure.code == "context_too_long"


async def test_an_endpoint_that_is_not_there_is_unavailable() -> None:
    model = openai_model(model="m", base_url="http://127.0.0.1:9/v1", api_key=None, api="responses")
    runner = OpenAIAgentRunner(model.model, TaskTools(), instructions="Help.")
    _, failure = await heard_until_failure(runner, "hello")
    assert failure.code == "model_unavailable"
    await model.close()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("disconnect", "model_unavailable"),
        ("truncate", "model_truncated"),
        ("corrupt", "model_malformed"),
    ],
)
async def test_a_broken_stream_keeps_its_words_and_is_no_answer(
    agent: Agent, endpoint: LLMock, kind: str, code: str
) -> None:
    before = asyncio.all_tasks()
    endpoint.reply("one two three four five six seven eight")
    getattr(endpoint, kind)(after_chunks=8)
    events, failure = await heard_until_failure(agent.runner, "hello")
    assert text_of(events).startswith("one two three")
    assert all_of(TextFinished, events) == []
    assert failure.code == code
    assert await nothing_left(before)


async def test_an_answer_cut_off_at_the_length_limit_is_no_answer(
    agent: Agent, endpoint: LLMock
) -> None:
    endpoint.add(Reply(text="one two", finish_reason="length"))
    events, failure = await heard_until_failure(agent.runner, "hello")
    assert (text_of(events).strip(), failure.code) == ("one two", "model_truncated")


@pytest.mark.parametrize("api", APIS)
async def test_a_silent_endpoint_is_a_timeout(endpoint: LLMock, api: Api) -> None:
    endpoint.reply("one two three four five six").stall(after_chunks=6, seconds=2)
    async for runner in _runner(api, endpoint, TaskTools(), idle=0.3):
        events, failure = await heard_until_failure(runner, "hello")
        assert (failure.code, len(endpoint.requests)) == ("model_timeout", 1)
        assert text_of(events).startswith("one")


@pytest.mark.parametrize("kind", ["malformed_arguments", "unknown_tool"])
async def test_a_broken_tool_call_is_a_failed_call_and_the_model_goes_on(
    agent: Agent, endpoint: LLMock, kind: str
) -> None:
    endpoint.call_tool("add_task", {"title": "tea"}).break_tool_call(kind).reply("Sorry.")
    step, text = kept(await heard(agent.runner, "add tea"))
    assert (step.tool_calls[0].state, text.content) == ("failed", "Sorry.")
    assert agent.tools.tasks == {}


async def test_no_event_is_built_by_trying_and_no_type_twice(
    agent: Agent, endpoint: LLMock
) -> None:
    endpoint.call_tool("add_task", {"title": "tea"}).reply("word " * 50)
    await heard(agent.runner, "add tea")
    endpoint.call_tool("add_task", {"title": "tea"}).reply("word " * 50)
    with counted("construct_type", "generate_schema") as calls:
        assert len(text_of(await heard(agent.runner, "add tea")).split()) == 50
    assert calls == {}
