"""One turn over the ChatKit protocol."""

from tests.chatkit_client import create, items, say, shown, without_times
from tests.serving import Served


async def test_what_is_shown_is_what_a_reload_shows(service: Served) -> None:
    alice = service.as_user("alice")
    thread_id, told = await say(alice, create("add a task: buy oat milk"))
    reloaded = (await alice.post("/chatkit", json=items(thread_id))).json()["data"]
    assert [without_times(item) for item in reloaded] == shown(told)
    assert [item["type"] for item in reloaded] == ["user_message", "widget", "assistant_message"]
