"""What people do: ask, follow, read, stop and retry, at any replica."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import httpx

from tests.chatkit_client import add, create, items, retry
from tests.faults.model import Script
from tests.faults.stand import Replica, Stand, signed_in
from tests.faults.viewing import Json, Seen, Stream

T = TypeVar("T")


class Person:
    """A user with a conversation, who may turn to any replica."""

    def __init__(self, stand: Stand, user: str) -> None:
        self.user = user
        self.conversation: str | None = None
        self.turn: str | None = None
        self._client = stand.client
        self._headers = signed_in(user)

    def asking(
        self, at: Replica, script: Script, **headers: str
    ) -> AbstractAsyncContextManager[Stream]:
        """Ask and hold the stream; the status has not been looked at."""
        text = script.prompt()
        body = add(self.conversation, text) if self.conversation else create(text)
        return self.sending(at, body, **headers)

    @asynccontextmanager
    async def sending(self, at: Replica, body: Json, **headers: str) -> AsyncGenerator[Stream]:
        """Send an operation that speaks, and hold the stream."""
        sent = self._headers | {"X-Chatbridge-Stream": "resumable"} | headers
        async with self._client.stream(
            "POST", f"{at.url}/chatkit", json=body, headers=sent
        ) as response:
            if response.status_code == 200:
                self.conversation = response.headers["x-conversation-id"]
                self.turn = response.headers["x-turn-id"]
            yield Stream(response)

    async def ask(self, at: Replica, script: Script, **headers: str) -> Seen:
        """Ask and watch to the end."""
        seen = Seen()
        async with self.asking(at, script, **headers) as stream:
            assert stream.status == 200, await stream.refusal()
            assert await stream.rest(seen), "the stream broke"
        return seen

    async def retry(self, at: Replica, item: str) -> Seen:
        """Have a message answered again."""
        seen = Seen()
        body = retry(self.conversation or "", item)
        async with self._client.stream(
            "POST", f"{at.url}/chatkit", json=body, headers=self._headers
        ) as response:
            assert response.status_code == 200, (await response.aread()).decode()
            assert await Stream(response).rest(seen), "the stream broke"
        return seen

    @asynccontextmanager
    async def following(self, at: Replica, after: str | None = None) -> AsyncGenerator[Stream]:
        """Watch the conversation's turn, from its start or after a frame."""
        headers = self._headers | ({"Last-Event-ID": after} if after else {})
        url = f"{at.url}/chatkit/threads/{self.conversation}/events"
        async with self._client.stream("GET", url, headers=headers) as response:
            yield Stream(response)

    async def follow(self, at: Replica, seen: Seen) -> bool:
        """Watch from what was seen to the end; False where the stream breaks."""
        try:
            async with self.following(at, seen.cursor) as stream:
                assert stream.status == 200, await stream.refusal()
                return await stream.rest(seen)
        except httpx.TransportError:
            return False

    async def stop(self, at: Replica) -> bool:
        """The stop button."""
        response = await self.post(at, f"/chatkit/threads/{self.conversation}/cancel")
        assert response.status_code == 200, response.text
        return response.json()["cancelled"]

    async def post(self, at: Replica, path: str, body: Json | None = None) -> httpx.Response:
        """Any request of theirs that changes something."""
        return await self._client.post(f"{at.url}{path}", json=body, headers=self._headers)

    async def get(self, at: Replica, path: str, **params: Any) -> httpx.Response:
        """Any that reads."""
        return await self._client.get(f"{at.url}{path}", params=params, headers=self._headers)

    async def read(self, at: Replica) -> list[Json]:
        """The conversation's items as a page reloads them."""
        response = await self.post(at, "/chatkit", items(self.conversation or ""))
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def messages(self, at: Replica) -> list[Json]:
        """Its messages over REST."""
        path = f"/api/{self.user}/conversations/{self.conversation}/messages"
        response = await self.get(at, path, limit=100)
        assert response.status_code == 200, response.text
        return response.json()["items"]


async def eventually(condition: Callable[[], Awaitable[bool]], within: float, what: str) -> None:
    """Look again and again until it holds; an AssertionError if it does not in time."""
    try:
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 - what it looks at is elsewhere
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within} s: {what}") from None


async def in_lanes(lanes: int, rounds: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all rounds, at most so many at a time; the first that fails ends them all."""
    free = asyncio.Semaphore(lanes)

    async def one(round: Coroutine[Any, Any, T]) -> T:
        async with free:
            return await round

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(round)) for round in rounds]
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        for round in rounds:
            round.close()
    return [task.result() for task in tasks]
