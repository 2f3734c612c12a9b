"""The times in a stream are those that a reload shows, and say of which zone they are."""

from datetime import datetime, timedelta

import pytest

from tests.chatkit_client import Json, add, create, items, retry, say
from tests.integration.http.asking import somebody
from tests.serving import Served


def times(found: list[Json]) -> dict[str, str]:
    """When each of these came to be."""
    return {each["id"]: each["created_at"] for each in found}


def told_times(events: list[Json]) -> dict[str, str]:
    """When each thread and item in a stream came to be."""
    told = [event.get("thread") or event.get("item") for event in events]
    return times([each for each in told if each])


@pytest.mark.parametrize("said", ["hello", "add tea and complete task 1"])
async def test_times_are_as_a_reload_shows_them(service: Served, said: str) -> None:
    client = service.as_user(somebody())
    thread_id, created = await say(client, create(said))
    _, added = await say(client, add(thread_id, said))
    question = next(e["item"]["id"] for e in added if e["type"] == "thread.item.done")
    _, again = await say(client, retry(thread_id, question))

    thread = await client.post("/chatkit", json=by_id(thread_id))
    kept = times((await client.post("/chatkit", json=items(thread_id))).json()["data"])
    kept |= times([thread.json()])
    for told in map(told_times, (created, added, again)):
        # a retry has taken an answer away
        still_there = told.keys() & kept.keys()
        assert still_there
        assert {id: told[id] for id in still_there} == {id: kept[id] for id in still_there}
        for time in told.values():
            assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


def by_id(thread_id: str) -> Json:
    return {"type": "threads.get_by_id", "params": {"thread_id": thread_id}}
