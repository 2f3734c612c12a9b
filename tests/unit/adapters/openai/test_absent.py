"""Tool servers that are away: what the model is told and what the person sees."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agents import Agent, RunContextWrapper
from agents.testing import ScriptedModel, assistant_message

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.messages import model_input
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool import Away
from chatbridge.domain.model.turn_event import TextDelta, ToolCallFinished, ToolCallStarted
from tests.contracts.agent_runner import heard, kept, said
from tests.contracts.task_tools import TaskTools
from tests.unit.adapters.openai.spoken import spoken

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
WEATHER = Away(source="weather", since=SINCE)
MAPS = Away(source="my maps", since=SINCE)


class Chat:
    """A conversation whose tool servers go and come; the model always says "Hello."."""

    def __init__(self, agent: Agent[Any] | None = None) -> None:
        self.tools = TaskTools()
        self.model = ScriptedModel([[assistant_message("Hello.")] for _ in range(9)])
        self._runner = OpenAIAgentRunner(self.model, self.tools, instructions="Help.", agent=agent)
        self.window: tuple[Message, ...] = ()

    async def turn(self) -> tuple[Message, ...]:
        """What a turn keeps."""
        self.window += (said("hi"),)
        answer = kept(await heard(self._runner, *self.window))
        self.window += answer
        return answer

    @property
    def instructions(self) -> str:
        """What the model was told last, up to the date."""
        return (self.model.calls[-1].system_instructions or "").rpartition("\n\nToday is ")[0]


@pytest.fixture
def chat() -> Chat:
    return Chat()


async def test_what_is_away_is_shown_before_the_answer_as_a_failed_call(chat: Chat) -> None:
    chat.tools.missing = (WEATHER, MAPS)
    shown, answer = await chat.turn()

    assert [(call.name, call.state) for call in shown.tool_calls] == [
        ("tools of weather", "failed"),
        ("tools of my maps", "failed"),
    ]
    assert shown.tool_calls[0].output == (
        "The tool server 'weather' is not available right now, "
        "so its tools are missing or may fail."
    )
    assert answer.content == "Hello."


async def test_it_begins_and_ends_before_the_model_says_anything(chat: Chat) -> None:
    chat.tools.missing = (WEATHER,)
    runner = OpenAIAgentRunner(chat.model, chat.tools, instructions="Help.")
    kinds = [type(event) for event in await heard(runner, "hi")]

    assert kinds[:2] == [ToolCallStarted, ToolCallFinished]
    assert TextDelta in kinds[2:]


async def test_it_is_shown_once_for_as_long_as_it_lasts(chat: Chat) -> None:
    chat.tools.missing = (WEATHER,)
    assert len(await chat.turn()) == 2
    assert len(await chat.turn()) == 1
    assert len(await chat.turn()) == 1


async def test_another_server_or_another_time_is_shown_again(chat: Chat) -> None:
    chat.tools.missing = (WEATHER,)
    await chat.turn()
    chat.tools.missing = (WEATHER, MAPS)
    other, _ = await chat.turn()
    chat.tools.missing = (replace(WEATHER, since=datetime.now(UTC) + timedelta(seconds=1)),)
    again, _ = await chat.turn()

    assert [call.name for call in other.tool_calls] == ["tools of my maps"]
    assert [call.name for call in again.tool_calls] == ["tools of weather"]


async def test_it_is_shown_again_when_the_window_has_moved_past_it(chat: Chat) -> None:
    chat.tools.missing = (WEATHER,)
    await chat.turn()
    chat.window = chat.window[3:]

    assert len(await chat.turn()) == 2


async def test_the_model_is_told_in_every_turn_until_it_is_back(chat: Chat) -> None:
    await chat.turn()
    assert chat.instructions == "Help."
    chat.tools.missing = (WEATHER, MAPS)
    for _ in range(2):
        await chat.turn()
        assert chat.instructions.startswith("Help.\n\nThese tool servers are not available")
        assert "weather, my maps" in chat.instructions
    chat.tools.missing = ()
    await chat.turn()
    assert chat.instructions == "Help."


@pytest.mark.parametrize(
    ("instructions", "told"),
    [
        (None, "These tool servers"),
        ("Mine.", "Mine.\n\nThese tool servers"),
        (lambda context, agent: f"For {context.context.user_id}.", "For ada.\n\nThese tool"),
    ],
)
async def test_a_hosts_agent_is_told_too_and_never_changed(
    instructions: str | Callable[[RunContextWrapper[Any], Agent[Any]], str] | None, told: str
) -> None:
    agent = Agent[Any](name="mine", instructions=instructions)
    chat = Chat(agent)
    chat.tools.missing = (WEATHER,)
    await chat.turn()

    assert chat.instructions.startswith(told)
    assert agent.instructions is instructions


async def test_later_turns_do_not_read_it_as_a_call(chat: Chat) -> None:
    chat.tools.missing = (WEATHER,)
    await chat.turn()

    assert spoken(model_input(chat.window)) == [("user", "hi"), ("assistant", "Hello.")]
