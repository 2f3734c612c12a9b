"""The day that a model is told."""

from datetime import UTC, datetime, timedelta

from agents.testing import ScriptedModel, assistant_message

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.today import dated
from tests.contracts.agent_runner import heard
from tests.contracts.task_tools import TaskTools

MORNING = datetime(2026, 11, 28, 6, tzinfo=UTC)


def test_the_day_stands_at_the_end_and_stays_until_midnight() -> None:
    told = dated("Help.", MORNING)
    assert told == "Help.\n\nToday is Saturday, 28 November 2026 (UTC)."
    assert dated("Help.", MORNING + timedelta(hours=17, minutes=59)) == told
    assert dated("Help.", MORNING + timedelta(hours=18)) != told


def test_an_agent_without_instructions_is_told_the_day() -> None:
    assert dated(None, MORNING) == "Today is Saturday, 28 November 2026 (UTC)."


async def test_every_request_tells_the_day() -> None:
    model = ScriptedModel([[assistant_message("Hello.")]])
    await heard(OpenAIAgentRunner(model, TaskTools(), instructions="Help."), "hi")
    assert str(model.calls[0].system_instructions).startswith("Help.\n\nToday is ")
