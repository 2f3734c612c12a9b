"""The runner and whatever a model or a tool may do to it."""

import asyncio
import json
from typing import Any

import pytest
from agents import Model
from agents.testing import ScriptedModel, assistant_message, function_call

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import storable
from chatbridge.domain.model.tool import OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.domain.model.turn_event import (
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
)
from tests.contracts.agent_runner import (
    all_of,
    asking,
    heard,
    heard_until_failure,
    kept,
    nothing_left,
    stopped_after_words,
)
from tests.contracts.task_tools import TaskTools

NUL_AND_SURROGATE = "a\0b\ud800c"
CLEANED = "a\ufffdb\ufffdc"


def runner_of(model: Model, tools: TaskTools | None = None, **options: Any) -> OpenAIAgentRunner:
    return OpenAIAgentRunner(model, tools or TaskTools(), instructions="Help.", **options)


def waiting(seconds: float, call_id: str) -> Any:
    return function_call("rehearse", {"outcome": "slow", "seconds": seconds}, call_id=call_id)


async def test_parallel_tools_are_reported_as_each_ends() -> None:
    calls = [waiting(0.2, "slow"), waiting(0, "fast")]
    model = ScriptedModel([calls, [assistant_message("Both.")]])
    events = await heard(runner_of(model), "go")
    slow, fast = (e.call.id for e in all_of(ToolCallStarted, events))
    first, second = all_of(ToolCallFinished, events)
    assert (first.call_id, second.call_id) == (fast, slow)
    assert (second.at - first.at).total_seconds() > 0.1


async def test_the_calls_of_one_step_share_a_message_and_those_of_another_do_not() -> None:
    model = ScriptedModel(
        [[waiting(0, "1"), waiting(0, "2")], [waiting(0, "3")], [assistant_message("Done.")]]
    )
    first, second, text = kept(await heard(runner_of(model), "go"))
    assert [len(m.tool_calls) for m in (first, second, text)] == [2, 1, 0]


async def test_a_turn_lost_beside_a_running_tool_stops_that_tool() -> None:
    started: list[CallId] = []
    tools = TaskTools()

    async def before_call(call_id: CallId) -> None:
        started.append(call_id)
        if len(started) == 2:
            await asyncio.sleep(0.05)
            raise TurnLost("Gone.")

    model = ScriptedModel([[waiting(60, "1"), waiting(60, "2")]])
    before = asyncio.all_tasks()
    with pytest.raises(TurnLost):
        await runner_of(model, tools).run(asking("go", before_call=before_call))
    assert tools.cancelled == ["rehearse"]
    assert len(tools.requests) == 1
    assert await nothing_left(before)


async def test_a_failed_tool_is_failed_and_the_model_reads_why() -> None:
    model = ScriptedModel(
        [[function_call("complete_task", {"number": 9}, call_id="1")], [assistant_message("Oh.")]]
    )
    step, _ = kept(await heard(runner_of(model), "go"))
    assert (step.tool_calls[0].state, step.tool_calls[0].output) == (
        "failed",
        "There is no such task.",
    )
    assert _outputs(model) == ["There is no such task."]


async def test_a_call_that_nobody_saw_end_is_unknown_and_the_model_reads_why() -> None:
    model = ScriptedModel(
        [[function_call("rehearse", {"outcome": "lost"}, call_id="1")], [assistant_message("Oh.")]]
    )
    step, _ = kept(await heard(runner_of(model), "go"))
    assert (step.tool_calls[0].state, step.tool_calls[0].output) == ("unknown", "Check first.")
    assert _outputs(model) == ["Check first."]


async def test_a_provider_that_raises_is_a_failed_call() -> None:
    model = ScriptedModel(
        [[function_call("rehearse", {"outcome": "crash"}, call_id="1")], [assistant_message("Oh.")]]
    )
    step, _ = kept(await heard(runner_of(model), "go"))
    assert step.tool_calls[0].state == "failed"
    assert _outputs(model) == ["The tool failed because of an unexpected error."]


async def test_a_known_name_in_a_namespace_is_that_tool_and_runs() -> None:
    tools = TaskTools()
    asked = function_call("functions.add_task", {"title": "tea"}, call_id="1")
    model = ScriptedModel([[asked], [assistant_message("Added.")]])
    step, _ = kept(await heard(runner_of(model, tools), "go"))
    assert (step.tool_calls[0].name, step.tool_calls[0].state) == ("add_task", "succeeded")
    assert [r.name for r in tools.requests] == ["add_task"]


async def test_an_unknown_tool_is_a_failed_call_and_the_run_goes_on() -> None:
    model = ScriptedModel([[function_call("fly", {}, call_id="1")], [assistant_message("Sorry.")]])
    step, text = kept(await heard(runner_of(model), "go"))
    assert (step.tool_calls[0].name, step.tool_calls[0].state) == ("fly", "failed")
    assert _outputs(model) == ["There is no tool named fly, so nothing was run."]
    assert text.content == "Sorry."


