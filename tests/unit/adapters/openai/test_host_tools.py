"""The host's own function tools: a badge that says Failed where they have failed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from agents import (
    Agent,
    FunctionTool,
    RunContextWrapper,
    ToolOutputImage,
    ToolOutputText,
    function_tool,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from pydantic import BaseModel, Field

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.host_tools import fit_tools
from chatbridge.adapters.openai.unoffered import Unoffered
from tests.contracts.agent_runner import heard, kept
from tests.contracts.task_tools import TaskTools


def runner_of(agent: Agent[Any], model: ScriptedModel) -> OpenAIAgentRunner:
    return OpenAIAgentRunner(model, TaskTools(()), instructions="Ours.", agent=agent)


def worded(_: RunContextWrapper[Any], error: Exception) -> str:
    return f"Please don't: {error}"


async def worded_later(context: RunContextWrapper[Any], error: Exception) -> str:
    await asyncio.sleep(0)
    return worded(context, error)


@pytest.mark.parametrize("words", [worded, worded_later])
async def test_a_tool_that_words_its_own_failure_has_failed(words: Any) -> None:
    @function_tool(failure_error_function=words)
    def fails() -> str:
        raise RuntimeError("it is closed")

    model = ScriptedModel([[function_call("fails", {}, call_id="1")], [assistant_message("Oh.")]])
    agent = Agent(name="Host", tools=[fails])
    step, answer = kept(await heard(runner_of(agent, model), "go"))
    (call,) = step.tool_calls
    assert (call.state, call.output) == ("failed", "Please don't: it is closed")
    assert answer.content == "Oh."


async def test_a_tool_that_words_its_own_failure_and_does_not_fail_has_succeeded() -> None:
    @function_tool(failure_error_function=worded)
    def works(fail: bool) -> str:
        if fail:
            raise RuntimeError("it is closed")
        return "open"

    calls = [function_call("works", {"fail": fail}, call_id=str(fail)) for fail in (True, False)]
    model = ScriptedModel([calls, [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[works]), model), "go"))
    assert [(c.state, c.output) for c in step.tool_calls] == [
        ("failed", "Please don't: it is closed"),
        ("succeeded", "open"),
    ]


@pytest.mark.parametrize("words", [None, worded])
async def test_a_tool_that_takes_too_long_has_failed(words: Any) -> None:
    @function_tool(timeout=0.01, timeout_error_function=words)
    async def slow() -> str:
        await asyncio.sleep(60)
        return "never"

    model = ScriptedModel([[function_call("slow", {}, call_id="1")], [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[slow]), model), "go"))
    (call,) = step.tool_calls
    assert call.state == "failed"
    assert "timed out after 0.01 seconds" in (call.output or "")


async def test_an_agent_as_a_tool_that_fails_has_failed() -> None:
    broken = ScriptedModel([ModelStep.raise_error(RuntimeError("secret"))])
    inner = Agent(name="Inner", model=broken)
    agent = Agent(name="Host", tools=[inner.as_tool("ask_inner", "Ask it.")])
    model = ScriptedModel(
        [[function_call("ask_inner", {"input": "?"}, call_id="1")], [assistant_message("Out.")]]
    )
    step, _ = kept(await heard(runner_of(agent, model), "go"))
    (call,) = step.tool_calls
    assert call.state == "failed"
    assert "secret" not in (call.output or "")


async def test_the_hosts_tools_are_left_as_they_are() -> None:
    @function_tool(failure_error_function=worded)
    def fails() -> str:
        raise RuntimeError("it is closed")

    before = dict(vars(fails))
    model = ScriptedModel([[function_call("fails", {}, call_id="1")], [assistant_message("Oh.")]])
    agent = Agent(name="Host", tools=[fails])
    await heard(runner_of(agent, model), "go")
    assert agent.tools == [fails]
    assert vars(fails) == before


def tool_of(schema: dict[str, Any], *, strict: bool = False) -> FunctionTool:
    async def invoke(_: Any, arguments: str) -> str:
        return arguments

    return FunctionTool("tool", "A tool.", schema, invoke, strict_json_schema=strict)


def offered(tool: FunctionTool) -> list[dict[str, Any]]:
    """The schemas that a model is given where an agent has this tool."""
    found = fit_tools("Host", [tool], Unoffered())
    return [each.params_json_schema for each in found if isinstance(each, FunctionTool)]


def test_a_schema_that_some_model_refuses_is_mended_and_the_hosts_stays() -> None:
    given = {"type": "object", "properties": {"all": {"type": "array"}}}
    tool = tool_of(given)
    assert offered(tool) == [
        {"type": "object", "properties": {"all": {"type": "array", "items": {}}}}
    ]
    assert tool.params_json_schema == given


def test_a_mended_schema_is_not_called_strict() -> None:
    tool = tool_of({"type": "object", "properties": {"all": {"type": "array"}}}, strict=True)
    (fit,) = fit_tools("Host", [tool], Unoffered())
    assert isinstance(fit, FunctionTool)
    assert (fit.strict_json_schema, tool.strict_json_schema) == (False, True)


def test_what_the_sdk_makes_of_a_function_goes_as_it_is() -> None:
    @function_tool
    def nothing() -> None: ...

    @function_tool
    def seen(place: Place, color: Color, words: list[str] | None = None) -> None: ...

    assert list(fit_tools("Host", [nothing, seen], Unoffered())) == [nothing, seen]


def test_what_is_mended_and_says_all_stays_strict() -> None:
    @function_tool
    def paint(way: Literal["up"], name: Annotated[str, Field(pattern="^[a-z]")]) -> None: ...

    (fit,) = fit_tools("Host", [paint], Unoffered())
    assert isinstance(fit, FunctionTool)
    assert (fit is not paint, fit.strict_json_schema) == (True, True)


async def test_an_argument_whose_name_some_endpoint_refuses_comes_under_its_own() -> None:
    @function_tool
    def measure(größe: int) -> int:
        return größe

    called = [function_call("measure", {"gr__e": 7}, call_id="1")]
    model = ScriptedModel([called, [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[measure]), model), "go"))
    assert (step.tool_calls[0].state, step.tool_calls[0].output) == ("succeeded", "7")


async def test_a_tool_that_no_model_takes_is_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(70):
        deep = {"type": "object", "properties": {"a": deep}}
    model = ScriptedModel([[assistant_message("Hi.")], [assistant_message("Hi.")]])
    agent, unoffered = Agent(name="Deep", tools=[tool_of(deep)]), Unoffered()
    runner = OpenAIAgentRunner(
        model, TaskTools(()), instructions="", agent=agent, unoffered=unoffered
    )
    assert [(each.source, each.tool) for each in unoffered.tools()] == [("agent Deep", "tool")]
    for _ in range(2):
        (answer,) = kept(await heard(runner, "go"))
        assert answer.content == "Hi."
    assert (
        caplog.text.count("agent Deep: its tool 'tool' is not offered: its schema is nested") == 1
    )
    assert not [tool.name for tool in model.calls[0].tools if tool.name == "tool"]


class Color(Enum):
    RED = "red"


class Place(BaseModel):
    name: str = "Oslo"
    seen: datetime | None = None


@dataclass
class Weather:
    mild: bool = True


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("brought", "read"),
    [
        ("as it is", "as it is"),
        ({"ok": True, "at": None, "name": "O'Hara"}, '{"ok":true,"at":null,"name":"O\'Hara"}'),
        ([{"a": None}], '[{"a":null}]'),
        ([], "[]"),
        ({"type": "order", "number": 7}, '{"type":"order","number":7}'),
        (Place(), '{"name":"Oslo","seen":null}'),
        ([Place(name="München")], '[{"name":"München","seen":null}]'),
        (Weather(), '{"mild":true}'),
        (None, "null"),
        (True, "true"),
        (float("nan"), "null"),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, '{"at":"2026-01-02T00:00:00Z"}'),
        ({"price": Decimal("1.50"), "tags": {"a"}}, '{"price":"1.50","tags":["a"]}'),
        (b"\xff", '"_w=="'),
        (Color.RED, '"red"'),
        (ITSELF, "[[...]]"),
        (ToolOutputText(text="its words"), "its words"),
        ([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
    ],
)
async def test_what_a_tool_brings_is_read_as_text_or_json(brought: Any, read: str) -> None:
    @function_tool
    def bring() -> Any:
        return brought

    model = ScriptedModel([[function_call("bring", {}, call_id="1")], [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[bring]), model), "go"))
    assert (step.tool_calls[0].state, step.tool_calls[0].output) == ("succeeded", read)
    output: Any = next(i for i in model.calls[-1].input if isinstance(i, dict) and "output" in i)
    told = output["output"]
    assert told == read or "\n".join(part["text"] for part in told) == read


async def test_a_picture_goes_to_the_model_and_is_named_on_the_badge() -> None:
    picture = ToolOutputImage(image_url="data:image/png;base64,")

    @function_tool
    def draw() -> Any:
        return [ToolOutputText(text="Here:"), picture]

    model = ScriptedModel([[function_call("draw", {}, call_id="1")], [assistant_message("Oh.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[draw]), model), "go"))
    assert step.tool_calls[0].output == "Here:\n(an image)"
    assert str(picture.image_url) in str(model.calls[-1].input)
