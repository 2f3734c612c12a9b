"""What is kept, as both surfaces show it, and what its owner may do with it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from dependency_injector.providers import Object

from chatbridge.container import Container
from tests.chatkit_client import Json, add, create, items, say, shown, text_of
from tests.integration.http.asking import (
    NOBODYS,
    a_conversation,
    operation,
    require_refused,
    somebody,
)
from tests.scripted_agent import ScriptedAgent
from tests.serving import Served, served, settings_for

PATIENCE = 10.0
EVENTS = {"Accept": "text/event-stream"}


@dataclass
class Person:
    """A user whom nobody else knows, with a client."""

    name: str
    client: httpx.AsyncClient

    async def get(self, path: str, **params: Any) -> Json:
        answer = await self.client.get(f"/api/{self.name}/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def chat(self, message: str, conversation_id: str | None = None) -> Json:
        body = {"message": message, "conversation_id": conversation_id}
        answer = await self.client.post(f"/api/{self.name}/chat", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def chatkit(self, name: str, thread_id: str = "", **params: Any) -> Json:
        request = operation(name, thread_id)
        request["params"] |= params
        answer = await self.client.post("/chatkit", json=request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pages(self, path: str, **params: Any) -> list[list[str]]:
        """The ids on every page, as far as the cursors lead."""
        seen: list[list[str]] = []
        after: str | None = None
        while after or not seen:
            page = await self.get(path, **params, **({"after": after} if after else {}))
            seen.append([entry["id"] for entry in page["items"]])
            after = page["next"]
            assert len(seen) < 20
        return seen


def somebody_at(here: Served) -> Person:
    name = somebody()
    return Person(name, here.as_user(name))


@pytest.fixture
def person(service: Served) -> Person:
    return somebody_at(service)


@pytest.fixture(scope="module")
async def scripted(store_url: str) -> AsyncGenerator[tuple[Served, ScriptedAgent]]:
    """A service whose answers come when the test gives them."""
    agent = ScriptedAgent()

    def override(container: Container) -> None:
        container.agent.override(Object(agent))

    async with served(settings_for(store_url), override) as here:
        yield here, agent


async def three_of(person: Person) -> list[str]:
    return [(await person.chat(f"hello {n}"))["conversation_id"] for n in range(3)]


async def test_conversations_are_listed_by_latest_activity(person: Person) -> None:
    first, second, third = await three_of(person)
    assert await person.pages("conversations") == [[third, second, first]]
    await person.chat("hello again", first)
    assert await person.pages("conversations") == [[first, third, second]]
    assert await person.pages("conversations", order="asc") == [[second, third, first]]


async def test_a_rename_is_no_activity(person: Person) -> None:
    first, second, third = await three_of(person)
    path = f"/api/{person.name}/conversations/{first}"
    assert (await person.client.patch(path, json={"title": "Tea"})).status_code == 200
    assert await person.pages("conversations") == [[third, second, first]]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_of_conversations_join_up(person: Person, order: str) -> None:
    begun = await three_of(person)
    wanted = begun if order == "asc" else begun[::-1]
    assert await person.pages("conversations", order=order, limit=1) == [[id] for id in wanted]
    assert await person.pages("conversations", order=order, limit=2) == [wanted[:2], wanted[2:]]
    assert await person.pages("conversations", order=order, limit=3) == [wanted]


async def test_who_has_no_conversation_has_an_empty_list(person: Person) -> None:
    assert await person.get("conversations") == {"items": [], "next": None}


async def test_a_conversation_has_this_shape(person: Person) -> None:
    id = (await person.chat("add oat milk"))["conversation_id"]
    kept = await person.get(f"conversations/{id}")
    assert set(kept) == {"id", "title", "status", "status_reason", "created_at", "updated_at"}
    assert (kept["id"], kept["title"], kept["status"]) == (id, "add oat milk", "active")
    assert kept["created_at"].endswith("Z")
    assert kept["created_at"] < kept["updated_at"]
    assert (await person.get("conversations"))["items"] == [kept]


async def test_a_new_title_is_kept(person: Person) -> None:
    id = (await person.chat("hello"))["conversation_id"]
    path = f"/api/{person.name}/conversations/{id}"
    renamed = await person.client.patch(path, json={"title": "  Tea & more  "})
    assert renamed.json()["title"] == "Tea & more"
    assert await person.get(f"conversations/{id}") == renamed.json()
    await person.chat("hello again", id)
    assert (await person.get(f"conversations/{id}"))["title"] == "Tea & more"


async def test_what_is_deleted_is_gone(person: Person) -> None:
    gone, kept, _ = await three_of(person)
    path = f"/api/{person.name}/conversations/{gone}"
    deleted = await person.client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for answer in (
        await person.client.get(path),
        await person.client.get(f"{path}/messages"),
        await person.client.delete(path),
        await person.client.post("/chatkit", json=items(gone)),
    ):
        require_refused(answer, 404, "conversation_not_found")
    assert gone not in (await person.pages("conversations"))[0]
    assert (await person.get(f"conversations/{kept}"))["id"] == kept


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_of_messages_join_up(person: Person, order: str) -> None:
    id = (await person.chat("add tea and list my tasks"))["conversation_id"]
    await person.chat("thanks", id)
    path = f"conversations/{id}/messages"
    [every] = await person.pages(path, limit=100)
    assert len(every) >= 5
    wanted = every if order == "asc" else every[::-1]
    for limit in (1, 2, len(every)):
        pages = await person.pages(path, limit=limit, order=order)
        assert [id for page in pages for id in page] == wanted
        assert all(len(page) == limit for page in pages[:-1])


async def test_messages_say_who_said_what_and_what_was_called(person: Person) -> None:
    id = (await person.chat("add tea"))["conversation_id"]
    asked, called, said = (await person.get(f"conversations/{id}/messages"))["items"]
    assert set(asked) == {
        "id",
        "role",
        "kind",
        "content",
        "tool_calls",
        "attachments",
        "citations",
        "feedback",
        "created_at",
    }
    assert (asked["role"], asked["kind"], asked["content"]) == ("user", "text", "add tea")
    assert (called["role"], called["kind"], called["content"]) == ("assistant", "tools", "")
    [call] = called["tool_calls"]
    assert set(call) == {
        "id",
        "name",
        "arguments",
        "files",
        "links",
        "output",
        "state",
        "started_at",
        "ended_at",
        "hosted",
        "source",
        "asks",
        "proposal",
        "form",
        "answers",
    }
    assert (call["name"], call["state"]) == ("add_task", "succeeded")
    assert json.loads(call["arguments"]) == {"title": "tea"}
    assert json.loads(call["output"])["title"] == "tea"
    assert call["started_at"] <= call["ended_at"]
    assert (said["role"], said["kind"], said["tool_calls"]) == ("assistant", "text", [])
    assert "tea" in said["content"]


async def test_there_is_nothing_to_cancel_where_nothing_runs(person: Person) -> None:
    id = (await person.chat("hello"))["conversation_id"]
    answer = await person.client.post(f"/api/{person.name}/conversations/{id}/cancel")
    assert (answer.status_code, answer.json()) == (200, {"cancelled": False})


async def test_tasks_are_their_owners_only(service: Served, person: Person) -> None:
    await person.chat("add oat milk")
    other = somebody_at(service)
    await other.chat("add black tea")
    assert [t["title"] for t in (await person.get("tasks"))["items"]] == ["oat milk"]
    [task] = (await other.get("tasks"))["items"]
    assert (task["number"], task["title"], task["done"]) == (1, "black tea", False)
    assert set(task) == {"number", "title", "done", "created_at", "updated_at"}


async def test_who_has_no_tasks_has_an_empty_list(person: Person) -> None:
    assert await person.get("tasks") == {"items": []}


async def test_a_session_has_this_shape(service: Served, person: Person) -> None:
    path = f"/api/{person.name}/chatkit/session"
    id = (await person.chat("hello"))["conversation_id"]
    for body, bound in ((None, None), ({}, None), ({"conversation_id": id}, id)):
        session = (await person.client.post(path, json=body)).json()
        assert set(session) == {"client_secret", "expires_at", "api_url", "conversation_id"}
        assert session["api_url"] == f"{service.url}/chatkit"
        assert session["conversation_id"] == bound
        headers = {"Authorization": f"Bearer {session['client_secret']}"}
        answer = await service.as_user(None).post(
            session["api_url"], json=items(id), headers=headers
        )
        assert answer.status_code == 200


async def test_a_chat_answers_with_the_whole_turn(person: Person) -> None:
    turn = await person.chat("add tea")
    assert set(turn) == {"conversation_id", "turn_id", "state", "messages", "error", "usage"}
    assert (turn["state"], turn["error"], turn["usage"]) == ("completed", None, None)
    assert turn["turn_id"].startswith("turn_")
    kept = (await person.get(f"conversations/{turn['conversation_id']}/messages"))["items"]
    assert turn["messages"] == kept[1:]


async def test_a_chat_that_fails_says_why_and_what_was_said(person: Person) -> None:
    turn = await person.chat("rehearse a failing model")
    assert turn["state"] == "failed"
    assert turn["error"]["code"]
    assert turn["error"]["detail"]
    [half] = turn["messages"]
    assert half["kind"] == "partial"
    kept = (await person.get(f"conversations/{turn['conversation_id']}/messages"))["items"]
    assert kept[1:] == [half]


def frames_of(text: str) -> list[dict[str, str]]:
    parts = text.split("\n\n")
    assert parts.pop() == ""
    return [dict(line.split(": ", 1) for line in part.split("\n")) for part in parts]


async def test_the_events_of_a_chat_are_numbered_without_a_gap(person: Person) -> None:
    answer = await person.client.post(
        f"/api/{person.name}/chat", json={"message": "add tea"}, headers=EVENTS
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store, no-transform"
    first, *frames = frames_of(answer.text)
    assert set(first) == {"event", "data"}
    assert first["event"] == "turn.started"
    started = json.loads(first["data"])
    assert started == {
        "type": "turn.started",
        "conversation_id": answer.headers["x-conversation-id"],
        "turn_id": answer.headers["x-turn-id"],
    }
    assert [int(frame["id"]) for frame in frames] == list(range(1, len(frames) + 1))
    assert all(json.loads(frame["data"])["type"] == frame["event"] for frame in frames)
    named = list(dict.fromkeys(frame["event"] for frame in frames))
    assert named == [
        "titled",
        "tool_call.started",
        "tool_call.finished",
        "text.started",
        "text.delta",
        "text.finished",
        "turn.ended",
    ]
    assert json.loads(frames[-1]["data"]) == {"type": "turn.ended", "state": "completed"}
    records = [json.loads(frame["data"]) for frame in frames]
    said = "".join(record["text"] for record in records if record["type"] == "text.delta")
    messages = (await person.get(f"conversations/{started['conversation_id']}/messages"))["items"]
    assert messages[-1]["content"] == said


async def test_what_chatkit_says_the_rest_api_shows(person: Person) -> None:
    thread_id, told = await say(person.client, create("add tea"))
    asked, called, said = (await person.get(f"conversations/{thread_id}/messages"))["items"]
    items_shown = shown(told)
    assert [m["id"] for m in (asked, called, said)] == [item["id"] for item in items_shown]
    assert asked["content"] == text_of(items_shown[0]) == "add tea"
    assert called["tool_calls"][0]["state"] == "succeeded"
    assert said["content"] == text_of(items_shown[2])


async def test_what_the_rest_api_says_chatkit_shows(person: Person) -> None:
    turn = await person.chat("add tea")
    id = turn["conversation_id"]
    data = (await person.chatkit("items.list", id, order="asc"))["data"]
    assert [item["type"] for item in data] == ["user_message", "widget", "assistant_message"]
    assert [item["id"] for item in data[1:]] == [message["id"] for message in turn["messages"]]
    assert text_of(data[0]) == "add tea"
    assert text_of(data[2]) == turn["messages"][1]["content"]
    assert data[1]["copy_text"] == "tasks · add_task: Success"


async def test_both_surfaces_go_on_with_one_conversation(person: Person) -> None:
    thread_id, _ = await say(person.client, create("add tea"))
    turn = await person.chat("what did I say before?", thread_id)
    assert "add tea" in turn["messages"][-1]["content"]
    _, told = await say(person.client, add(thread_id, "what did I say before?"))
    assert "what did I say before" in text_of(shown(told)[-1])
    kept = (await person.get(f"conversations/{thread_id}/messages", limit=100))["items"]
    assert [m["content"] for m in kept if m["role"] == "user"] == [
        "add tea",
        "what did I say before?",
        "what did I say before?",
    ]


async def test_threads_are_listed_like_conversations(person: Person) -> None:
    begun = await three_of(person)
    first = await person.chatkit("threads.list", limit=2)
    assert [thread["id"] for thread in first["data"]] == [begun[2], begun[1]]
    assert first["has_more"] is True
    rest = await person.chatkit("threads.list", limit=2, after=first["after"])
    assert [thread["id"] for thread in rest["data"]] == [begun[0]]
    assert (rest["has_more"], rest.get("after")) == (False, None)
    oldest = await person.chatkit("threads.list", order="asc")
    assert [thread["id"] for thread in oldest["data"]] == begun


async def test_items_are_listed_in_pages_that_join_up(person: Person) -> None:
    id = (await person.chat("add tea"))["conversation_id"]
    every = (await person.chatkit("items.list", id, order="asc"))["data"]
    seen: list[Json] = []
    after: str | None = None
    for _ in every:
        page = await person.chatkit("items.list", id, order="desc", limit=1, after=after)
        seen += page["data"]
        after = page.get("after")
    assert seen == every[::-1]
    assert page["has_more"] is False


async def test_a_thread_is_shown_with_its_items(person: Person) -> None:
    id = (await person.chat("add tea"))["conversation_id"]
    thread = await person.chatkit("threads.get_by_id", id)
    assert (thread["id"], thread["title"], thread["status"]) == (id, "add tea", {"type": "active"})
    every = (await person.chatkit("items.list", id, order="asc"))["data"]
    assert thread["items"]["data"] == every


async def test_a_thread_is_renamed(person: Person) -> None:
    id = (await person.chat("hello"))["conversation_id"]
    renamed = await person.chatkit("threads.update", id, title=" Tea ")
    assert renamed["title"] == "Tea"
    assert (await person.get(f"conversations/{id}"))["title"] == "Tea"


async def test_a_thread_is_deleted(person: Person) -> None:
    id = (await person.chat("hello"))["conversation_id"]
    assert await person.chatkit("threads.delete", id) == {}
    again = await person.client.post("/chatkit", json=operation("threads.delete", id))
    require_refused(again, 404, "conversation_not_found")
    assert (await person.get("conversations"))["items"] == []


async def test_feedback_is_given_again_and_again_and_read_back(person: Person) -> None:
    turn = await person.chat("add tea")
    id, ids = turn["conversation_id"], [message["id"] for message in turn["messages"]]
    beside, listed = f"/chatkit/threads/{id}/feedback", items(id)

    async def told() -> Json:
        """As the three that read it back tell it alike."""
        page = await person.client.post("/chatkit", json=listed)
        given = (await person.client.get(beside)).json()["feedback"]
        assert ("x-chatbridge-feedback" in page.headers) == bool(given)
        kept = (await person.get(f"conversations/{id}/messages"))["items"]
        assert {m["id"]: m["feedback"] for m in kept if m["feedback"]} == given
        return given

    assert await told() == {}
    for kind in ("positive", "negative", "negative"):
        assert await person.chatkit("items.feedback", id, item_ids=ids, kind=kind) == {}
    assert await person.chatkit("items.feedback", id, item_ids=[]) == {}
    assert await told() == dict.fromkeys(ids, "negative")

    one = f"/api/{person.name}/conversations/{id}/messages/{ids[0]}/feedback"
    assert (await person.client.put(one, json={"kind": "positive"})).status_code == 204
    assert await told() == {**dict.fromkeys(ids, "negative"), ids[0]: "positive"}
    for _ in range(2):
        assert (await person.client.delete(one)).status_code == 204
    assert await told() == dict.fromkeys(ids[1:], "negative")
    back = await person.client.post(beside, json={"item_ids": ids, "kind": None})
    assert (back.status_code, back.content) == (204, b"")
    assert await told() == {}


async def test_feedback_on_what_is_not_there_is_refused(service: Served, person: Person) -> None:
    turn = await person.chat("hello")
    mine, message_id = turn["conversation_id"], turn["messages"][0]["id"]
    other = somebody()
    theirs = await a_conversation(service, other)
    [asked, *_] = (await service.as_user(other).post("/chatkit", json=items(theirs))).json()["data"]

    async def give(thread_id: str, *ids: str) -> httpx.Response:
        request = operation("items.feedback", thread_id)
        request["params"]["item_ids"] = list(ids)
        return await person.client.post("/chatkit", json=request)

    require_refused(await give(theirs, asked["id"]), 403, "forbidden")
    require_refused(await give(NOBODYS, message_id), 404, "conversation_not_found")
    require_refused(await give(mine, asked["id"]), 404, "message_not_found")
    require_refused(await give(mine, message_id, "msg_unknown"), 404, "message_not_found")
    for method, body in (("PUT", {"kind": "positive"}), ("DELETE", None)):
        at = f"/api/{person.name}/conversations/{mine}/messages/{asked['id']}/feedback"
        answer = await person.client.request(method, at, json=body)
        require_refused(answer, 404, "message_not_found")
    beside = f"/chatkit/threads/{mine}/feedback"
    for body, status, code in (
        ({"item_ids": [asked["id"]], "kind": None}, 404, "message_not_found"),
        ({"item_ids": [message_id]}, 422, "invalid_request"),
        ({"item_ids": [message_id] * 201, "kind": None}, 422, "invalid_request"),
        ({"item_ids": [message_id], "kind": "splendid"}, 422, "invalid_request"),
    ):
        require_refused(await person.client.post(beside, json=body), status, code)


async def test_a_conversation_gets_its_title_from_the_first_message(person: Person) -> None:
    thread_id, told = await say(person.client, create("add tea\nand nothing else"))
    titles = [e["thread"]["title"] for e in told if e["type"] == "thread.updated"]
    assert titles == ["add tea"]
    assert (await person.get(f"conversations/{thread_id}"))["title"] == "add tea"
    _, told = await say(person.client, add(thread_id, "and now milk"))
    assert "thread.updated" not in {event["type"] for event in told}
    assert (await person.get(f"conversations/{thread_id}"))["title"] == "add tea"


@pytest.mark.parametrize("surface", ["rest", "chatkit"])
async def test_a_persons_title_wins_over_an_automatic_one(
    scripted: tuple[Served, ScriptedAgent], surface: str
) -> None:
    here, agent = scripted
    person = somebody_at(here)
    asking = asyncio.create_task(person.chat("hello, what a long morning"))
    run = await agent.next_run(person.name)
    id = run.request.on_behalf.conversation_id
    if surface == "rest":
        path = f"/api/{person.name}/conversations/{id}"
        assert (await person.client.patch(path, json={"title": "Mine"})).status_code == 200
    else:
        assert (await person.chatkit("threads.update", id, title="Mine"))["title"] == "Mine"
    run.finish("Good morning!")
    async with asyncio.timeout(PATIENCE):
        assert (await asking)["state"] == "completed"
    assert (await person.get(f"conversations/{id}"))["title"] == "Mine"


async def test_a_running_turn_lets_nothing_else_begin_until_it_is_cancelled(
    scripted: tuple[Served, ScriptedAgent],
) -> None:
    here, agent = scripted
    person = somebody_at(here)
    asking = asyncio.create_task(person.chat("hello"))
    run = await agent.next_run(person.name)
    id = run.request.on_behalf.conversation_id
    body = {"message": "and?", "conversation_id": id}
    busy = await person.client.post(f"/api/{person.name}/chat", json=body)
    require_refused(busy, 409, "turn_running")
    busy = await person.client.post("/chatkit", json=add(id, "and?"))
    require_refused(busy, 409, "turn_running")
    run.say("Half a")
    await run.taken_down()
    cancelled = await person.client.post(f"/api/{person.name}/conversations/{id}/cancel")
    assert cancelled.json() == {"cancelled": True}
    async with asyncio.timeout(PATIENCE):
        turn = await asking
    assert turn["state"] == "cancelled"
    assert [(m["kind"], m["content"]) for m in turn["messages"]] == [("partial", "Half a")]
    kept = (await person.get(f"conversations/{id}/messages"))["items"]
    assert kept[1:] == turn["messages"]
