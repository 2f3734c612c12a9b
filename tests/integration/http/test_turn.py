"""One turn over HTTP: what is shown, what is kept, and who may end it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents.items import TResponseStreamEvent

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from tests.chatkit_client import (
    Json,
    add,
    create,
    events,
    items,
    retry,
    say,
    shown,
    text_of,
    without_times,
)
from tests.counted import counted
from tests.integration.http.person import PATIENCE, Person, deltas, until_shown
from tests.scripted_agent import ScriptedAgent
from tests.serving import Served, served, settings_for
from tests.waiting import until


class NotedModel(OfflineModel):
    """The offline model, which notes what it was asked, what it said, and that it stopped."""

    def __init__(self, *, delay: float = 0.0) -> None:
        super().__init__(delay=delay)
        self.asked: list[list[Json]] = []
        self.said = ""
        self.stopped = asyncio.Event()

    async def stream_response(
        self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self.asked.append([dict(item) for item in input])
        self.stopped.clear()
        try:
            async for event in super().stream_response(system_instructions, input, *args, **kwargs):
                if event.type == "response.output_text.delta":
                    self.said += event.delta
                yield event
        finally:
            self.stopped.set()


@asynccontextmanager
async def with_model(store_url: str, model: NotedModel, **changes: Any) -> AsyncGenerator[Served]:
    async def nothing_to_close() -> None: ...

    def override(container: Container) -> None:
        container.endpoint.override(Endpoint(model, nothing_to_close))

    async with served(settings_for(store_url, **changes), override) as here:
        yield here


def badges(told: list[Json]) -> list[str]:
    """The badges' labels and what stands between them, as they came."""
    labels: list[str] = []
    for event in told:
        if event["type"] == "progress_update":
            labels.append(event["text"])
        else:
            labels += labels_in(event)
    return labels


def labels_in(value: Any) -> list[str]:
    """The label of each badge in it."""
    match value:
        case {"type": "Badge", "label": label}:
            return [label]
        case dict():
            return [label for part in value.values() for label in labels_in(part)]
        case list():
            return [label for part in value for label in labels_in(part)]
        case _:
            return []


def errors(told: list[Json]) -> list[str]:
    return [event["message"] for event in told if event["type"] == "error"]


async def test_what_is_shown_is_what_a_reload_shows(service: Served) -> None:
    alice = service.as_user("alice")
    thread_id, told = await say(alice, create("add a task: buy oat milk"))
    reloaded = (await alice.post("/chatkit", json=items(thread_id))).json()["data"]
    assert [without_times(item) for item in reloaded] == shown(told)
    assert [item["type"] for item in reloaded] == ["user_message", "widget", "assistant_message"]


# --- viewers who leave


async def test_a_closed_tab_costs_nothing_of_the_answer(person: Person) -> None:
    request = create("rehearse a long answer of 40 words")
    async with person.watching(request) as (conversation, told):
        first = await until_shown(told)
    answer = await person.answer(conversation)
    assert answer["kind"] == "text"
    assert len(answer["content"].split()) == 40
    assert answer["content"].startswith(first)


async def test_with_cancel_a_closed_tab_stops_the_model_and_keeps_what_was_shown(
    store_url: str,
) -> None:
    model = NotedModel(delay=0.02)
    async with with_model(store_url, model, turns={"on_disconnect": "cancel"}) as service:
        person = Person(service)
        before = asyncio.all_tasks()
        request = create("rehearse a long answer of 500 words")
        async with person.watching(request) as (conversation, told):
            first = await until_shown(told)
        async with asyncio.timeout(PATIENCE):
            await model.stopped.wait()
        answer = await person.answer(conversation)
        assert answer["kind"] == "partial"
        assert answer["content"].startswith(first)
        assert model.said.startswith(answer["content"])
        assert len(model.said.split()) < 500
        left = asyncio.all_tasks() - before
        if left:
            _, left = await asyncio.wait(left, timeout=PATIENCE)
        assert not left


