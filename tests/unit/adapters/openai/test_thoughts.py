"""A model's thoughts beside its answer: in their order, bounded, and never read again."""

import asyncio
from typing import Any

import pytest
from agents import Agent

from chatbridge.adapters.chatkit.items.thoughts import WorkflowForms
from chatbridge.adapters.chatkit.items.wire import as_shown
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.messages import model_input
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import Changed, Shown, TextStarted, TurnEvent
from tests.contracts.agent_runner import ADA, all_of, asking, heard, kept
from tests.contracts.task_tools import TaskTools
from tests.hosts.scripted_model import Scripted, call, raising, text, thinking, thought

TITLED = "**Looking**\n\nFirst the list."


def runner_of(model: Scripted, agent: Agent[Any] | None = None, **how: Any) -> Any:
    given = {"thoughts": WorkflowForms(), **how}
    return OpenAIAgentRunner(model, TaskTools(), instructions="", agent=agent, **given)


def workflow(message: Message) -> dict[str, Any]:
    return (as_shown(message) or {})["workflow"]


def thoughts(message: Message) -> list[str]:
    return [task["content"] for task in workflow(message)["tasks"]]


async def test_thoughts_stand_before_what_they_lead_to_and_are_folded() -> None:
    model = Scripted(
        [thought("r1", "**Looking**", "\n\nFirst the list."), call("list_tasks")],
        [thought("r2", "Now I know."), text("m1", "None.")],
    )
    first, tools, second, answer = kept(await heard(runner_of(model), "go"))
    assert [m.kind for m in (first, tools, second, answer)] == ["shown", "tools", "shown", "text"]
    assert (thoughts(first), thoughts(second)) == ([TITLED], ["Now I know."])
    folded = {"type": "reasoning", "summary": {"duration": 0}, "expanded": False}
    assert {**workflow(first), "tasks": None} == {**folded, "tasks": None}


async def test_what_was_thought_is_never_read_again() -> None:
    model = Scripted([thought("r", "Secretly."), text("m", "Hello.")])
    window = kept(await heard(runner_of(model), "go"))
    assert "Secretly" not in str(model_input(window))


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ({}, ["A summary."]),
        ({"summaries": False}, ["A summary."]),
        ({"thoughts": None}, []),
    ],
)
async def test_only_those_are_shown_that_are_meant_to_be(how: Any, shown: list[str]) -> None:
    model = Scripted([thought("r", "A summary."), text("m", "Hello.")])
    messages = kept(await heard(runner_of(model, **how), "go"))
    assert [t for m in messages if m.kind == "shown" for t in thoughts(m)] == shown


async def test_raw_thoughts_are_shown_only_where_all_are_and_parted_at_blank_lines() -> None:
    step = [thinking("r", "First.", "\n", "\nThen", " this.\n\n"), text("m", "Hello.")]
    (answer,) = kept(await heard(runner_of(Scripted(step)), "go"))
    assert answer.content == "Hello."
    shown, _ = kept(await heard(runner_of(Scripted(step), summaries=False), "go"))
    assert thoughts(shown) == ["First.", "Then this."]


async def test_what_is_told_of_a_long_thought_grows_with_its_length_and_has_an_end() -> None:
    model = Scripted([thought("r", *["word "] * 6_000), text("m", "Hello.")])
    events = await heard(runner_of(model), "go")
    shown, _ = kept(events)
    (whole,) = thoughts(shown)
    changes = all_of(Changed, events)
    assert (len(whole), whole[-1]) == (20_001, "…")
    assert sum(len(str(change.payload)) for change in changes) < 12 * len(whole)
    assert "".join(change.text for change in changes) == whole[: sum(len(c.text) for c in changes)]


async def test_a_model_that_fails_in_its_thoughts_leaves_them_folded() -> None:
    model = Scripted([thought("r", "I wonder"), raising(RuntimeError("gone"))])
    events: list[TurnEvent] = []
    with pytest.raises(AgentFailed):
        await runner_of(model).run(asking("go", say=events.append))
    (shown,) = kept(events)
    assert workflow(shown)["summary"] == {"duration": 0}


async def test_a_turn_that_is_stopped_in_its_thoughts_leaves_them_folded() -> None:
    events: list[TurnEvent] = []
    thinks = asyncio.Event()

    def say(event: TurnEvent) -> None:
        events.append(event)
        if isinstance(event, Changed):
            thinks.set()

    model = Scripted([thought("r", "I wonder", None)])
    run = asyncio.create_task(runner_of(model).run(asking("go", say=say)))
    async with asyncio.timeout(5):
        await thinks.wait()
        run.cancel()
        await asyncio.wait({run})
    (running,) = Transcript(ADA.conversation_id, events).messages
    assert (workflow(running)["expanded"], "summary" in workflow(running)) == (True, False)
    left = as_shown(running, ended=True) or {}
    assert left["workflow"]["summary"] == {"title": "Thinking was cut off"}
    assert left["workflow"]["expanded"] is False


async def test_those_of_an_agent_that_is_a_tool_are_not_mixed_with_the_answers() -> None:
    inner = Scripted([thought("r", "Inner."), text("m", "Rain.")])
    tool = Agent(name="Inner", model=inner).as_tool("ask", "Ask.")
    model = Scripted(
        [thought("r", "Outer."), call("ask", '{"input": "?"}')], [text("m", "It rains.")]
    )
    messages = kept(await heard(runner_of(model, Agent(name="Host", tools=[tool])), "go"))
    assert [m.kind for m in messages] == ["shown", "tools", "text"]
    assert thoughts(messages[0]) == ["Outer."]


async def test_each_agent_that_an_answer_is_handed_to_has_its_own() -> None:
    other = Agent(name="B", model=Scripted([thought("r", "B's."), text("m", "Hi.")]))
    model = Scripted([thought("r", "A's."), call("transfer_to_b")])
    events = await heard(runner_of(model, Agent(name="A", handoffs=[other])), "go")
    assert [thoughts(m) for m in kept(events) if m.kind == "shown"] == [["A's."], ["B's."]]
    done = [n for n, e in enumerate(events) if isinstance(e, Shown) and e.how == "done"]
    assert done[-1] < next(n for n, e in enumerate(events) if isinstance(e, TextStarted))
