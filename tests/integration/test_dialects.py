"""Endpoints with a dialect of their own, over real HTTP: what they are asked, what is heard."""

import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import Agent, function_tool
from agents.testing import ScriptedModel, assistant_message
from agents.testing import function_call as asks_for

from chatbridge.adapters.chatkit.items.thoughts import WorkflowForms
from chatbridge.adapters.chatkit.items.wire import as_shown
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.adapters.openai.patience import Patience
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.turn_event import TextFinished, TokensUsed
from tests.contracts.agent_runner import (
    all_of,
    asking,
    heard,
    heard_until_failure,
    kept,
    said,
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
    response,
    responses,
    usage_chunk,
)

APIS: tuple[Api, ...] = ("responses", "chat_completions")
GZIP = {"content-encoding": "gzip"}
JSON = {"content-type": "application/json"}
SAID = "one two three"
STOP = {"finish_reason": "stop"}


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint().running() as here:
        yield here


@pytest.fixture
async def runner(endpoint: ScriptedEndpoint, api: Api) -> AsyncIterator[OpenAIAgentRunner]:
    async for made in runner_of(endpoint, api):
        yield made


async def runner_of(
    endpoint: ScriptedEndpoint, api: Api, *, log_words: bool = False, **patience: Any
) -> AsyncIterator[OpenAIAgentRunner]:
    model = openai_model(
        model="m", base_url=endpoint.url, api_key=None, api=api, patience=Patience(**patience)
    )
    yield OpenAIAgentRunner(model.model, TaskTools(), instructions="Help.", log_words=log_words)
    await model.close()


def whole(api: Api, text: str = SAID) -> list[Frame]:
    return responses(message(text)) if api == "responses" else completions(text)


def empty(api: Api) -> list[Frame]:
    return responses() if api == "responses" else [chunk(finish="stop"), usage_chunk(11, 7), DONE]


def document(value: Any) -> Frame:
    return json.dumps(value).encode()


# --- what is asked


@pytest.mark.parametrize("status", [400, 500, 501])
async def test_what_is_refused_by_name_is_left_out_and_not_sent_again(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api, status: int
) -> None:
    refusal = {"error": {"message": "Unknown parameter: 'include'.", "param": "include"}}
    name = "include" if api == "responses" else "stream_options"
    refusal = json.loads(json.dumps(refusal).replace("include", name))
    endpoint.answer(document(refusal), status=status, headers=JSON)
    endpoint.answer(*whole(api)).answer(*whole(api))
    for _ in range(2):
        assert text_of(await heard(runner, "hello")) == SAID
    assert [name in asked for asked in endpoint.requests][1:] == [False, False]