async def test_with_cancel_a_finished_answer_stays_whole(store_url: str) -> None:
    async with with_model(store_url, NotedModel(), turns={"on_disconnect": "cancel"}) as service:
        person = Person(service)
        conversation, told = await person.say("rehearse a long answer of 20 words")
        (_, kept) = await person.messages(conversation)
        assert (kept["kind"], kept["content"]) == ("text", deltas(told))


# --- one at a time


async def test_of_five_at_once_one_is_answered(scripted: Served, agent: ScriptedAgent) -> None:
    person = Person(scripted)
    first = asyncio.create_task(person.say("hello"))
    (await agent.next_run(person.name)).finish("Hi")
    conversation, _ = await first
    over_chatkit = [person.http.post("/chatkit", json=add(conversation, "a")) for _ in range(3)]
    body = {"message": "a", "conversation_id": conversation}
    over_rest = [person.http.post(f"/api/{person.name}/chat", json=body) for _ in range(2)]
    asking = [asyncio.ensure_future(each) for each in (*over_chatkit, *over_rest)]
    run = await agent.next_run(person.name)
    await until(lambda: sum(each.done() for each in asking) == 4)
    run.finish("b")
    answers = await asyncio.gather(*asking)
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"turn_running"}
    assert len(await person.messages(conversation)) == 4


# --- stop and delete


