"""Somebody with a chat of their own, and what they see of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx

from tests.chatkit_client import Json, add, create, events, items, say, without_times
from tests.serving import Served

PATIENCE = 15.0


class Person:
    """Somebody with a chat of their own."""

    def __init__(self, service: Served) -> None:
        self.service = service
        self.name = f"user-{uuid4().hex[:12]}"
        self.http: httpx.AsyncClient = service.as_user(self.name)

    def path(self, conversation: str, rest: str = "") -> str:
        return f"/api/{self.name}/conversations/{conversation}{rest}"

    async def say(self, text: str, conversation: str | None = None) -> tuple[str, list[Json]]:
        return await say(self.http, add(conversation, text) if conversation else create(text))

    async def reload(self, conversation: str) -> list[Json]:
        """What ChatKit shows after a reload."""
        response = await self.http.post("/chatkit", json=items(conversation))
        return [without_times(item) for item in response.json()["data"]]

    async def messages(self, conversation: str) -> list[Json]:
        """What is kept."""
        response = await self.http.get(self.path(conversation, "/messages?limit=100"))
        assert response.status_code == 200, response.text
        return response.json()["items"]

    async def answer(self, conversation: str, count: int = 2) -> Json:
        """The last of `count` messages, as soon as there are so many and nothing more is said."""
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.ended(conversation)
                kept = await self.messages(conversation)
                if len(kept) >= count:
                    break
                await asyncio.sleep(0.02)
        assert len(kept) == count
        return kept[-1]

    async def cancel(self, conversation: str) -> bool:
        response = await self.http.post(self.path(conversation, "/cancel"))
        return response.json()["cancelled"]

    async def ended(self, conversation: str) -> None:
        """Wait until no turn runs: what is asked is stopped a moment later."""
        async with asyncio.timeout(PATIENCE):
            await self.http.get(f"/chatkit/threads/{conversation}/events")

    @asynccontextmanager
    async def watching(self, request: Json) -> AsyncGenerator[tuple[str, AsyncIterator[Json]]]:
        """A stream that is closed at the end of the block, wherever it is."""
        async with (
            asyncio.timeout(PATIENCE),
            self.http.stream("POST", "/chatkit", json=request) as response,
        ):
            assert response.status_code == 200
            yield response.headers["x-conversation-id"], events(response)


def deltas(told: list[Json]) -> str:
    return "".join(delta_of(event) for event in told)


def delta_of(event: Json) -> str:
    return event.get("update", {}).get("delta", "")


async def until_shown(told: AsyncIterator[Json], text: str = "") -> str:
    """Read until so much text (or any) has been shown."""
    seen = ""
    while not seen or not seen.startswith(text):
        seen += delta_of(await anext(told))
    return seen
