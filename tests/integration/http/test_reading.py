"""What a read costs the server besides its answer."""

import asyncio

from anyio.to_thread import current_default_thread_limiter

from tests.chatkit_client import Json, create, items, say
from tests.integration.http.asking import somebody
from tests.serving import Served

PATIENCE = 30.0


async def test_no_request_waits_for_a_thread(service: Served) -> None:
    """A dependency that is no coroutine is run in one, which costs more than a statement."""
    user = somebody()
    client = service.as_user(user)
    limiter = current_default_thread_limiter()
    taken = [object() for _ in range(int(limiter.available_tokens))]
    for each in taken:
        limiter.acquire_on_behalf_of_nowait(each)
    try:
        async with asyncio.timeout(PATIENCE):
            thread_id, _ = await say(client, create("hello"))
            listed: Json = {"type": "threads.list", "params": {}}
            opened: Json = {"type": "threads.get_by_id", "params": {"thread_id": thread_id}}
            for asked in (items(thread_id), listed, opened):
                assert (await client.post("/chatkit", json=asked)).status_code == 200
            assert (await client.get(f"/api/{user}/conversations")).status_code == 200
    finally:
        for each in taken:
            limiter.release_on_behalf_of(each)
