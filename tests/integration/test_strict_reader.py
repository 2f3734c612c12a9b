"""The strictest endpoint takes every turn and the one that follows it, by both APIs."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.api import Api
from chatbridge.adapters.openai.models import openai_model
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from tests.contracts.agent_runner import ADA, heard, heard_until_failure, kept, said
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import (
    DONE,
    Answer,
    Frame,
    ScriptedEndpoint,
    chunk,
    completions,
    function_call,
    message,
    responses,
)
from tests.strict_reader import complaint, messages_of

GIVEN = "abc123XYZ"


class StrictEndpoint(ScriptedEndpoint):
    """Refuses a request that the strictest reader does not take, and says why."""

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        why = complaint(asked)
        if why is None:
            return super().next_answer(asked)
        return Answer([json.dumps({"error": {"message": why}}).encode()], status=400)


@pytest.fixture
async def endpoint() -> AsyncIterator[StrictEndpoint]:
    async with StrictEndpoint().running() as here:
        assert isinstance(here, StrictEndpoint)
        yield here


@pytest.fixture(params=["responses", "chat_completions"])
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture
def tools() -> TaskTools:
    return TaskTools()


@pytest.fixture
async def runner(
    endpoint: StrictEndpoint, api: Api, tools: TaskTools
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(model="my-alias", base_url=endpoint.url, api_key=None, api=api)
    yield OpenAIAgentRunner(model.model, tools, instructions="Help.")
    await model.close()


def says(api: Api, text: str) -> list[Frame]:
    return responses(message(text)) if api == "responses" else completions(text)


def asks(
    api: Api, name: str, arguments: str = "{}", before: str = "", id: str = GIVEN
) -> list[Frame]:
    """An answer that says something, perhaps, and calls a tool."""
    if api == "responses":
        spoken = [message(before)] if before else []
        return responses(*spoken, function_call(name, arguments, id))
    asked = {"index": 0, "id": id, "type": "function"}
    asked |= {"function": {"name": name, "arguments": arguments}}
    text = chunk({"role": "assistant", "content": before})
    return [text, chunk({"tool_calls": [asked]}), chunk(finish="tool_calls"), DONE]


async def answered(runner: OpenAIAgentRunner, history: list[Message]) -> list[Message]:
    """What is kept of a turn and of the one behind it, which is completed like the first."""
    first = [*history, *kept(await heard(runner, *history))]
    second = [*first, said("and now?")]
    return [*second, *kept(await heard(runner, *second))]


async def test_a_call_goes_back_under_its_own_id_in_the_turn_and_under_a_short_one_later(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api
) -> None:
    endpoint.answer(*asks(api, "list_tasks", before="Let me look.")).answer(*says(api, "None."))
    endpoint.answer(*says(api, "Still none."))
    history = await answered(runner, [said("what is there?")])
    (asked,) = [call.id for each in history for call in each.tool_calls]
    assert [_ids(request) for request in endpoint.requests] == [[], [GIVEN], [short_id(asked)]]
    assert history[-1].content == "Still none."


def _ids(request: dict[str, Any]) -> list[str]:
    return [call["id"] for told in messages_of(request) for call in told.get("tool_calls") or []]


async def test_text_and_a_call_of_one_answer_are_one_message_whenever_they_are_read(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api
) -> None:
    for before, id in (("Let me look.", "a00000000"), ("Once more.", "b00000000")):
        endpoint.answer(*asks(api, "list_tasks", before=before, id=id))
    endpoint.answer(*says(api, "None.")).answer(*says(api, "Still none."))
    await answered(runner, [said("what is there?")])
    within, later = (messages_of(request)[1:5] for request in endpoint.requests[-2:])
    assert [told["content"] for told in within] == [told["content"] for told in later]
    assert [bool(told.get("tool_calls")) for told in later] == [True, False, True, False]


@pytest.mark.parametrize("tool", [False, True])
async def test_a_turn_that_broke_off_does_not_end_the_conversation(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api, tool: bool
) -> None:
    if tool:
        endpoint.answer(*asks(api, "list_tasks"))
    endpoint.answer(status=400)
    events, _ = await heard_until_failure(runner, "what is there?")
    left = Transcript(ADA.conversation_id, events).closed()
    endpoint.answer(*says(api, "Here I am."))
    answer = kept(await heard(runner, said("what is there?"), *left, said("hello?")))
    assert answer[0].content == "Here I am."


@pytest.mark.parametrize("name", ["tasks.add task!", "", "a" * 100, "添加任务"])
async def test_a_tool_that_there_is_not_is_said_and_both_turns_go_on(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api, name: str
) -> None:
    endpoint.answer(*asks(api, name, '{"title": "tea"}'))
    endpoint.answer(*says(api, "Sorry.")).answer(*says(api, "Yes?"))
    history = await answered(runner, [said("add tea")])
    (call,) = history[1].tool_calls
    assert (call.state, str(call.output).startswith("There is no tool")) == ("failed", True)
    assert history[-1].content == "Yes?"


async def test_a_known_name_in_its_wrapping_runs(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api, tools: TaskTools
) -> None:
    for name in ("functions.list_tasks", "default_api:list_tasks", "list_tasks<|channel|>json"):
        endpoint.answer(*asks(api, name)).answer(*says(api, "None.")).answer(*says(api, "Yes?"))
        history = await answered(runner, [said("what is there?")])
        assert history[1].tool_calls[0].state == "succeeded"
    assert [request.name for request in tools.requests] == ["list_tasks"] * 3


async def test_arguments_that_are_no_object_do_not_end_the_conversation(
    runner: OpenAIAgentRunner, endpoint: StrictEndpoint, api: Api
) -> None:
    endpoint.answer(*asks(api, "add_task", '{"title": "te')).answer(*says(api, "Sorry."))
    endpoint.answer(*says(api, "Yes?"))
    history = await answered(runner, [said("add tea")])
    assert [m.content for m in history[2:]] == ["Sorry.", "and now?", "Yes?"]


class TextOnly(StrictEndpoint):
    """Its template knows users and assistants, and no calls, as Gemma's does."""

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        told = messages_of(asked)
        if not any(each["role"] == "tool" or each.get("tool_calls") for each in told):
            return super().next_answer(asked)
        words = "Conversation roles must alternate user/assistant/user/assistant/..."
        return Answer([json.dumps({"error": {"message": words}}).encode()], status=400)


async def test_calls_are_told_in_words_where_a_template_knows_none(api: Api) -> None:
    async with TextOnly().running() as endpoint:
        model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
        runner = OpenAIAgentRunner(model.model, TaskTools(), instructions="Help.")
        endpoint.answer(*asks(api, "list_tasks", before="Let me look."))
        endpoint.answer(*says(api, "None.")).answer(*says(api, "Still none."))
        history = await answered(runner, [said("what is there?")])
        await model.close()
    assert history[-1].content == "Still none."
    assert len(endpoint.requests) == 4  # the refusal was met once
    told = [(each["role"], each["content"]) for each in messages_of(endpoint.requests[-1])]
    assert [role for role, _ in told] == ["user", "assistant"] * 2 + ["user"]
    assert told[1][1] == "Let me look.\nI used list_tasks({})."
    assert told[2][1].startswith("The tool list_tasks answered:\n")
