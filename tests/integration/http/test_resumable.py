"""What tells a client that an answer is running, and that its stream can be taken up again."""

from uuid import uuid4

import httpx
import pytest

from tests.chatkit_client import Json, create, events
from tests.serving import Served

MARK, TURN = "x-chatbridge-stream", "x-turn-id"
ASKED = {"X-Chatbridge-Stream": "resumable"}
LONG = create("rehearse a long answer of 60 words")


@pytest.fixture
def person(service: Served) -> httpx.AsyncClient:
    return service.as_user(f"user-{uuid4().hex[:12]}")


def read(thread: str) -> Json:
    return {"type": "threads.get_by_id", "params": {"thread_id": thread}}


async def test_a_stream_says_that_it_can_be_resumed_where_that_was_asked_for(
    person: httpx.AsyncClient,
) -> None:
    asked = await person.post("/chatkit", json=create("Hello"), headers=ASKED)
    plain = await person.post("/chatkit", json=create("Hello"))
    assert (asked.headers.get(MARK), plain.headers.get(MARK)) == ("resumable", None)
    assert "\nid: " in asked.text
    assert "\nid: " not in plain.text


async def test_any_other_answer_says_that_streams_can_be_resumed(person: httpx.AsyncClient) -> None:
    for request in ({"type": "threads.list", "params": {}}, read("conv_nobody")):
        answer = await person.post("/chatkit", json=request)
        assert answer.headers.get(MARK) == ("resumable" if answer.is_success else None)


async def test_a_thread_names_the_turn_that_is_running_in_it_and_all_of_it_can_be_had(
    person: httpx.AsyncClient,
) -> None:
    async with person.stream("POST", "/chatkit", json=LONG) as stream:
        thread, turn = stream.headers["x-conversation-id"], stream.headers[TURN]
        running = await person.post("/chatkit", json=read(thread))
        told = [event async for event in events(stream)]
    ended = await person.post("/chatkit", json=read(thread))
    assert (running.headers.get(TURN), ended.headers.get(TURN)) == (turn, None)

    again = await person.get(
        f"/chatkit/threads/{thread}/events", headers={"Last-Event-ID": f"{turn}/0"}
    )
    followed = [line for line in again.text.splitlines() if line.startswith("data: ")]
    # whoever joins it hears how much of it is the past
    assert again.headers[MARK] == f"resumable; told={len(followed)}"
    # all but what the SDK tells before the turn
    assert 0 < len(told) - len(followed) < 5
