"""What every agent runner owes, whatever model stands behind it."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import AgentFailed, TurnLost
from chatbridge.domain.model.identifiers import (
    CallId,
    ConversationId,
    MessageId,
    TurnId,
    UserId,
    new_message_id,
)
from chatbridge.domain.model.message import Message, Role
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import (
    TextDelta,
    TextFinished,
    TextStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
)
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from tests.contracts.task_tools import TaskTools

E = TypeVar("E")
ADA = OnBehalf(
    user_id=UserId("ada"), conversation_id=ConversationId("conv_1"), turn_id=TurnId("turn_1")
)
_NOW = datetime.now(UTC)
TURN = Turn(
    id=ADA.turn_id,
    conversation=Conversation(
        id=ADA.conversation_id, user_id=ADA.user_id, created_at=_NOW, updated_at=_NOW
    ),
)


async def _at_once(call_id: CallId) -> None:
    await asyncio.sleep(0)


def said(content: str, role: Role = "user") -> Message:
    return Message(
        id=new_message_id(),
        conversation_id=ADA.conversation_id,
        role=role,
        kind="text",
        content=content,
        created_at=datetime.now(UTC),
    )


def asking(
    *window: Message | str,
    say: Callable[[TurnEvent], None] = lambda event: None,
    before_call: Callable[[CallId], Awaitable[None]] = _at_once,
) -> AgentRequest:
    messages = tuple(said(m) if isinstance(m, str) else m for m in window)
    return AgentRequest(turn=TURN, window=messages, say=say, before_call=before_call)


async def heard(runner: AgentRunner, *window: Message | str) -> list[TurnEvent]:
    events: list[TurnEvent] = []
    await runner.run(asking(*window, say=events.append))
    return events


async def heard_until_failure(
    runner: AgentRunner, *window: Message | str
) -> tuple[list[TurnEvent], AgentFailed]:
    events: list[TurnEvent] = []
    try:
        await runner.run(asking(*window, say=events.append))
    except AgentFailed as failure:
        return events, failure
    raise AssertionError("The run did not fail.")


async def stopped_after_words(runner: AgentRunner, words: int) -> list[TurnEvent]:
    """A long answer, stopped in its middle."""
    said: list[TurnEvent] = []
    enough = asyncio.Event()

    def say(event: TurnEvent) -> None:
        said.append(event)
        if len(all_of(TextDelta, said)) == words:
            enough.set()

    run = asyncio.create_task(runner.run(asking("rehearse a long answer", say=say)))
    async with asyncio.timeout(5):
        await enough.wait()
        run.cancel()
        await asyncio.wait({run})
    return said


def kept(events: list[TurnEvent]) -> tuple[Message, ...]:
    return Transcript(ADA.conversation_id, events).messages


def text_of(events: list[TurnEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def all_of(kind: type[E], events: list[TurnEvent]) -> list[E]:
    return [e for e in events if isinstance(e, kind)]


async def nothing_left(before: set["asyncio.Task[object]"]) -> bool:
    for _ in range(200):
        if not asyncio.all_tasks() - before:
            return True
        await asyncio.sleep(0.01)
    return False


class AgentRunnerContract(ABC):
    """Inherited by the tests of each runner; `says` and `calls` prepare the model's next step."""

    @pytest.fixture
    def tools(self) -> TaskTools:
        return TaskTools()

    @pytest.fixture
    @abstractmethod
    def runner(self, tools: TaskTools) -> AgentRunner | AsyncIterator[AgentRunner]: ...

    @abstractmethod
    def says(self, text: str) -> None:
        """The model is about to say this."""

    @abstractmethod
    def calls(self, name: str, **arguments: object) -> None:
        """The model is about to call this."""

    async def test_every_text_is_whole_and_finished(self, runner: AgentRunner) -> None:
        self.says("Hello! I am here.")
        events = await heard(runner, "hello")
        started, finished = all_of(TextStarted, events), all_of(TextFinished, events)
        assert [e.message_id for e in started] == [e.message_id for e in finished] != []
        assert [m.kind for m in kept(events)] == ["text"]
        assert kept(events)[0].content.startswith("Hello!")

    async def test_every_call_is_finished_and_then_the_answer_comes(
        self, runner: AgentRunner, tools: TaskTools
    ) -> None:
        self.calls("add_task", title="buy milk")
        self.says("Added it.")
        step, answer = kept(await heard(runner, "add buy milk"))
        (call,) = step.tool_calls
        assert (call.name, call.state, answer.kind) == ("add_task", "succeeded", "text")
        assert call.output == '{"number": 1, "done": false, "title": "buy milk"}'
        assert tools.requests[0].call_id == call.id

    async def test_ids_are_ours_and_never_repeat(self, runner: AgentRunner) -> None:
        ids: list[MessageId | CallId] = []
        for _ in range(3):
            self.calls("add_task", title="buy milk")
            self.says("Added it.")
            for message in kept(await heard(runner, "add buy milk")):
                ids += [message.id, *(call.id for call in message.tool_calls)]
        assert len(set(ids)) == len(ids) == 9
        assert all(re.fullmatch(r"(msg|call)_[0-9a-f]{32}", id) for id in ids)

    async def test_a_call_is_announced_then_durable_and_only_then_it_runs(
        self, runner: AgentRunner, tools: TaskTools
    ) -> None:
        order: list[str] = []

        async def before_call(call_id: CallId) -> None:
            order.append(f"asked {call_id}")
            await asyncio.sleep(0.02)
            order.append(f"durable {call_id}")

        tools.on_call = lambda request: order.append(f"ran {request.call_id}")
        self.calls("add_task", title="buy milk")
        self.says("Added it.")

        def say(event: TurnEvent) -> None:
            if isinstance(event, ToolCallStarted):
                order.append(f"announced {event.call.id}")
            if isinstance(event, ToolCallFinished):
                order.append(f"finished {event.call_id}")

        await runner.run(asking("add buy milk", say=say, before_call=before_call))
        assert [line.split()[0] for line in order] == [
            "announced", "asked", "durable", "ran", "finished",
        ]  # fmt: skip
        assert len({line.split()[1] for line in order}) == 1

    async def test_tools_are_listed_and_called_for_the_owner(
        self, runner: AgentRunner, tools: TaskTools
    ) -> None:
        self.calls("add_task", title="buy milk")
        self.says("Added it.")
        await heard(runner, "add buy milk")
        assert tools.owners == [ADA, ADA]

    async def test_a_lost_turn_ends_the_run_before_its_tool(
        self, runner: AgentRunner, tools: TaskTools
    ) -> None:
        async def lost(call_id: CallId) -> None:
            raise TurnLost("Another replica has it.")

        before = asyncio.all_tasks()
        self.calls("add_task", title="buy milk")
        with pytest.raises(TurnLost, match="Another replica"):
            await runner.run(asking("add buy milk", before_call=lost))
        assert tools.requests == []
        assert await nothing_left(before)

    async def test_closing_early_stops_the_tool_and_leaves_nothing(
        self, runner: AgentRunner, tools: TaskTools
    ) -> None:
        before = asyncio.all_tasks()
        running = asyncio.Event()
        tools.on_call = lambda request: running.set()
        self.calls("rehearse", outcome="slow", seconds=60)
        task = asyncio.create_task(heard(runner, "rehearse a slow tool for 60 seconds"))
        async with asyncio.timeout(5):
            await running.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert tools.cancelled == ["rehearse"]
        assert await nothing_left(before)

    async def test_closing_after_the_first_word_leaves_nothing(self, runner: AgentRunner) -> None:
        before = asyncio.all_tasks()
        self.says("one two three four five six seven eight nine ten")
        await stopped_after_words(runner, 1)
        assert await nothing_left(before)
