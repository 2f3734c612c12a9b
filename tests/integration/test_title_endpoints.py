"""Titles that endpoints make, over real HTTP: what they are asked, and what becomes of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.adapters.openai.titles import Titles
from chatbridge.domain.model.conversation import TITLE_ASKED, Conversation
from chatbridge.domain.model.turn_event import TextFinished, Titled, TokensUsed, TurnEvent
from tests.contracts.agent_runner import TURN, asking, said, text_of
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import (
    DONE,
    Answer,
    Frame,
    ScriptedEndpoint,
    chunk,
    completions,
    message,
    responses,
)
from tests.strict_reader import complaint

ANSWER = "one two three"
THOUGHT = "<think>They greet me.</think>\n\n**Title:** “A greeting.”"


class Endpoint(ScriptedEndpoint):
    """Answers each message the same, and makes a title with the frames of the test."""

    def __init__(self, api: Api, title: Answer) -> None:
        super().__init__()
        self.api, self.title = api, title

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        return self.title if TITLE_ASKED in json.dumps(asked) else Answer(told(self.api, ANSWER))


class NobodyRenames:
    """A store of conversations in which nobody has given a title."""

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, *_: Any) -> Conversation:
        self.asked += 1
        return TURN.conversation


def told(api: Api, text: str) -> list[Frame]:
    return responses(message(text)) if api == "responses" else completions(text)


async def answered(endpoint: Endpoint) -> list[TurnEvent]:
    """All that a turn says whose conversation has no title yet."""
    events: list[TurnEvent] = []
    subject = said("hello there, model")
    request = replace(asking(subject, say=events.append), turn=replace(TURN, subject=subject))
    nobody: Any = NobodyRenames()
    async with endpoint.running():
        model = openai_model(model="m", base_url=endpoint.url, api_key=None, api=endpoint.api)
        titles = Titles(nobody, log_words=False)
        runner = OpenAIAgentRunner(model.model, TaskTools(), instructions="", titles=titles)
        await runner.run(request)
        await model.close()
    assert text_of(events) == ANSWER
    # only who has a title to give looks whether somebody was faster
    assert nobody.asked == len(titles_in(events))
    return events


def titles_in(events: list[TurnEvent]) -> list[str]:
    return [event.title for event in events if isinstance(event, Titled)]


@pytest.fixture(params=["responses", "chat_completions"])
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


async def test_thinking_and_what_stands_around_it_are_no_title(api: Api) -> None:
    endpoint = Endpoint(api, Answer(told(api, THOUGHT)))
    events = await answered(endpoint)
    assert titles_in(events) == ["A greeting"]
    assert [e for e in events if isinstance(e, TokensUsed)] == [
        TokensUsed(input_tokens=11, output_tokens=7)
    ] * 2
    _, asked = endpoint.requests
    assert complaint(asked) is None
    assert "tools" not in asked or not asked["tools"]
    assert asked.get("max_output_tokens") == (1_000 if api == "responses" else None)


async def test_thinking_in_a_field_of_its_own_is_none_either() -> None:
    thinks = [chunk({"reasoning_content": "They greet me."})]
    says = [chunk({"content": "A greeting"}), chunk(finish="stop"), DONE]
    endpoint = Endpoint("chat_completions", Answer([*thinks, *says]))
    assert titles_in(await answered(endpoint)) == ["A greeting"]


@pytest.mark.parametrize(
    "title",
    [
        Answer(status=500),
        Answer(status=400),
        Answer(told("chat_completions", "")),
        Answer(told("chat_completions", "word " * 3_000)),
        Answer([chunk({"content": "Half a tit"})], ending="cut"),
        Answer([chunk({"refusal": "I can't."}), chunk(finish="stop"), DONE]),
        Answer(ending="silence"),
    ],
    ids=["broken", "refused", "empty", "endless", "cut", "unwilling", "silent"],
)
async def test_what_is_none_changes_nothing_and_is_asked_for_once(title: Answer) -> None:
    endpoint = Endpoint("chat_completions", title)
    events = await answered(endpoint)
    assert titles_in(events) == []
    assert isinstance([e for e in events if not isinstance(e, TokensUsed)][-1], TextFinished)
    assert len(endpoint.requests) == 2