@pytest.mark.parametrize("arguments", ["{oops", "[1]", '"x"', "null"])
async def test_bad_arguments_are_a_failed_call_and_the_tool_does_not_run(arguments: str) -> None:
    tools = TaskTools()
    model = ScriptedModel(
        [[function_call("add_task", arguments, call_id="1")], [assistant_message("Sorry.")]]
    )
    step, _ = kept(await heard(runner_of(model, tools), "go"))
    assert step.tool_calls[0].state == "failed"
    assert step.tool_calls[0].arguments == arguments
    assert "not a JSON object" in _outputs(model)[0]
    assert tools.requests == []


async def test_a_provider_may_use_a_call_id_again() -> None:
    tools = TaskTools()
    model = ScriptedModel(
        [
            [function_call("add_task", {"title": "a"}, call_id="call_0")],
            [function_call("add_task", {"title": "b"}, call_id="call_0")],
            [
                function_call("add_task", {"title": "c"}, call_id="call_0"),
                function_call("add_task", {"title": "d"}, call_id="call_0"),
            ],
            [assistant_message("Four.")],
        ]
    )
    messages = kept(await heard(runner_of(model, tools), "go"))
    calls = [call for message in messages for call in message.tool_calls]
    assert [r.arguments["title"] for r in tools.requests] == ["a", "b", "c", "d"]
    assert [c.id for c in calls] == [r.call_id for r in tools.requests]
    assert {c.state for c in calls} == {"succeeded"}


async def test_nothing_leaves_that_can_not_be_stored() -> None:
    tools = _Unclean()
    model = ScriptedModel(
        [
            [
                assistant_message(NUL_AND_SURROGATE),
                function_call("echo", json.dumps({"x": NUL_AND_SURROGATE}), call_id="1"),
                function_call(NUL_AND_SURROGATE, NUL_AND_SURROGATE, call_id="2"),
            ],
            [assistant_message("ok")],
        ]
    )
    messages = kept(await heard(runner_of(model, tools), "go"))
    assert messages[0].content == CLEANED
    echo, unknown = messages[1].tool_calls
    assert (echo.output, unknown.name, unknown.arguments) == (CLEANED, "a_b_c", CLEANED)
    assert all(storable(f"{m.content}{m.tool_calls!r}") for m in messages)
    assert tools.requests[0].arguments == {"x": CLEANED}
    assert _outputs(model)[0] == CLEANED


async def test_too_many_steps_end_the_run() -> None:
    model = ScriptedModel([[waiting(0, str(n))] for n in range(5)])
    events, failure = await heard_until_failure(runner_of(model, max_steps=3), "go")
    assert failure.code == "too_many_steps"
    assert len(all_of(ToolCallFinished, events)) == 3


async def test_calls_of_before_are_replayed_next_to_their_outputs() -> None:
    model = ScriptedModel([[waiting(0, "1"), waiting(0, "2")], [assistant_message("Done.")], []])
    first = kept(await heard(runner_of(model), "go"))
    await heard(runner_of(model), *first, "and now?")
    replayed = [i for i in _input(model) if "call_id" in i]
    kinds = [i["type"] for i in replayed]
    ids = [short_id(call.id) for call in first[0].tool_calls]
    assert kinds == ["function_call"] * 2 + ["function_call_output"] * 2
    assert [i["call_id"] for i in replayed] == [*ids, *ids]


async def test_closing_in_mid_text_stops_the_model_at_once() -> None:
    before = asyncio.all_tasks()
    said = await stopped_after_words(runner_of(OfflineModel(delay=0.01)), 3)
    assert len(all_of(TextDelta, said)) == 3
    assert asyncio.all_tasks() == before


async def test_one_runner_serves_many_turns_side_by_side() -> None:
    tools = TaskTools()
    runner = runner_of(OfflineModel(delay=0), tools)
    turns = await asyncio.gather(*(heard(runner, f"add task: t{n}") for n in range(20)))
    assert {c.state for turn in turns for m in kept(turn) for c in m.tool_calls} == {"succeeded"}
    assert len({m.id for turn in turns for m in kept(turn)}) == 40


class _Unclean(TaskTools):
    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        return (Tool(name="echo", description="", parameters={"type": "object"}),)

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        self.requests.append(request)
        return ToolResult(output=NUL_AND_SURROGATE)


def _input(model: ScriptedModel) -> list[Any]:
    return list(model.calls[-1].input)


def _outputs(model: ScriptedModel) -> list[str]:
    return [i["output"] for i in _input(model) if i.get("type") == "function_call_output"]
