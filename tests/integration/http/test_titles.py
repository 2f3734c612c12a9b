"""A title that the model makes beside the first answer, as viewers and the store have it."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from agents.items import TResponseStreamEvent

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from chatbridge.domain.model.conversation import TITLE_ASKED
from tests.chatkit_client import Json, create
from tests.integration.http.person import Person
from tests.serving import Served, served, settings_for

STREAM = {"Accept": "text/event-stream"}


class Titling(OfflineModel):
    """Makes titles as the offline model does, and, where a message says so, late or not at all."""

    def __init__(self) -> None:
        super().__init__(delay=0)
        self.asked = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.titles = 0

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        if system_instructions == TITLE_ASKED:
            self.titles += 1
            self.asked.set()
            if "late" in str(input):
                await self.may_go_on.wait()
            if "broken" in str(input):
                raise ConnectionError("its words")
        async for event in super().stream_response(system_instructions, input, *args, **kwargs):
            yield event


@pytest.fixture(scope="module")
def model() -> Titling:
    return Titling()


@pytest.fixture(scope="module")
async def titled(store_url: str, model: Titling) -> AsyncGenerator[Served]:
    async def nothing_to_close() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Endpoint(model, nothing_to_close))

    agent = {"entry": "tests.hosts.assistants:assistant", "titles": "model"}
    async with served(settings_for(store_url, agent=agent), override) as here:
        yield here


@pytest.fixture
def person(titled: Served, model: Titling) -> Person:
    model.asked.clear()
    model.may_go_on.clear()
    return Person(titled)


def heard(told: list[Json]) -> list[str]:
    """The titles in the order in which viewers hear them."""
    return [e["thread"]["title"] for e in told if e["type"] == "thread.updated"]


async def kept(person: Person, conversation: str) -> str:
    return (await person.http.get(person.path(conversation))).json()["title"]


async def test_it_is_the_first_line_at_once_and_then_the_models(
    person: Person, model: Titling
) -> None:
    before = model.titles
    conversation, told = await person.say("please tell me about the sea")
    assert heard(told) == ["please tell me about the sea", "Please tell me about"]
    assert await kept(person, conversation) == "Please tell me about"
    _, later = await person.say("and of the moon", conversation)
    assert (heard(later), model.titles - before) == ([], 1)


async def test_rest_hears_it_too(person: Person) -> None:
    said = {"message": "please tell me about the sea"}
    answer = await person.http.post(f"/api/{person.name}/chat", json=said, headers=STREAM)
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    titles = [event["title"] for event in data if event["type"] == "titled"]
    assert titles == ["please tell me about the sea", "Please tell me about"]


async def test_a_persons_title_wins_that_is_given_meanwhile(person: Person, model: Titling) -> None:
    async with person.watching(create("a late title, please")) as (conversation, told):
        await model.asked.wait()
        renaming = {"title": "Mine"}
        assert (await person.http.patch(person.path(conversation), json=renaming)).is_success
        model.may_go_on.set()
        assert heard([event async for event in told]) == ["a late title, please"]
    assert await kept(person, conversation) == "Mine"


async def test_a_tools_title_wins(person: Person) -> None:
    conversation, told = await person.say("please short_words")
    assert heard(told)[-1] == "Named by a tool"
    assert "Please short_words" not in heard(told)
    assert await kept(person, conversation) == "Named by a tool"


async def test_a_tool_that_changes_the_thread_afterwards_changes_no_title(person: Person) -> None:
    conversation, told = await person.say("please mark_titled")
    assert heard(told)[1:] == ["Please mark_titled"] * 2
    assert await kept(person, conversation) == "Please mark_titled"


async def test_where_none_can_be_made_the_first_line_stays_and_the_log_says_so_once(
    person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    conversation, told = await person.say("a broken title, please")
    assert heard(told) == ["a broken title, please"]
    assert await kept(person, conversation) == "a broken title, please"
    (said,) = [r for r in caplog.records if "stays the title" in r.message]
    assert (said.levelno, "its words" in said.message) == (logging.WARNING, False)
