"""A host's own agent, with all that it brings."""

import asyncio
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunContextWrapper,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
)
from agents.testing import ScriptedModel, assistant_message, function_call

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.domain.model.errors import AgentFailed, TurnLost
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.model.turn_event import (
    Revised,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
)
from chatbridge.ports.agent_runner import AgentRequest
from tests.contracts.agent_runner import (
    ADA,
    all_of,
    asking,
    heard,
    heard_until_failure,
    kept,
    nothing_left,
)
from tests.contracts.task_tools import TaskTools

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "agent.py"


def runner_of(
    agent: Agent[Any], model: ScriptedModel, tools: TaskTools | None = None
) -> OpenAIAgentRunner:
    return OpenAIAgentRunner(model, tools or TaskTools(()), instructions="Ours.", agent=agent)


def calls_of(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(call.name, call.state) for message in messages for call in message.tool_calls]


@function_tool
def whoami(context: RunContextWrapper[OnBehalf]) -> str:
    return context.context.user_id


@function_tool
def explode() -> str:
    raise RuntimeError("secret")


async def test_it_answers_with_its_own_model_and_instructions() -> None:
    own = ScriptedModel([[assistant_message("Own.")]])
    agent = Agent(name="Host", instructions="Theirs.", model=own)
    (message,) = kept(await heard(runner_of(agent, ScriptedModel([])), "go"))
    assert message.content == "Own."
    assert str(own.calls[0].system_instructions).startswith("Theirs.\n\nToday is ")


async def test_without_a_model_of_its_own_it_has_the_configured_one() -> None:
    model = ScriptedModel([[assistant_message("Configured.")]])
    (message,) = kept(await heard(runner_of(Agent(name="Host"), model), "go"))
    assert message.content == "Configured."
    assert model.calls[0].model_settings.reasoning is None


async def test_a_model_is_found_by_its_name() -> None:
    asked: list[str] = []

    def named(name: str) -> ScriptedModel:
        asked.append(name)
        return ScriptedModel([[assistant_message("Named.")]])

    agent = Agent(name="Host", model="large")
    runner = OpenAIAgentRunner(
        ScriptedModel([]), TaskTools(()), instructions="", agent=agent, named=named
    )
    (message,) = kept(await heard(runner, "go"))
    assert (message.content, set(asked)) == ("Named.", {"large"})


async def test_a_model_that_can_not_be_had_is_refused_before_anybody_asks() -> None:
    deep = Agent(name="Deep", model="large")
    agent = Agent(name="Host", handoffs=[Agent(name="Between", handoffs=[deep])])
    with pytest.raises(ValueError, match=r"model large is named.*OPENAI_API_KEY"):
        runner_of(agent, ScriptedModel([]))


