"""The day that a model is told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from agents.testing import ScriptedModel, assistant_message

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.today import dated, now_in
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


def test_the_day_is_the_person_s_where_the_zone_is_known() -> None:
    kiritimati = MORNING.astimezone(ZoneInfo("Pacific/Kiritimati")) + timedelta(hours=5)
    assert dated(None, kiritimati) == "Today is Sunday, 29 November 2026 (Pacific/Kiritimati)."
    assert getattr(now_in("Pacific/Kiritimati").tzinfo, "key", None) == "Pacific/Kiritimati"


@pytest.mark.parametrize(
    "zone", [None, "", "Nowhere/At_All", "../etc/passwd", "/etc/localtime", "Etc"]
)
def test_without_a_zone_that_is_known_the_day_is_utc_s(zone: str | None) -> None:
    assert now_in(zone).utcoffset() == timedelta()


async def test_every_request_tells_the_day() -> None:
    model = ScriptedModel([[assistant_message("Hello.")]])
    await heard(OpenAIAgentRunner(model, TaskTools(), instructions="Help."), "hi")
    assert str(model.calls[0].system_instructions).startswith("Help.\n\nToday is ")