async def test_a_tool_that_is_refused_costs_only_itself(
    endpoint: ScriptedEndpoint,
    runner: OpenAIAgentRunner,
    api: Api,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = "Invalid schema for function 'add_task': array schema missing items"
    endpoint.answer(document({"error": {"message": words}}), status=400, headers=JSON)
    endpoint.answer(*whole(api))
    assert text_of(await heard(runner, "hello")) == SAID
    before, after = (len(asked["tools"]) for asked in endpoint.requests)
    assert after == before - 1
    assert "the tool add_task" in caplog.text


async def test_a_model_that_knows_no_tools_is_asked_without_and_that_is_said(
    endpoint: ScriptedEndpoint, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    words = {"error": {"message": "library/gemma:2b does not support tools"}}
    endpoint.answer(document(words), status=400, headers=JSON)
    endpoint.answer(*whole(api)).answer(*whole(api))
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
    runner = OpenAIAgentRunner(model.model, TaskTools(), instructions="Help.")
    for _ in range(2):
        assert text_of(await heard(runner, "hello")) == SAID
    await model.close()
    assert ["tools" in asked for asked in endpoint.requests] == [True, False, False]
    assert "refuses tools: left out for an hour" in caplog.text
    (left_out,) = model.left_out()
    assert (left_out.source, left_out.tool) == ("127.0.0.1", "*")


async def test_a_refusal_that_goes_on_ends(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    refusal = document({"error": {"message": "x", "param": "stream_options"}})
    for _ in range(3):
        endpoint.answer(refusal, status=400, headers=JSON)
    _, failure = await heard_until_failure(runner, "hello")
    assert failure.code == "model_refused"
    assert len(endpoint.requests) <= 2


async def test_a_prompt_that_is_too_long_is_tried_with_the_newer_half(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    words = "The input token count (1200000) exceeds the maximum number of tokens allowed."
    endpoint.answer(document({"error": {"message": words}}), status=400, headers=JSON)
    endpoint.answer(*whole(api))
    window = [said("old " * 100), said("ok", "assistant"), said("new " * 100)]
    assert text_of(await heard(runner, *window)) == SAID
    first, second = (json.dumps(asked) for asked in endpoint.requests)
    assert "old" in first
    assert ("old" in second, "new" in second) == (False, True)


async def test_one_message_that_is_too_long_alone_is_not_cut(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    refusal = {"error": {"message": "prompt is too long", "code": "context_length_exceeded"}}
    endpoint.answer(document(refusal), status=400, headers=JSON)
    _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == ("context_too_long", 1)


async def test_thinking_goes_back_with_its_call_whatever_the_model_is_called(
    endpoint: ScriptedEndpoint,
) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "list_tasks", "arguments": "{}"}}
    thought = chunk({"reasoning_content": "I should list them."})
    endpoint.answer(thought, chunk({"tool_calls": [call]}), chunk(finish="tool_calls"), DONE)
    endpoint.answer(*completions(SAID))
    async for runner in runner_of(endpoint, "chat_completions"):
        await heard(runner, "go")
    (asked,) = [m for m in endpoint.requests[1]["messages"] if m.get("tool_calls")]
    assert asked["reasoning_content"] == "I should list them."


def thinking_call(thought: str) -> list[Frame]:
    """An answer that thinks and calls a tool, by an id that this provider gives to every call."""
    call = {"index": 0, "id": "c1", "function": {"name": "list_tasks", "arguments": "{}"}}
    given = [chunk({"reasoning_content": thought}), chunk({"tool_calls": [call]})]
    return [*given, chunk(finish="tool_calls"), DONE]


def thoughts_in(request: dict[str, Any]) -> list[str]:
    return [m["reasoning_content"] for m in request["messages"] if m.get("tool_calls")]


async def test_what_was_thought_in_one_turn_is_never_told_in_another(
    endpoint: ScriptedEndpoint,
) -> None:
    endpoint.answer(*thinking_call("Ada's.")).answer(*thinking_call("Bob's."))
    endpoint.answer(*completions("For Bob.")).answer(*completions("For Ada."))
    async for runner in runner_of(endpoint, "chat_completions"):

        async def before_call(_: CallId, runner: OpenAIAgentRunner = runner) -> None:
            assert text_of(await heard(runner, "go")) == "For Bob."

        await runner.run(asking("go", before_call=before_call))
    assert [thoughts_in(request) for request in endpoint.requests[2:]] == [["Bob's."], ["Ada's."]]


async def test_each_step_of_a_turn_gets_its_own_thoughts_back(endpoint: ScriptedEndpoint) -> None:
    endpoint.answer(*thinking_call("One.")).answer(*thinking_call("Two."))
    endpoint.answer(*completions(SAID))
    async for runner in runner_of(endpoint, "chat_completions"):
        await heard(runner, "go")
    assert thoughts_in(endpoint.requests[-1]) == ["One.", "Two."]


async def test_so_does_an_agent_that_is_a_tool(endpoint: ScriptedEndpoint) -> None:
    @function_tool
    def look() -> str:
        return "Rain."

    function = {"name": "look", "arguments": "{}"}
    call = {"id": "c1", "type": "function", "function": function, "extra_content": {"sign": "s"}}
    thinks = {"role": "assistant", "reasoning_content": "I look.", "tool_calls": [call]}
    says = {"role": "assistant", "content": "It rains."}
    ask = {"index": 0, "id": "c0", "function": {"name": "ask", "arguments": '{"input": "?"}'}}
    endpoint.answer(chunk({"tool_calls": [ask]}), chunk(finish="tool_calls"), DONE)
    for answered, reason in ((thinks, "tool_calls"), (says, "stop")):
        choice = {"index": 0, "message": answered, "finish_reason": reason}
        endpoint.answer(document({"id": "x", "choices": [choice]}), headers=JSON)
    endpoint.answer(*completions(SAID))
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api="chat_completions")
    host = Agent(name="Host", tools=[Agent(name="Inner", tools=[look]).as_tool("ask", "Ask.")])
    runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="", agent=host)
    assert text_of(await heard(runner, "go")) == SAID
    await model.close()
    (asked,) = [m for m in endpoint.requests[2]["messages"] if m.get("tool_calls")]
    assert asked["reasoning_content"] == "I look."
    assert asked["tool_calls"][0]["extra_content"] == {"sign": "s"}


# --- what is heard


def thought_event(kind: str, **fields: Any) -> Frame:
    where = {"item_id": "rs_1", "output_index": 0, "sequence_number": 0}
    return frame({"type": f"response.{kind}", **where, **fields})


WHOLE = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
SUMMARY = [
    thought_event("reasoning_summary_text.delta", summary_index=0, delta="H"),
    thought_event("reasoning_summary_text.delta", summary_index=0, delta="m."),
    thought_event("reasoning_summary_text.done", summary_index=0, text="Hm."),
]
RAW = [thought_event("reasoning_text.delta", content_index=0, delta="Hm.")]
THOUGHTS: list[tuple[str, Api, list[Frame], bool]] = [
    ("a summary", "responses", SUMMARY, True),
    ("one that comes whole", "responses", responses(WHOLE)[:-1], True),
    ("what is thought", "responses", RAW, False),
    ("a field", "chat_completions", [chunk({"reasoning_content": "Hm."})], False),
    ("another", "chat_completions", [chunk({"reasoning": "H"}), chunk({"reasoning": "m."})], False),
    (
        "the same in both",
        "chat_completions",
        [chunk({"reasoning_content": "Hm.", "reasoning": "Hm."})],
        False,
    ),
    ("in the text", "chat_completions", [chunk({"content": "<think>Hm.</think>"})], False),
]


@pytest.mark.parametrize(("api", "frames", "summary"), [t[1:] for t in THOUGHTS], ids=lambda _: "")
async def test_thoughts_are_shown_from_whichever_field_they_come_in(
    endpoint: ScriptedEndpoint, api: Api, frames: list[Frame], summary: bool
) -> None:
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
    for summaries in (True, False):
        endpoint.answer(*frames, *whole(api))
        runner = OpenAIAgentRunner(
            model.model,
            TaskTools(()),
            instructions="",
            thoughts=WorkflowForms(),
            summaries=summaries,
        )
        *thoughts, answer = kept(await heard(runner, "hello"))
        told = [(as_shown(m) or {})["workflow"]["tasks"][0]["content"] for m in thoughts]
        assert told == (["Hm."] if summary or not summaries else [])
        assert answer.content == SAID
    await model.close()


async def test_an_answer_that_was_not_streamed_is_an_answer(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    answered = {"role": "assistant", "content": SAID}
    plain: dict[Api, Any] = {
        "responses": response("completed", message(SAID)),
        "chat_completions": {
            "choices": [{"index": 0, "message": answered, "finish_reason": "stop"}]
        },
    }
    endpoint.answer(document(plain[api]), headers=JSON)
    (answer,) = kept(await heard(runner, "hello"))
    assert (answer.content, answer.kind, len(endpoint.requests)) == (SAID, "text", 1)


async def test_a_page_in_place_of_an_answer_is_named_once(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer(b"<html>Welcome</html>", headers={"content-type": "text/html"})
    _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == ("model_malformed", 1)
    assert "content type text/html" in caplog.text
    assert "see CHATBRIDGE_AGENT__BASE_URL" in caplog.text
    assert endpoint.url in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "tries"),
    [
        ({"code": 404, "message": "model not found"}, "model_refused", 1),
        ({"code": 429, "message": "busy"}, "model_rate_limited", 3),
        ({"type": "overloaded_error", "message": "busy"}, "model_unavailable", 3),
    ],
)
@pytest.mark.parametrize("headers", [JSON, {}])
async def test_an_error_that_came_with_200_is_an_error(
    endpoint: ScriptedEndpoint,
    runner: OpenAIAgentRunner,
    error: Any,
    code: str,
    tries: int,
    headers: dict[str, str],
) -> None:
    for _ in range(3):
        told = {"error": error}
        endpoint.answer(document(told) if headers else frame(told), headers=headers)
    _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == (code, tries)


async def test_an_empty_answer_is_asked_once_more_and_has_cost_what_it_cost(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    endpoint.answer(*empty(api)).answer(*whole(api))
    events = await heard(runner, "hello")
    assert text_of(events) == SAID
    (cost,) = all_of(TokensUsed, events)
    assert (cost.input_tokens, cost.output_tokens) == (22, 14)
    endpoint.answer(*whole(api, "\u200b\ufeff")).answer(*empty(api))
    events, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == ("model_silent", 4)
    assert all_of(TokensUsed, events) == [cost]
    assert failure.detail == "The model ended without an answer. Please try again."
    assert all_of(TextFinished, events) == []


async def test_a_call_in_an_answer_that_was_cut_was_not_run(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    called = function_call("add_task", '{"title": "oats"}')
    piece = {"index": 0, "id": "c", "function": {"name": "add_task", "arguments": "{}"}}
    end = {"type": "response.incomplete", "response": response("incomplete", called)}
    over: dict[Api, list[Frame]] = {
        "responses": [*responses(called)[:-1], frame(end)],
        "chat_completions": [chunk({"tool_calls": [piece]}), chunk(finish="length"), DONE],
    }
    endpoint.answer(*over[api])
    events, failure = await heard_until_failure(runner, "add oats")
    (step,) = kept(events)
    (call,) = step.tool_calls
    assert (call.name, call.state, failure.code) == ("add_task", "failed", "model_truncated")
    assert call.output == "The answer broke off, so the tool was not run."


async def test_a_call_that_is_told_twice_is_run_once(endpoint: ScriptedEndpoint) -> None:
    told = function_call("add_task", '{"title": "oats"}')
    *begun, _ = responses(told, told | {"id": "fc_other"})
    end = {"type": "response.completed", "response": response("completed", told, told)}
    endpoint.answer(*begun, frame(end)).answer(*responses(message(SAID)))
    async for runner in runner_of(endpoint, "responses"):
        step, _ = kept(await heard(runner, "add oats"))
    assert [call.state for call in step.tool_calls] == ["succeeded"]


async def test_a_stream_that_breaks_is_cut_though_each_event_says_that_it_ends(
    endpoint: ScriptedEndpoint,
) -> None:
    endpoint.answer(*(chunk({"content": word}, "stop") for word in ("Half ", "a ")), ending="cut")
    async for runner in runner_of(endpoint, "chat_completions"):
        events, failure = await heard_until_failure(runner, "hello")
    assert (text_of(events), failure.code) == ("Half a ", "model_unavailable")


async def test_an_answer_without_end_is_cut_and_kept_as_cut(
    endpoint: ScriptedEndpoint, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer(*whole(api, "again and " * 40))
    async for runner in runner_of(endpoint, api, max_characters=100):
        events, failure = await heard_until_failure(runner, "hello")
    assert failure.code == "model_truncated"
    assert [m.kind for m in kept(events)] == ["partial"]
    assert 80 < len(text_of(events)) <= 110
    assert "CHATBRIDGE_AGENT__MAX_CHARACTERS" in caplog.text


async def test_an_answer_that_takes_for_ever_is_cut_too(
    endpoint: ScriptedEndpoint, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer(*whole(api, "again and " * 40), pause=0.05)
    async for runner in runner_of(endpoint, api, max_seconds=1.0):
        _, failure = await heard_until_failure(runner, "hello")
    assert failure.code == "model_truncated"
    assert "CHATBRIDGE_AGENT__MAX_SECONDS" in caplog.text


async def test_any_event_is_a_sign_of_life(endpoint: ScriptedEndpoint) -> None:
    thinking = chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]})
    endpoint.answer(*[thinking] * 8, *completions(SAID), pause=0.2)
    async for runner in runner_of(endpoint, "chat_completions", first=0.5, idle=0.5):
        assert text_of(await heard(runner, "hello")) == SAID


async def test_thinking_in_a_text_is_not_the_answer(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    endpoint.answer(*whole(api, f"<think>a plan </think> {SAID}"))
    (answer,) = kept(await heard(runner, "hello"))
    assert answer.content == SAID


async def test_thinking_that_a_template_has_opened_is_not_sent_back(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    for _ in range(2):
        endpoint.answer(*whole(api, f"a plan\n</think>\n\n{SAID}"))
    first = kept(await heard(runner, "hello"))
    await heard(runner, "hello", *first, "again")
    assert "a plan" not in json.dumps(endpoint.requests[1])


async def test_a_packed_answer_is_read_and_one_that_is_packed_twice_is_not(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner, api: Api
) -> None:
    packed = gzip.compress(b"".join(whole(api)))
    endpoint.answer(packed, headers={"content-encoding": "gzip"})
    assert text_of(await heard(runner, "hello")) == SAID
    endpoint.answer(gzip.compress(packed), headers={"content-encoding": "gzip, gzip"})
    _, failure = await heard_until_failure(runner, "hello")
    assert failure.code == "model_malformed"


async def test_a_packed_answer_that_is_huge_is_let_go(
    endpoint: ScriptedEndpoint, runner: OpenAIAgentRunner
) -> None:
    huge = gzip.compress(b": ping\n" * 6_000_000)
    endpoint.answer(*(huge[n : n + 65536] for n in range(0, len(huge), 65536)), headers=GZIP)
    _, failure = await heard_until_failure(runner, "hello")
    assert (failure.code, len(endpoint.requests)) == ("model_malformed", 1)


async def test_a_call_in_the_text_is_hinted_at(
    endpoint: ScriptedEndpoint,
    runner: OpenAIAgentRunner,
    api: Api,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.answer(*whole(api, '{"name": "add_task", "arguments": {"title": "milk"}}'))
    await heard(runner, "add milk")
    assert "tool call into its text" in caplog.text


async def test_arguments_that_came_as_an_object_are_arguments(endpoint: ScriptedEndpoint) -> None:
    odd: Any = function_call("add_task") | {"arguments": {"title": "oats"}}
    endpoint.answer(*responses(odd)).answer(*responses(message(SAID)))
    async for runner in runner_of(endpoint, "responses"):
        step, _ = kept(await heard(runner, "add oats"))
    assert (step.tool_calls[0].arguments, step.tool_calls[0].state) == (
        '{"title": "oats"}',
        "succeeded",
    )


async def test_an_agent_that_is_a_tool_is_heard_in_the_same_way(
    endpoint: ScriptedEndpoint, api: Api
) -> None:
    thought: Any = [{"type": "text", "text": f"<think>a plan</think>{SAID}"}]
    plain: dict[Api, Any] = {
        "responses": response("completed", message(f"<think>a plan</think>{SAID}")),
        "chat_completions": {"choices": [{"message": {"content": thought}, **STOP}]},
    }
    endpoint.answer(document(plain[api]), headers=JSON)
    model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=api)
    inner = Agent(name="Inner", model=model.model)
    outer = ScriptedModel(
        [[asks_for("ask_inner", {"input": "?"}, call_id="1")], [assistant_message("Out.")]]
    )
    host = Agent(name="Host", tools=[inner.as_tool("ask_inner", "Ask it.")])
    step, _ = kept(
        await heard(OpenAIAgentRunner(outer, TaskTools(()), instructions="", agent=host))
    )
    assert step.tool_calls[0].output == SAID
    await model.close()


# --- what an operator reads


@pytest.mark.parametrize("log_words", [False, True])
async def test_the_words_of_an_endpoint_are_in_the_log_only_if_they_are_wanted(
    endpoint: ScriptedEndpoint, api: Api, caplog: pytest.LogCaptureFixture, log_words: bool
) -> None:
    caplog.set_level(logging.INFO)
    error = {"message": "hello\n\x1b[2J" + "x" * 900, "type": "ann_smith", "param": "a sentence"}
    endpoint.answer(
        document({"error": error | {"code": "model_not_found"}}), status=404, headers=JSON
    )
    async for runner in runner_of(endpoint, api, log_words=log_words):
        await heard_until_failure(runner, "hello")
    (line,) = [r.getMessage() for r in caplog.records if "failed with" in r.getMessage()]
    told = "status 404, code model_not_found, type (not known here), parameter (not known here)"
    assert f"failed with model_refused: NotFoundError, {told}" in line
    assert "CHATBRIDGE_AGENT__MODEL" in line
    assert ("xxx" in line, "\n" in line, len(line) < 1000) == (log_words, False, True)