async def test_its_tools_are_calls_for_the_one_who_asks() -> None:
    model = ScriptedModel([[function_call("whoami", {}, call_id="1")], [assistant_message("Ada.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[whoami]), model), "go"))
    assert step.tool_calls[0].output == ADA.user_id
    assert step.tool_calls[0].state == "succeeded"


async def test_its_tool_that_raises_has_failed_and_tells_nothing_of_it() -> None:
    model = ScriptedModel([[function_call("explode", {}, call_id="1")], [assistant_message("Oh.")]])
    messages = kept(await heard(runner_of(Agent(name="Host", tools=[explode]), model), "go"))
    assert calls_of(messages) == [("explode", "failed")]
    assert "secret" not in repr(messages)


@pytest.mark.parametrize("way", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize("own_words", [True, False], ids=["own words", "none"])
async def test_its_tool_that_wants_to_end_everything_ends_only_itself(
    way: type[BaseException], own_words: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def leaves() -> str:
        raise way("private")

    def leaves_its_thread() -> str:
        raise way("private")

    words = {"failure_error_function": lambda *_: "It is closed."} if own_words else {}
    tools = [function_tool(leaves, **words), function_tool(leaves_its_thread, **words)]
    asked = [function_call(tool.name, {}, call_id=tool.name) for tool in tools]
    model = ScriptedModel([asked, [assistant_message("Oh.")]])
    events = await heard(runner_of(Agent(name="Host", tools=[*tools]), model), "go")
    step, answer = kept(events)
    assert calls_of((step,)) == [("leaves", "failed"), ("leaves_its_thread", "failed")]
    assert all("private" not in call.output for call in step.tool_calls)
    assert answer.content == "Oh."
    assert len([r for r in caplog.records if "failed in call" in r.message]) == 2


@pytest.mark.parametrize("where", ["instructions", "input_guardrails", "output_guardrails"])
@pytest.mark.parametrize("is_async", [True, False])
async def test_what_the_sdk_asks_of_it_beside_a_run_ends_only_that_run(
    where: str, is_async: bool
) -> None:
    def leave(context: object, agent: object) -> str:
        raise SystemExit(3)

    async def leave_later(context: object, agent: object) -> str:
        raise SystemExit(3)

    async def guard_later(context: object, agent: object, seen: object) -> GuardrailFunctionOutput:
        raise SystemExit(3)

    def guard(context: object, agent: object, seen: object) -> GuardrailFunctionOutput:
        raise SystemExit(3)

    kind = InputGuardrail if where == "input_guardrails" else OutputGuardrail
    asked = [kind(guard_later if is_async else guard)]
    given = (leave_later if is_async else leave) if where == "instructions" else asked
    model = ScriptedModel([[assistant_message("Oh.")]])
    agent = Agent(name="Host", **{where: given})  # pyright: ignore[reportArgumentType]
    with pytest.raises(AgentFailed):
        await heard(runner_of(agent, model), "go")


async def test_nothing_of_it_runs_before_its_call_is_durable() -> None:
    ran: list[str] = []

    @function_tool
    def work() -> str:
        ran.append("work")
        return "done"

    async def lost(call_id: CallId) -> None:
        raise TurnLost("Gone.")

    to = handoff(Agent(name="Other"), on_handoff=lambda _: ran.append("handoff"))
    agent = Agent(name="Host", tools=[work], handoffs=[to])
    for name in ("work", "transfer_to_other"):
        before = asyncio.all_tasks()
        model = ScriptedModel([[function_call(name, {}, call_id="1")]])
        with pytest.raises(TurnLost):
            await runner_of(agent, model).run(asking("go", before_call=lost))
        assert await nothing_left(before)
    assert ran == []


async def test_closing_stops_its_tools() -> None:
    running, stopped = asyncio.Event(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return ""

    before = asyncio.all_tasks()
    model = ScriptedModel([[function_call("wait", {}, call_id="1")]])
    task = asyncio.create_task(heard(runner_of(Agent(name="Host", tools=[wait]), model), "go"))
    async with asyncio.timeout(5):
        await running.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stopped.wait()
    assert await nothing_left(before)


async def test_ours_are_offered_beside_its_own_and_give_way_to_a_namesake() -> None:
    @function_tool
    def add_task() -> str:
        return "the host's"

    tools = TaskTools()
    model = ScriptedModel(
        [
            [
                function_call("add_task", {}, call_id="1"),
                function_call("list_tasks", {}, call_id="2"),
            ],
            [assistant_message("Done.")],
        ]
    )
    agent = Agent(name="Host", tools=[add_task])
    step, _ = kept(await heard(runner_of(agent, model, tools), "go"))
    assert step.tool_calls[0].output == "the host's"
    assert [r.name for r in tools.requests] == ["list_tasks"]
    assert agent.tools == [add_task]


async def test_a_handoff_is_a_call_and_so_are_the_tools_behind_it() -> None:
    other = Agent(name="Other", tools=[whoami])
    agent = Agent(name="Host", handoffs=[other])
    other.handoffs.append(agent)
    model = ScriptedModel(
        [
            [function_call("transfer_to_other", {}, call_id="1")],
            [function_call("whoami", {}, call_id="2")],
            [function_call("transfer_to_host", {}, call_id="3")],
            [assistant_message("Here again.")],
        ]
    )
    messages = kept(await heard(runner_of(agent, model), "go"))
    assert calls_of(messages) == [
        ("transfer_to_other", "succeeded"),
        ("whoami", "succeeded"),
        ("transfer_to_host", "succeeded"),
    ]
    assert messages[-1].content == "Here again."


@pytest.mark.parametrize(
    ("first", "second"), [("规划", "搜索"), ("Планы", "Поиск"), ("Sales EU", "Sales/EU")]
)
async def test_handoffs_whose_names_fall_together_stay_apart(first: str, second: str) -> None:
    named = [Agent(name=first, instructions="One."), Agent(name=second, instructions="Two.")]
    model = ScriptedModel([[assistant_message("Hm.")]])
    await heard(runner_of(Agent(name="Host", handoffs=[*named]), model), "go")
    _, chosen = (handoff.tool_name for handoff in model.calls[0].handoffs)
    model = ScriptedModel([[function_call(chosen, {}, call_id="1")], [assistant_message("Two.")]])
    messages = kept(await heard(runner_of(Agent(name="Host", handoffs=[*named]), model), "go"))
    assert calls_of(messages) == [(chosen, "succeeded")]
    assert str(model.calls[-1].system_instructions).startswith("Two.")


async def test_so_do_agents_that_are_tools() -> None:
    def answering(name: str, words: str) -> FunctionTool:
        inner = Agent(name=name, model=ScriptedModel([[assistant_message(words)]]))
        return inner.as_tool(None, f"Ask {name}.")

    tools = [answering("规划", "One."), answering("搜索", "Two.")]
    asked = [function_call(name, {"input": "?"}, call_id=name) for name in ("__", "___2")]
    model = ScriptedModel([asked, [assistant_message("Both.")]])
    step, _ = kept(await heard(runner_of(Agent(name="Host", tools=[*tools]), model), "go"))
    assert [call.output for call in step.tool_calls] == ["One.", "Two."]
    assert [tool.name for tool in tools] == ["__", "__"]


async def test_of_two_handoffs_at_once_the_second_has_failed() -> None:
    agent = Agent(name="Host", handoffs=[Agent(name="One"), Agent(name="Two")])
    model = ScriptedModel(
        [
            [
                function_call("transfer_to_one", {}, call_id="1"),
                function_call("transfer_to_two", {}, call_id="2"),
            ],
            [assistant_message("One.")],
        ]
    )
    messages = kept(await heard(runner_of(agent, model), "go"))
    assert calls_of(messages) == [("transfer_to_one", "succeeded"), ("transfer_to_two", "failed")]


async def test_a_refused_message_ends_the_turn_with_its_code() -> None:
    @input_guardrail(run_in_parallel=False)
    def never(_: Any, __: Any, ___: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    model = ScriptedModel([])
    agent = Agent(name="Host", input_guardrails=[never])
    events, failure = await heard_until_failure(runner_of(agent, model), "go")
    assert (events, failure.code) == ([], "input_refused")


async def test_a_refused_answer_ends_the_turn_and_what_was_shown_of_it_stays() -> None:
    @output_guardrail
    def never(_: Any, __: Any, ___: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    model = ScriptedModel([[assistant_message("Too much.")]])
    agent = Agent(name="Host", output_guardrails=[never])
    events, failure = await heard_until_failure(runner_of(agent, model), "go")
    assert failure.code == "output_refused"
    assert [m.content for m in kept(events)] == ["Too much."]


async def test_a_tools_output_that_is_the_answer_is_said() -> None:
    model = ScriptedModel([[function_call("whoami", {}, call_id="1")]])
    agent = Agent(name="Host", tools=[whoami], tool_use_behavior="stop_on_first_tool")
    _, answer = kept(await heard(runner_of(agent, model), "go"))
    assert (answer.kind, answer.content) == ("text", ADA.user_id)


async def test_an_agent_as_a_tool_is_one_call_and_its_words_are_its_output() -> None:
    inner = Agent(name="Inner", model=ScriptedModel([[assistant_message("Inside.")]]))
    agent = Agent(name="Host", tools=[inner.as_tool("ask_inner", "Ask it.")])
    model = ScriptedModel(
        [[function_call("ask_inner", {"input": "?"}, call_id="1")], [assistant_message("Out.")]]
    )
    step, answer = kept(await heard(runner_of(agent, model), "go"))
    assert (step.tool_calls[0].output, answer.content) == ("Inside.", "Out.")


async def test_the_example_does_what_it_says() -> None:
    spec: Any = importlib.util.spec_from_file_location("example_agent", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    model = ScriptedModel(
        [
            [function_call("transfer_to_refunds", {}, call_id="1")],
            [function_call("ask_for_refund", {"number": "1002"}, call_id="2")],
            [assistant_message("It is noted.")],
        ]
    )
    events = await heard(runner_of(example.assistant, model), "I want my money back")
    assert [e.call.name for e in all_of(ToolCallStarted, events)] == [
        "transfer_to_refunds",
        "ask_for_refund",
    ]
    assert all_of(ToolCallFinished, events)[-1].output == "Noted for ada: order 1002."
    refused = runner_of(example.assistant, ScriptedModel([[assistant_message("Thanks.")]]))
    _, failure = await heard_until_failure(refused, "my card is 4111 1111 1111 1111")
    assert failure.code == "input_refused"


@pytest.mark.parametrize("made", [lambda agent: agent, handoff])
async def test_an_answer_that_was_handed_over_goes_on_with_that_agent(made: Any) -> None:
    hers = ScriptedModel([[assistant_message("B.")], [assistant_message("Still B.")]])
    hands = function_call("transfer_to_b", {}, call_id="1")
    model = ScriptedModel([[hands], [assistant_message("A.")]])
    agent = Agent(name="A", handoffs=[made(Agent(name="B", model=hers))])
    runner = runner_of(agent, model)
    assert (await heard(runner, "go"))[-1] == Revised(agent="B")
    for remembered, says, revised in (("B", "Still B.", []), ("Gone", "A.", [])):
        events: list[TurnEvent] = []
        await runner.run(remembering(remembered, events))
        assert (kept(events)[-1].content, all_of(Revised, events)) == (says, revised)


async def test_an_answer_that_fails_hands_nothing_over() -> None:
    hands = function_call("transfer_to_b", {}, call_id="1")
    agent = Agent(name="A", handoffs=[Agent(name="B", model=ScriptedModel([]))])
    events, _ = await heard_until_failure(runner_of(agent, ScriptedModel([[hands]])), "go")
    assert all_of(Revised, events) == []


def remembering(agent: str, events: list[TurnEvent]) -> AgentRequest:
    request = asking("go on", say=events.append)
    conversation = replace(request.turn.conversation, agent=agent)
    return replace(request, turn=replace(request.turn, conversation=conversation))
