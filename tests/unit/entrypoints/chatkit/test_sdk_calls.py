"""What ChatKit's server asks of its Store: a new version that asks something else says so here."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chatkit.server import ChatKitServer, NonStreamingResult, StreamingResult
from chatkit.store import Store
from chatkit.types import (
    ChatKitReq,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    is_streaming_req,
)
from pydantic import TypeAdapter

from chatbridge.adapters.memory.memory import Memory
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import (
    ConversationId,
    MessageId,
    TurnId,
    UserId,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import (
    TextDelta,
    TextFinished,
    TextStarted,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
)
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.events import stream_events
from chatbridge.entrypoints.chatkit.server import AnsweringServer, BridgeServer
from chatbridge.entrypoints.chatkit.store import TurnStore, Watching
from tests.chatkit_client import Json, add, create, frames, retry
from tests.unit.domain.worlds import open_world
from tests.unit.entrypoints.chatkit.test_events import started

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
THREAD, ASKED, ANSWER = ConversationId("conv_1"), MessageId("msg_1"), MessageId("msg_2")
SAID: tuple[TurnEvent, ...] = (
    TextStarted(message_id=ANSWER, at=AT),
    TextDelta(message_id=ANSWER, text="Hello"),
    TextFinished(message_id=ANSWER),
    TurnEnded(state="completed"),
)


READ: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)


class NotingStore(TurnStore):
    """The store of a streaming operation, which notes each call of the SDK."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in Store.__dict__ and not name.startswith("_"):
            object.__getattribute__(self, "asked").append(name)
        return object.__getattribute__(self, name)


class NotingServer(ChatKitServer[Watching]):
    """The server of a streaming operation, over such a store."""

    def __init__(self, store: NotingStore) -> None:
        super().__init__(store)

    def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: Watching,
    ) -> AsyncIterator[ThreadStreamEvent]:
        return (told async for _, told in stream_events(context.recording))


def watching(*events: TurnEvent) -> Watching:
    """A turn that has been, answering alice's message."""
    conversation = Conversation(
        id=THREAD, user_id=UserId("alice"), created_at=AT, updated_at=AT, title="Tea"
    )
    subject = Message(
        id=ASKED, conversation_id=THREAD, role="user", kind="text", content="hello", created_at=AT
    )
    turn = Turn(id=TurnId("turn_1"), conversation=conversation, subject=subject)
    recording = Recording(turn, copied=True)
    recording.copy(events or SAID)
    recording.end()
    return Watching(recording)


async def told(server: ChatKitServer[Watching], request: Json, *events: TurnEvent) -> list[Json]:
    """What the SDK's own way answers."""
    result = await server.process(json.dumps(request), watching(*events))
    assert isinstance(result, StreamingResult)
    return await read(result.json_events)


async def read(chunks: AsyncIterator[bytes]) -> list[Json]:
    return frames(b"".join([chunk async for chunk in chunks]).decode())


@pytest.mark.parametrize(
    ("request_sent", "calls"),
    [
        (
            create("hello"),
            [
                "generate_thread_id",
                "save_thread",
                "generate_item_id",
                "add_thread_item",
                "add_thread_item",
            ],
        ),
        (
            add(THREAD, "hello"),
            ["load_thread", "generate_item_id", "add_thread_item", "add_thread_item"],
        ),
        (retry(THREAD, ASKED), ["load_thread", "load_thread_items", "add_thread_item"]),
    ],
    ids=["create", "add", "retry"],
)
async def test_the_sdk_asks_the_store_for_this_and_nothing_else(
    request_sent: Json, calls: list[str]
) -> None:
    store = NotingStore()
    await told(NotingServer(store), request_sent)
    assert store.asked == calls


@pytest.mark.parametrize(
    "request_sent", [create("hello"), add(THREAD, "hello"), retry(THREAD, ASKED)]
)
async def test_items_that_are_taken_away_or_left_open_ask_for_no_more_than_a_deletion(
    request_sent: Json,
) -> None:
    store = NotingStore()
    open_ends = (
        TextStarted(message_id=ANSWER, at=AT),
        started("call_1", step="msg_3"),
        TurnEnded(state="interrupted"),
    )
    assert isinstance(open_ends[1], ToolCallStarted)
    await told(NotingServer(store), request_sent, *open_ends)
    assert store.asked[-2:] == ["delete_thread_item", "add_thread_item"]


@pytest.mark.parametrize(
    ("request_sent", "first"),
    [
        (create("hello"), ["thread.created", "thread.item.done", "stream_options"]),
        (add(THREAD, "hello"), ["thread.item.done", "stream_options"]),
        (retry(THREAD, ASKED), ["stream_options"]),
    ],
    ids=["create", "add", "retry"],
)
async def test_the_client_is_told_of_the_turn_that_was_begun(
    request_sent: Json, first: list[str]
) -> None:
    events = await told(BridgeServer(), request_sent)
    assert [event["type"] for event in events] == [
        *first,
        "progress_update",
        "thread.item.added",
        "thread.item.updated",
        "thread.item.updated",
        "thread.item.done",
    ]
    for event in events:
        if event["type"] == "thread.created":
            assert event["thread"]["id"] == THREAD
        if "item" in event:
            assert event["item"]["thread_id"] == THREAD
            assert event["item"]["id"] in (ASKED, ANSWER)


@pytest.mark.parametrize(
    "request_sent", [create("hello"), add(THREAD, "hello"), retry(THREAD, ASKED)]
)
async def test_a_request_that_was_read_is_answered_as_the_sdk_answers_its_bytes(
    request_sent: Json,
) -> None:
    operation = READ.validate_python(request_sent)
    assert is_streaming_req(operation)
    bridge = BridgeServer()
    ours = await read(bridge.frames(operation, watching()))
    assert without_times(ours) == without_times(await told(bridge, request_sent))


def without_times(events: list[Json]) -> str:
    """The SDK gives some things the time of now."""
    return re.sub(r'"created_at": "[^"]+"', "", json.dumps(events))


async def test_so_is_one_that_only_asks() -> None:
    sent = {"type": "threads.list", "params": {}}
    operation = READ.validate_python(sent)
    assert not is_streaming_req(operation)
    async with open_world(Memory(), THREAD) as world:
        server = AnsweringServer(world.history)
        theirs = await server.process(json.dumps(sent), UserId("alice"))
        assert isinstance(theirs, NonStreamingResult)
        assert await server.answer(operation, UserId("alice")) == theirs.json


async def test_a_lost_viewer_is_no_users_command() -> None:
    server = BridgeServer()
    thread = await server.store.load_thread(THREAD, watching())
    await server.handle_stream_cancelled(thread, [], watching())
    assert await server.store.load_thread(THREAD, watching()) == thread
