"""A model's thoughts over HTTP: as ChatKit's own SDK tells them, and after a reload."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from agents import Agent, Runner
from chatkit.agents import AgentContext, simple_to_agent_input, stream_agent_response
from chatkit.server import ChatKitServer
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem

from chatbridge.adapters.chatkit.items.thoughts import WorkflowForms
from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from tests.chatkit_client import Json, create
from tests.contracts.task_tools import TaskTools
from tests.hosts.bare import Bare
from tests.hosts.scripted_model import Scripted, text, thought
from tests.integration.http.person import Person
from tests.serving import Served, served, settings_for

THINKS = [thought("r", "**Looking**", " at what there is to be looked at"), text("m", "Hel", "lo.")]
NEVER_ENDS = [thought("r", "I wonder", None)]


class BareServer(ChatKitServer[Any]):
    async def respond(
        self, thread: ThreadMetadata, item: UserMessageItem | None, context: Any
    ) -> AsyncIterator[ThreadStreamEvent]:
        asked = await simple_to_agent_input([item] if item else [])
        agent = Agent[Any](name="A", model=Scripted(THINKS))
        inside = AgentContext(thread=thread, store=self.store, request_context=context)
        async for event in stream_agent_response(
            inside, Runner.run_streamed(agent, asked, context=inside)
        ):
            yield event


@pytest.fixture(scope="module")
async def thinking(store_url: str) -> AsyncGenerator[Served]:
    runner = OpenAIAgentRunner(
        ByMessage(), TaskTools(()), instructions="", thoughts=WorkflowForms()
    )
    async with served(settings_for(store_url), lambda c: c.agent.override(runner)) as here:
        yield here


class ByMessage(Scripted):
    """Thinks without an end where it is asked for ever."""

    def __init__(self) -> None:
        super().__init__(THINKS)

    async def stream_response(
        self, system: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        self.steps = (NEVER_ENDS,) if "for ever" in str(input) else (THINKS,)
        async for event in super().stream_response(system, input, *args, **kwargs):
            yield event


@pytest.fixture
def person(thinking: Served) -> Person:
    return Person(thinking)


def of_the_thoughts(told: list[Json]) -> list[Json]:
    """Every frame of the workflow, without its id and time, whether it began expanded, and what the
    SDK says twice.
    """
    (id,) = [
        event["item"]["id"]
        for event in told
        if event["type"] == "thread.item.added" and event["item"]["type"] == "workflow"
    ]
    plain = [
        json.loads(json.dumps(event).replace(id, "wf"))
        for event in told
        if id in (event.get("item_id"), event.get("item", {}).get("id"))
    ]
    for event in plain:
        for name in ("thread_id", "created_at"):
            event.get("item", {}).pop(name, None)
        if event["type"] == "thread.item.added":
            event["item"]["workflow"].pop("expanded")
    return [event for n, event in enumerate(plain) if not n or event != plain[n - 1]]


async def test_they_are_told_as_the_sdk_tells_them(person: Person) -> None:
    bare = await Bare(BareServer).ask(create("hello"))
    conversation, told = await person.say("hello")
    assert of_the_thoughts(told) == of_the_thoughts(bare)
    _, folded, answer = await person.reload(conversation)
    assert folded["workflow"] == of_the_thoughts(told)[-1]["item"]["workflow"]
    assert (folded["workflow"]["expanded"], answer["content"][0]["text"]) == (False, "Hello.")


async def test_over_rest_they_are_words_that_come_to_an_entry(person: Person) -> None:
    stream = {"Accept": "text/event-stream"}
    answer = await person.http.post(
        f"/api/{person.name}/chat", json={"message": "hello"}, headers=stream
    )
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    words = [event["text"] for event in map(json.loads, data) if event["type"] == "changed"]
    assert "".join(words) == "**Looking** at what there is to be looked at"


async def test_those_that_are_stopped_are_folded_live_and_after_a_reload(person: Person) -> None:
    async with person.watching(create("for ever")) as (conversation, told):
        async for event in told:
            if event.get("update", {}).get("type") == "workflow.task.added":
                break
        (_, open) = await person.reload(conversation)
        assert (open["workflow"]["expanded"], "summary" in open["workflow"]) == (True, False)
        assert await person.cancel(conversation)
        rest = [event async for event in told]
    (done,) = [event["item"] for event in rest if event["type"] == "thread.item.done"]
    _, folded = await person.reload(conversation)
    assert folded["workflow"] == done["workflow"]
    cut = {"summary": {"title": "Thinking was cut off"}, "expanded": False}
    assert {name: done["workflow"][name] for name in cut} == cut
