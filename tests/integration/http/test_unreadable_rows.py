"""A row that this version can't read is shown as such, and hides nothing else."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.domain.model.message import UNREADABLE
from tests.chatkit_client import Json, add, create, items, retry, say
from tests.postgres import engine_on
from tests.serving import Served, served, settings_for

# behind the back of what keeps such rows out, as in a database whose constraints were dropped
_UNGUARDED = """
alter table chatbridge.messages drop constraint messages_tool_calls;
alter table chatbridge.messages drop constraint messages_role;
alter table chatbridge.messages drop constraint messages_kind;
alter table chatbridge.conversations drop constraint conversations_status"""

CALL = {
    "id": "call_1",
    "name": "add_task",
    "arguments": "{}",
    "output": "Done.",
    "state": "succeeded",
    "started_at": "2026-01-02T03:04:05+00:00",
    "ended_at": None,
}

DAMAGES = {
    "a state that nobody knows": ("tool_calls", [CALL | {"state": "paused"}]),
    "a call without a name": ("tool_calls", [{k: v for k, v in CALL.items() if k != "name"}]),
    "a call whose name is a number": ("tool_calls", [CALL | {"name": 5}]),
    "a call at no time": ("tool_calls", [CALL | {"started_at": "yesterday"}]),
    "calls that are none": ("tool_calls", ["call", None, 3]),
    "an object for calls": ("tool_calls", {"call_1": CALL}),
    "a source without a title": ("citations", [{"url": "https://example.com"}]),
    "a list for a payload": ("payload", [1, 2]),
    "a kind that nobody knows": ("kind", "poll"),
    "a role that nobody knows": ("role", "critic"),
}
COLUMNS = {"tool_calls": "jsonb", "citations": "jsonb", "payload": "json"}


@dataclass
class Chat:
    """A conversation of a question, a step of calls and an answer, and the rows below it."""

    service: Served
    engine: AsyncEngine
    conversation: str

    @property
    def client(self) -> httpx.AsyncClient:
        return self.service.as_user("alice")

    async def sql(self, statement: str, **parameters: Any) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text(statement), parameters)

    async def items(self) -> list[Json]:
        """As ChatKit has them."""
        answer = await self.client.post("/chatkit", json=items(self.conversation))
        assert answer.status_code == 200, answer.text
        opened = {"type": "threads.get_by_id", "params": {"thread_id": self.conversation}}
        thread = await self.client.post("/chatkit", json=opened)
        assert thread.status_code == 200, thread.text
        assert len(thread.json()["items"]["data"]) == len(answer.json()["data"])
        return answer.json()["data"]

    async def messages(self) -> list[Json]:
        """As REST has them."""
        answer = await self.client.get(f"/api/alice/conversations/{self.conversation}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest.fixture
async def chat(fresh_database: str) -> AsyncIterator[Chat]:
    engine = engine_on(fresh_database)
    async with served(settings_for(fresh_database)) as service:
        conversation, _ = await say(service.as_user("alice"), create("add a task: buy milk"))
        chat = Chat(service, engine, conversation)
        for statement in _UNGUARDED.split(";"):
            await chat.sql(statement)
        yield chat
    await engine.dispose()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_message_is_shown_as_such_and_the_others_as_they_are(
    chat: Chat, damage: str
) -> None:
    before_items, before = await chat.items(), await chat.messages()
    column, value = DAMAGES[damage]
    written = f"cast(:value as {COLUMNS[column]})" if column in COLUMNS else ":value"
    kept = json.dumps(value) if column in COLUMNS else value
    await chat.sql(
        f"update chatbridge.messages set {column} = {written} where position = 2",  # noqa: S608
        value=kept,
    )

    after_items, after = await chat.items(), await chat.messages()
    assert [after_items[n] for n in (0, 2)] == [before_items[n] for n in (0, 2)]
    assert [after[n] for n in (0, 2)] == [before[n] for n in (0, 2)]
    assert after_items[1]["id"] == before_items[1]["id"]
    assert after_items[1]["content"][0]["text"] == UNREADABLE
    assert (after[1]["id"], after[1]["content"]) == (before[1]["id"], UNREADABLE)


async def test_a_conversation_with_a_damaged_message_goes_on(chat: Chat) -> None:
    await chat.sql("update chatbridge.messages set tool_calls = '[3]' where position = 2")
    await say(chat.client, add(chat.conversation, "hello"))
    question, *_ = await chat.messages()
    await say(chat.client, retry(chat.conversation, question["id"]))
    assert UNREADABLE not in [m["content"] for m in await chat.messages()]


async def test_a_damaged_conversation_hides_no_other_and_takes_no_message(chat: Chat) -> None:
    other, _ = await say(chat.client, create("hello"))
    await chat.sql(
        "update chatbridge.conversations set status = 'frozen', metadata = '[1]' where id = :id",
        id=chat.conversation,
    )
    listed = await chat.client.post("/chatkit", json={"type": "threads.list", "params": {}})
    assert {thread["id"] for thread in listed.json()["data"]} == {other, chat.conversation}
    assert len(await chat.items()) == 3
    refused = await chat.client.post("/chatkit", json=add(chat.conversation, "hello"))
    assert refused.json()["code"] == "conversation_closed"


async def test_a_journal_with_events_that_nobody_can_read_is_closed_with_the_rest(
    chat: Chat,
) -> None:
    at = "2026-01-02T03:04:05+00:00"
    events: list[Any] = [
        {"type": "text.started", "message_id": "msg_a", "at": at},
        {"type": "text.delta", "message_id": "msg_a", "text": "Half a "},
        {"type": "image.shown", "message_id": "msg_b", "pixels": []},
        {"type": "text.delta", "message_id": "msg_a"},
        {"type": "text.delta", "message_id": "msg_a", "text": "sentence"},
        {"type": "text.started", "message_id": "msg_c"},
        {"type": "text.delta", "message_id": "msg_c", "text": "of no beginning"},
        {"type": "tool_call.finished", "message_id": "msg_d", "call_id": "call_1",
         "state": "succeeded", "output": "", "at": at},
        None,
        "text",
    ]  # fmt: skip
    await chat.sql(
        "insert into chatbridge.turns"
        " (user_id, id, conversation_id, subject_position, retry, lease_until)"
        " values ('alice', 'turn_lost', :id, 1, false, 'infinity')",
        id=chat.conversation,
    )
    for number, event in enumerate(events, 1):
        await chat.sql(
            "insert into chatbridge.turn_events values"
            " ('alice', 'turn_lost', :n, cast(:e as json))",
            n=number,
            e=json.dumps(event),
        )
    await chat.sql("update chatbridge.turns set lease_until = '-infinity' where id = 'turn_lost'")

    said = (await chat.messages())[3:]
    assert (said[0]["kind"], said[0]["content"]) == ("partial", "Half a sentence")
    assert [m["content"] for m in said[1:]] == [UNREADABLE] * 4  # of an unknown kind, nothing
    assert len({m["id"] for m in said}) == len(said)
    assert await chat.messages() == await chat.messages()
    assert len(await chat.items()) == 3 + len(said)
    await say(chat.client, add(chat.conversation, "hello"))
