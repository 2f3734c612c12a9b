"""A real model by both APIs: what llama.cpp refuses is our fault; what it says is not judged."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from agents import Agent, ModelSettings

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Api, openai_model
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.tool_schema import fitted
from chatbridge.domain.model.turn_event import TurnEvent
from tests.chatkit_client import Json, add, create
from tests.contracts.agent_runner import asking, said
from tests.contracts.store import call as a_call
from tests.contracts.task_tools import TaskTools
from tests.files_of_people import picture
from tests.integration.http.person import Person, until_shown
from tests.serving import served, settings_for
from tests.system.llama_cpp import Llama, llama_server
from tests.waiting import until

QUESTION = {"role": "user", "content": "hello"}
ANSWER = {"role": "assistant", "content": "hello"}

by_both = pytest.mark.parametrize("api", ["responses", "chat_completions"])


@pytest.fixture(scope="module")
async def llama(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Llama]:
    """Its chat template refuses what strict ones do."""
    async with llama_server(tmp_path_factory.mktemp("llama"), "strict") as server:
        yield server


def called(id: str) -> tuple[Json, Json]:
    """A call and its output."""
    call = {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    return asked, {"role": "tool", "tool_call_id": id, "content": "done"}


@asynccontextmanager
async def somebody(agent: str, llama: Llama, api: str, **changes: str) -> AsyncGenerator[Person]:
    """Somebody at a chatbridge whose agent is this one, and whose model is the server's.

    The server must take whatever it is asked meanwhile.
    """
    chosen = {"entry": f"tests.system.small_agents:{agent}", "model": "small", "api": api}
    # a prompt takes a machine that has other work a while
    endpoint = {"base_url": f"{llama.url}/v1", "idle": 60}
    before = llama.refused()
    async with served(settings_for("memory:", agent={**chosen, **endpoint, **changes})) as here:
        yield Person(here)
    assert llama.refused() == before


async def turn(person: Person, text: str, conversation: str | None = None) -> Json:
    """What a turn was at its end."""
    asked = {"message": text, "conversation_id": conversation}
    return (await person.http.post(f"/api/{person.name}/chat", json=asked, timeout=120)).json()


@by_both
async def test_three_turns_with_a_tool(llama: Llama, api: str) -> None:
    titles = ["buy oat milk", "bake bread", "water the plants"]
    conversation, answers = None, list[Json]()
    async with somebody("keeper", llama, api, tools="all") as person:
        for title in titles:
            ended = await turn(person, f"add a task: {title}", conversation)
            # its answer may be as long as it likes
            assert ended["state"] == "completed" or ended["error"]["code"] == "model_truncated"
            conversation = ended["conversation_id"]
            answers.append(ended)
        kept = await person.messages(conversation or "")
    shown = [message for ended in answers for message in ended["messages"]]
    assert [message for message in kept if message["role"] != "user"] == shown
    assert [m["content"] for m in kept if m["role"] == "user"] == [
        f"add a task: {t}" for t in titles
    ]
    for ended in answers:
        called, said = ended["messages"][0], ended["messages"][-1]
        # which tool, and with what, is the model's: its prompt has the day's date
        assert {call["state"] for call in called["tool_calls"]} <= {"succeeded", "failed"}, ended
        assert called["tool_calls"], ended
        assert said["content"]
        assert ended["usage"]["output_tokens"] > 0


@by_both
async def test_a_picture_is_words_to_a_model_without_eyes_and_a_text_is_read(
    llama: Llama, api: str
) -> None:
    chosen = {"entry": "tests.system.small_agents:brief", "model": "small", "api": api}
    endpoint = {"base_url": f"{llama.url}/v1", "idle": 60}
    async with served(
        settings_for("memory:", agent={**chosen, **endpoint, "tools": "none"})
    ) as here:
        person = Person(here)
        files = [("cat.png", "image/png", picture()), ("a.txt", "text/plain", b"the sky is blue")]
        ids = [await brought(person, *file) for file in files]
        asked = {"message": "what is in these?", "attachments": ids}
        path = f"/api/{person.name}/chat"
        first = (await person.http.post(path, json=asked, timeout=120)).json()
        before = llama.refused()
        second = await turn(person, "and now?", first["conversation_id"])
    for ended in (first, second):  # after four words
        assert ended["state"] == "completed" or ended["error"]["code"] == "model_truncated", ended
    (call,) = [call for m in first["messages"] for call in m.get("tool_calls") or []]
    assert (call["name"], call["state"]) == ("file cat.png", "failed")
    assert first["messages"][-1]["content"]
    # it is not tried again
    assert llama.refused() == before


async def brought(person: Person, name: str, type: str, content: bytes) -> str:
    """The id of what is attached."""
    response = await person.http.post(
        f"/api/{person.name}/attachments",
        params={"name": name},
        content=content,
        headers={"content-type": type},
    )
    return response.json()["id"]


@by_both
async def test_a_stop_ends_the_models_work_and_the_conversation_goes_on(
    llama: Llama, api: str
) -> None:
    async with somebody("talker", llama, api, tools="none") as person:
        async with person.watching(create("tell me a story")) as (conversation, told):
            shown = await until_shown(told)
            assert await person.cancel(conversation)
            rest = [event async for event in told]
        await llama.rests()
        # once more, before a word: this question stays without an answer
        async with person.watching(add(conversation, "and another")):
            assert await person.cancel(conversation)
        await person.ended(conversation)
        await llama.rests()
        async with person.watching(add(conversation, "and a third")) as (_, told):
            await until_shown(told)
            assert await person.cancel(conversation)
        kept = await person.messages(conversation)
    assert rest[-1]["type"] == "thread.item.done"
    assert kept[1]["kind"] == "partial"
    assert kept[1]["content"].startswith(shown)
    assert [m["content"] for m in kept if m["role"] == "user"] == [
        "tell me a story",
        "and another",
        "and a third",
    ]


async def test_an_answer_that_was_cut_is_said_to_be_one(llama: Llama) -> None:
    async with somebody("brief", llama, "chat_completions", tools="none") as person:
        ended = await turn(person, "tell me a story")
    assert (ended["state"], ended["error"]["code"]) == ("failed", "model_truncated")
    assert ended["messages"][-1]["content"]


async def test_by_the_responses_api_llama_does_not_say_that_an_answer_was_cut(llama: Llama) -> None:
    async with somebody("brief", llama, "responses", tools="none") as person:
        ended = await turn(person, "tell me a story")
    assert ended["state"] == "completed"


@by_both
async def test_a_prompt_over_the_context_is_said_to_be_one(llama: Llama, api: str) -> None:
    async with somebody("talker", llama, api, tools="none") as person:
        ended = await turn(person, "cat " * 5000)
    assert (ended["state"], ended["error"]["code"]) == ("failed", "context_too_long")


@pytest.mark.parametrize(
    "history",
    [
        (QUESTION, QUESTION),
        (QUESTION, *called("abcdefghi"), QUESTION),
        (QUESTION, *called("abcdefghij"), ANSWER, QUESTION),
        (QUESTION, called("abcdefghi")[1]),
        (QUESTION, {**ANSWER, "content": " "}, QUESTION),
    ],
    ids=[
        "two questions",
        "a question behind an output",
        "a past call whose id has ten",
        "an output of no call",
        "a blank text",
    ],
)
async def test_the_server_is_strict(llama: Llama, history: tuple[Json, ...]) -> None:
    before = llama.refused()
    answer = await llama.ask(*history)
    assert answer.status_code == 400, answer.text
    # it answers before it writes
    await until(lambda: len(llama.refused()) > len(before))
    assert len(llama.refused()) == len(before) + 1


TEXT = {"type": "string"}
SCHEMAS: dict[str, Json] = {
    "itself": {"$ref": "#"},
    "nothing": {"$ref": "#/$defs/none"},
    "its own beginning": {"$ref": "#/$defs/A"},
    "a long pattern": {**TEXT, "pattern": "^a{3000}$"},
    "a long text": {**TEXT, "minLength": 10_000},
    "a long list": {"type": "array", "items": {}, "minItems": 100_000},
}


async def test_the_server_takes_a_tool_once_its_schema_is_fitted(llama: Llama) -> None:
    definitions = {"A": {"$ref": "#/$defs/A", "title": "A"}}
    for name, schema in SCHEMAS.items():
        given = {"type": "object", "properties": {"a": schema}, "$defs": definitions}
        before, after = await llama.call(given), await llama.call(fitted(given))
        assert (before.status_code, after.status_code) == (400, 200), (name, after.text)


async def test_the_server_is_not_ended_by_a_schema(llama: Llama) -> None:
    """As it came the one is never answered, and the other ends the process."""
    for limits in ({"minLength": 5, "maxLength": 2}, {"maxLength": 2**62}):
        answer = await llama.call(fitted({"properties": {"a": {**TEXT, **limits}}}))
        assert answer.status_code == 200, answer.text


@by_both
async def test_calls_of_another_model_are_told_in_words_to_one_that_knows_none(
    api: Api, tmp_path: Path
) -> None:
    step = replace(said("", "assistant"), kind="tools", tool_calls=(a_call(),))
    events: list[TurnEvent] = []
    async with llama_server(tmp_path, "plain") as server:
        model = openai_model(model="small", base_url=f"{server.url}/v1", api_key=None, api=api)
        agent = Agent(name="Plain", model_settings=ModelSettings(max_tokens=8))
        runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="", agent=agent)
        window = (said("hello"), step, said("Done.", "assistant"), said("hello again"))
        # it is cut where it begins to chat
        with suppress(AgentFailed):
            await runner.run(asking(*window, say=events.append))
        await model.close()
        assert len(server.refused()) == 1
        assert "alternate" in server.refused()[0]
    assert events
