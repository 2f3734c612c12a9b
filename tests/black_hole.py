"""Everything that can be asked of a service whose packets to the database vanish."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass

import httpx

from tests.chatkit_client import add, create, items, say
from tests.integration.http.asking import (
    ANSWERED,
    DICTATION,
    OF_A_USER,
    OF_ONE_CONVERSATION,
    STREAMED,
    a_conversation,
    ask,
    operation,
    require_refused,
)
from tests.round_trips import fill
from tests.serving import Served
from tests.tcp_proxy import TcpProxy

WITHIN = 10.0
"""Seconds in which every request is answered, whatever the database does."""

HEALED_WITHIN = 10.0


@dataclass
class Timed:
    """An answer and how many seconds it took."""

    asked: str
    answer: httpx.Response
    seconds: float


async def ask_everything(service: Served, user: str, conversation: str) -> list[Timed]:
    """All that needs the database, at once."""
    client = service.as_user(user)
    routes = {route: None for route in OF_A_USER + OF_ONE_CONVERSATION if route != DICTATION}
    # without a conversation a session is made by signing alone
    bodies = {"/api/{user_id}/chatkit/session": {"conversation_id": conversation}}
    asking = {
        f"{method} {path}": ask(client, (method, path), user, conversation, bodies.get(path))
        for method, path in routes
    }
    for name in {*STREAMED, *ANSWERED} - {"input.transcribe"}:
        asking[name] = client.post("/chatkit", json=operation(name, conversation))
    asking["readyz"] = client.get("/readyz")
    return await asyncio.gather(*(_timed(name, answering) for name, answering in asking.items()))


async def _timed(name: str, answering: Awaitable[httpx.Response]) -> Timed:
    began = time.perf_counter()
    answer = await answering
    return Timed(name, answer, time.perf_counter() - began)


async def survives_a_black_hole(service: Served, proxy: TcpProxy, user: str) -> list[Timed]:
    """With a warm pool, everything is refused in time while nothing gets through, and answered
    again when it does.

    What was on its way may still arrive then, and happen: it is about a conversation of its own.
    """
    client = service.as_user(user)
    conversation, other = [await a_conversation(service, user) for _ in range(2)]
    before = (await client.post("/chatkit", json=items(conversation))).json()
    await fill(service.container.store().engine)
    proxy.hold()
    try:
        timed = await ask_everything(service, user, other)
        for each in timed:
            code = "database_slow" if each.asked == "readyz" else "database_unavailable"
            require_refused(each.answer, 503, code)
        assert (await client.get("/healthz")).status_code == 200
        timed.append(await _timed("again", client.post("/chatkit", json=items(conversation))))
    finally:
        proxy.release()
    slow = {each.asked: each.seconds for each in timed if each.seconds > WITHIN}
    assert not slow
    await _healed(client)
    after = (await client.post("/chatkit", json=items(conversation))).json()
    assert after == before, f"{after}\n{before}"
    await say(client, add(conversation, "hello"))
    await say(client, create("hello"))
    return timed


async def _healed(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(HEALED_WITHIN):
        while True:
            if (await client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.05)
