"""The unions of requests and events in the contract are whole, and what is sent is as they say."""

from typing import Any, get_args

import pytest
from chatkit.types import ThreadItem, ThreadItemUpdate, ThreadStreamEvent

from chatbridge.domain.model.turn_event import TurnEvent
from tests.chatkit_client import create, frames, items, retry
from tests.integration.http.asking import OPERATIONS, a_conversation, somebody
from tests.integration.http.published import (
    DOCUMENT,
    documented,
    found,
    references,
    require_told,
    require_valid,
)
from tests.serving import Served


def types_in(name: str) -> set[str]:
    """What `type` may be in this union of the contract."""
    members = [found(reference) for reference in references(found(name)["oneOf"])]
    assert all("type" in member["required"] for member in members)
    return {member["properties"]["type"]["const"] for member in members}


def types_of(*kinds: Any) -> set[str]:
    """What `type` may be in these models."""
    return {kind.model_fields["type"].default for kind in kinds}


def test_every_operation_of_the_protocol_is_described() -> None:
    [body] = documented(("POST", "/chatkit"))["requestBody"]["content"].values()
    assert body["schema"] == {"$ref": "#/components/schemas/chatkit.Request"}
    assert types_in("#/components/schemas/chatkit.Request") == set(OPERATIONS)
    example = body["examples"]["threads.create"]["value"]
    assert example["params"].keys() == create("")["params"].keys()


def test_every_event_of_the_protocol_is_described() -> None:
    union, *_ = get_args(ThreadStreamEvent)
    assert types_in("#/components/schemas/chatkit.Event") == types_of(*get_args(union))
    item = found("#/components/schemas/chatkit.ThreadItemDoneEvent")["properties"]["item"]
    described = {found(reference)["properties"]["type"]["const"] for reference in references(item)}
    union, *_ = get_args(ThreadItem)
    assert described == types_of(*get_args(union))
    update = found("#/components/schemas/chatkit.ThreadItemUpdatedEvent")["properties"]["update"]
    described = {
        found(reference)["properties"]["type"]["const"] for reference in references(update)
    }
    assert described == types_of(*get_args(ThreadItemUpdate))


def test_every_event_of_a_turn_is_described() -> None:
    union = found("#/components/schemas/TurnEvent")
    described = {reference.rpartition("/")[2] for reference in references(union)}
    assert described == {"TurnStarted"} | {kind.__name__ for kind in get_args(TurnEvent)}
    stream = documented(("POST", "/api/{user_id}/chat"))["responses"]["200"]["content"]
    event = stream["text/event-stream"]["schema"]
    assert set(event["properties"]["event"]["enum"]) == types_in("#/components/schemas/TurnEvent")


STREAM = DOCUMENT["paths"]["/chatkit"]["post"]["responses"]["200"]["content"]


@pytest.mark.parametrize("said", ["add tea", "rehearse a failing tool", "rehearse a failing model"])
async def test_streams_are_as_they_are_described(service: Served, said: str) -> None:
    user = somebody()
    client = service.as_user(user)
    answer = await client.post("/chatkit", json=create(said))
    require_told(answer.text, STREAM["text/event-stream"]["schema"])
    thread_id = answer.headers["x-conversation-id"]
    message = next(e["item"] for e in frames(answer.text) if e["type"] == "thread.item.done")
    again = await client.post("/chatkit", json=retry(thread_id, message["id"]))
    require_told(again.text, STREAM["text/event-stream"]["schema"])

    chat = documented(("POST", "/api/{user_id}/chat"))["responses"]["200"]["content"]
    events = {"Accept": "text/event-stream"}
    stream = await client.post(f"/api/{user}/chat", json={"message": said}, headers=events)
    require_told(stream.text, chat["text/event-stream"]["schema"])
    whole = await client.post(f"/api/{user}/chat", json={"message": said})
    require_valid(whole.json(), chat["application/json"]["schema"])


async def test_threads_and_items_are_as_they_are_described(service: Served) -> None:
    user = somebody()
    client, thread_id = service.as_user(user), await a_conversation(service, user)
    one = {"type": "threads.get_by_id", "params": {"thread_id": thread_id}}
    for request, name in [
        (one, "Thread"),
        ({"type": "threads.list", "params": {}}, "ThreadPage"),
        (items(thread_id), "ThreadItemPage"),
    ]:
        answer = (await client.post("/chatkit", json=request)).json()
        require_valid(answer, {"$ref": f"#/components/schemas/chatkit.{name}"})
        require_valid(answer, STREAM["application/json"]["schema"])
