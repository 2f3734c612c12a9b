"""A call that a model has asked for, as it is told."""

import pytest

from chatbridge.adapters.openai.calls import Calls
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.tool_call import is_notice, listing_of
from chatbridge.domain.model.turn_event import ToolCallStarted, TurnEvent

STEP = MessageId("msg_1")


def started(told: list[TurnEvent]) -> ToolCallStarted:
    [event] = [each for each in told if isinstance(each, ToolCallStarted)]
    return event


@pytest.mark.parametrize(
    ("name", "source", "called"),
    [
        ("add_task", "tasks", "add_task"),
        ("made_up", "", "made_up"),
        ("tools of tasks", "", "tools_of_tasks"),
        ("file cat.png", "", "file_cat.png"),
    ],
)
def test_it_names_its_server_and_is_no_notice_of_ours(name: str, source: str, called: str) -> None:
    told: list[TurnEvent] = []
    calls = Calls(told.append)
    calls.sources = {"add_task": "tasks"}
    calls.start(STEP, "provider_1", name, "{}")
    call = started(told).call
    assert (call.name, call.source, is_notice(call.name)) == (called, source, False)


def test_a_source_that_is_away_is_told_by_a_call_that_no_model_can_make() -> None:
    told: list[TurnEvent] = []
    Calls(told.append).report(STEP, listing_of("tasks"), "It is down.")
    assert is_notice(started(told).call.name)