async def test_stop_ends_the_stream_and_keeps_what_was_shown(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    async with person.watching(create("hello")) as (conversation, told):
        run = await agent.next_run(person.name)
        run.say("As far as ", "here")
        await until_shown(told, "As far as here")
        assert await person.cancel(conversation)
        rest = [event async for event in told]
    assert shown(rest)[-1]["content"][0]["text"] == "As far as here"
    assert errors(rest) == []
    assert run.tidied_up
    (_, kept) = await person.messages(conversation)
    assert (kept["kind"], kept["content"]) == ("partial", "As far as here")
    assert not await person.cancel(conversation)
    await person_goes_on(person, agent, conversation)


async def test_a_stream_names_the_place_that_stops_it(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    async with person.http.stream("POST", "/chatkit", json=create("hello")) as response:
        told = events(response)
        run = await agent.next_run(person.name)
        run.say("As far as ", "here")
        await until_shown(told, "As far as here")
        stop = response.url.join(response.links["stop"]["url"])
        assert (await person.http.post(stop)).json() == {"cancelled": True}
        rest = [event async for event in told]
    assert errors(rest) == []
    assert rest[-1]["type"] == "thread.item.done"
    assert text_of(rest[-1]["item"]) == "As far as here"
    conversation = response.headers["x-conversation-id"]
    assert (await person.reload(conversation))[1:] == [without_times(rest[-1]["item"])]
    assert (await person.http.post(stop)).json() == {"cancelled": False}
    await person_goes_on(person, agent, conversation)


async def test_every_stream_names_it_relative_to_where_it_was_asked(person: Person) -> None:
    conversation, _ = await person.say("hello")
    subject = (await person.reload(conversation))[0]["id"]
    for request in (create("hi"), add(conversation, "hi"), retry(conversation, subject)):
        answer = await person.http.post("/chatkit", json=request)
        where = answer.links["stop"]["url"]
        assert where == f"chatkit/threads/{answer.headers['x-conversation-id']}/cancel"
    answer = await person.http.post("/chatkit", json=items(conversation))
    assert "link" not in answer.headers


async def test_delete_ends_the_stream_with_an_error(scripted: Served, agent: ScriptedAgent) -> None:
    person = Person(scripted)
    async with person.watching(create("hello")) as (conversation, told):
        run = await agent.next_run(person.name)
        run.say("Soon gone")
        await until_shown(told, "Soon gone")
        request = {"type": "threads.delete", "params": {"thread_id": conversation}}
        assert (await person.http.post("/chatkit", json=request)).status_code == 200
        rest = [event async for event in told]
    assert errors(rest) == ["The conversation was deleted."]
    assert run.tidied_up
    response = await person.http.get(person.path(conversation, "/messages"))
    assert response.status_code == 404


# --- failures


async def test_a_model_that_fails_in_mid_text_leaves_its_text(person: Person) -> None:
    conversation, told = await person.say("rehearse a failing model")
    assert len(errors(told)) == 1
    assert deltas(told)
    reloaded = await person.reload(conversation)
    assert reloaded == shown(told)
    assert text_of(reloaded[-1]) == deltas(told)
    (_, kept) = await person.messages(conversation)
    assert kept["kind"] == "partial"
    await person.say("hello", conversation)


async def test_an_agent_that_breaks_says_so_and_hides_why(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    async with person.watching(create("hello")) as (conversation, told):
        run = await agent.next_run(person.name)
        run.say("I was about")
        run.fail(KeyError("postgres://user:secret@host"))
        seen = [event async for event in told]
    assert errors(seen) == ["Something went wrong while answering."]
    assert "secret" not in json.dumps(seen)
    assert await person.reload(conversation) == shown(seen)


# --- retry


async def test_the_old_answer_stays_until_the_new_one_is_whole(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    conversation, asked = await answered(person, agent, "one", "old")
    async with person.watching(retry(conversation, asked)) as (_, told):
        run = await agent.next_run(person.name)
        run.say("new")
        await until_shown(told, "new")
        assert await contents(person, conversation) == ["one", "old", "new"]
        run.finish()
        _ = [event async for event in told]
    assert await contents(person, conversation) == ["one", "new"]


async def test_a_failed_retry_leaves_the_old_answer(scripted: Served, agent: ScriptedAgent) -> None:
    person = Person(scripted)
    conversation, asked = await answered(person, agent, "one", "old")
    before = await person.messages(conversation)
    async with person.watching(retry(conversation, asked)) as (_, told):
        run = await agent.next_run(person.name)
        run.say("new")
        run.fail(ConnectionError("lost"))
        seen = [event async for event in told]
    assert len(errors(seen)) == 1
    assert await person.messages(conversation) == before


async def test_a_retry_in_the_middle_removes_what_followed(
    scripted: Served, agent: ScriptedAgent
) -> None:
    person = Person(scripted)
    conversation, asked = await answered(person, agent, "one", "first")
    await answered(person, agent, "two", "second", conversation)
    async with person.watching(retry(conversation, asked)) as (_, told):
        run = await agent.next_run(person.name)
        assert [m.content for m in run.request.window] == ["one"]
        run.finish("better")
        _ = [event async for event in told]
    assert await contents(person, conversation) == ["one", "better"]
    assert [text_of(item) for item in await person.reload(conversation)] == ["one", "better"]


# --- tools


async def test_a_slow_tool_is_shown_running_and_then_done(person: Person) -> None:
    conversation, told = await person.say("rehearse a slow tool for 0.2 seconds")
    labels = badges(told)
    assert labels[: labels.index("Success") + 1] == ["Thinking", "Running", "Thinking", "Success"]
    reloaded = await person.reload(conversation)
    assert reloaded == shown(told)
    assert labels_in(reloaded) == ["Success"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rehearse a failing tool", "The rehearsal failed, as it was asked to."),
        ("rehearse a crashing tool", ""),
    ],
)
async def test_a_tool_in_trouble_is_shown_as_failed(person: Person, text: str, reason: str) -> None:
    conversation, told = await person.say(text)
    reloaded = await person.reload(conversation)
    assert reloaded == shown(told)
    assert labels_in(reloaded) == ["Failed"]
    assert reason in json.dumps(reloaded[1])
    assert "rehearsal crashed" not in json.dumps([told, reloaded])
    (_, step, answer) = await person.messages(conversation)
    (call,) = step["tool_calls"]
    assert call["state"] == "failed"
    assert reason in call["output"]
    assert answer["content"]


async def test_two_tools_side_by_side_share_one_card(person: Person) -> None:
    conversation, told = await person.say("add buy tea and add buy bread")
    reloaded = await person.reload(conversation)
    assert reloaded == shown(told)
    assert [item["type"] for item in reloaded] == ["user_message", "widget", "assistant_message"]
    assert labels_in(reloaded) == ["Success", "Success"]
    assert len({item["item"]["id"] for item in told if labels_in(item.get("item"))}) == 1


async def test_the_slow_tools_of_two_people_run_at_the_same_time(service: Served) -> None:
    seen: list[str] = []

    async def work(person: Person) -> None:
        async with person.watching(create("rehearse a slow tool for 1 second")) as (_, told):
            async for event in told:
                seen.extend(label for label in labels_in(event.get("item") or event))

    await asyncio.gather(work(Person(service)), work(Person(service)))
    assert seen[:2] == ["Running", "Running"]
    assert set(seen[2:]) == {"Success"}


async def test_tool_calls_are_replayed_in_whole_pairs(store_url: str) -> None:
    model = NotedModel()
    async with with_model(store_url, model) as service:
        person = Person(service)
        conversation, _ = await person.say("add buy tea and add buy bread")
        await person.say("hello", conversation)
        replayed = model.asked[-1]
        kinds = [item.get("role") or item["type"] for item in replayed]
        assert kinds == [
            "user",
            *["function_call"] * 2,
            *["function_call_output"] * 2,
            "assistant",
            "user",
        ]
        calls = [item["call_id"] for item in replayed if item.get("type") == "function_call"]
        outputs = {
            item["call_id"]: json.loads(item["output"])["title"]
            for item in replayed
            if item.get("type") == "function_call_output"
        }
        assert [*outputs] == calls
        assert [*outputs.values()] == ["buy tea", "buy bread"]


async def test_what_a_message_quotes_is_read_in_its_turn_and_later_and_counted() -> None:
    model = NotedModel()
    async with with_model("memory:", model, window={"max_characters": 1_000}) as service:
        person = Person(service)
        quoting = create("hello")
        quoting["params"]["input"]["quoted_text"] = "E=mc2"
        conversation, _ = await say(person.http, quoting)
        await person.say("hello", conversation)
        (item, *_) = await person.reload(conversation)
        long = add(conversation, "hello")
        long["params"]["input"]["quoted_text"] = "x" * 990
        await say(person.http, long)
    first, later, _ = (asked[0]["content"] for asked in model.asked)
    assert len(model.asked[-1]) == 1
    assert first == later == "hello\n\nThe user is referring to this in particular:\nE=mc2"
    assert (item["content"][0]["text"], item["quoted_text"]) == ("hello", "E=mc2")


# --- the window


async def test_after_forty_messages_the_model_reads_the_last_ten_to_fifteen(
    store_url: str,
) -> None:
    model = NotedModel()
    async with with_model(store_url, model) as service:
        person = Person(service)
        conversation, _ = await person.say("hello")
        for n in range(1, 20):
            await person.say(f"add a task: {n}", conversation)
        await person.say("hello again", conversation)
        read = model.asked[-1]
        counted = [item for item in read if "role" in item]
        assert 10 <= len(counted) <= 15
        assert read[0]["role"] == "user"
        assert read[-1]["content"] == "hello again"
        calls = [item["call_id"] for item in read if item.get("type") == "function_call"]
        outputs = [item["call_id"] for item in read if item.get("type") == "function_call_output"]
        assert calls
        assert calls == outputs


async def answered(
    person: Person, agent: ScriptedAgent, text: str, reply: str, conversation: str | None = None
) -> tuple[str, str]:
    """A whole turn; the conversation's id and the question's."""
    request = add(conversation, text) if conversation else create(text)
    async with person.watching(request) as (conversation, told):
        (await agent.next_run(person.name)).finish(reply)
        seen = [event async for event in told]
    assert deltas(seen) == reply
    asked = next(m for m in reversed(await person.messages(conversation)) if m["role"] == "user")
    return conversation, asked["id"]


async def person_goes_on(person: Person, agent: ScriptedAgent, conversation: str) -> None:
    await answered(person, agent, "and now?", "Now this.", conversation)


async def contents(person: Person, conversation: str) -> list[str]:
    return [message["content"] for message in await person.messages(conversation)]


async def test_a_request_builds_no_types(person: Person) -> None:
    conversation, _ = await person.say("hello")
    await person.reload(conversation)
    with counted("generate_schema") as built:
        await person.say("hello again", conversation)
        await person.reload(conversation)
    assert built == {}
