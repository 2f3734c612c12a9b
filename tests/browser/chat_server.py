"""chatbridge with its chat page at `/`, as a process, and what its API and its database say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.browser.element_page import LISTEN, Chat
from tests.chatkit_client import Json, items
from tests.serving import SECRET, Spawned, spawn


@dataclass
class ChatServer:
    """The process, the directory that it runs in, and its database."""

    process: Spawned
    directory: Path
    database: AsyncEngine
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Its address, which stays the same when it is started again."""
        return self.process.url

    async def kill_and_start_again(self) -> None:
        """kill -9, and a new process on the same port."""
        self.process.kill()
        await self.start_again()

    async def another(self, **environment: str) -> Spawned:
        """A second replica on the same database, with settings of its own."""
        return await spawn(self.directory, **self.environment | environment)

    async def start_again(self) -> None:
        """A new process on the same port."""
        port = self.url.rpartition(":")[2]
        self.process = await spawn(self.directory, **self.environment, PORT=port)

    async def open(
        self, context: BrowserContext, user: str, thread: str = "", url: str = "", key: str = ""
    ) -> Chat:
        """The page, on which `user` is signed in; `url` is a way to the server, if it has one, or
        another one, that has a `key` of its own."""
        address = url or self.url
        kept = (
            f"sessionStorage['chatbridge.user'] ??= '{user}';"
            f"localStorage['chatbridge.key'] ??= '{key or self.process.key}';"
        )
        here = f"if (location.origin === '{address}')"
        await context.add_init_script(f"{here} {{ {kept} }}\n{LISTEN}")
        page = await context.new_page()
        chat = Chat(page)
        await page.goto(f"{address}/#{thread}" if thread else address)
        return await chat.ready()

    async def ask(self, user: str, request: Json) -> httpx.Response:
        """One operation of the ChatKit protocol, past the page."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            key = {"Authorization": f"Bearer {self.process.key}"}
            signed_in = await client.post("/development/token", json={"user": user}, headers=key)
            headers = {"Authorization": f"Bearer {signed_in.json()['token']}"}
            return await client.post("/chatkit", json=request, headers=headers)

    async def kept(self, user: str, thread: str) -> tuple[Json, list[Json]]:
        """The thread and its items, as two operations of the API tell them."""
        by_id = {"type": "threads.get_by_id", "params": {"thread_id": thread}}
        whole = (await self.ask(user, by_id)).json()
        listed = (await self.ask(user, items(thread))).json()
        return whole, listed["data"]

    async def tasks(self, user: str) -> list[str]:
        """The titles in the table of tasks."""
        asked = text("SELECT title FROM chatbridge.tasks WHERE user_id = :user ORDER BY number")
        async with self.database.connect() as connection:
            return [str(title) for title in await connection.scalars(asked, {"user": user})]

    async def feedback(self, user: str) -> list[Any]:
        """The kinds in the table of feedback."""
        asked = text("SELECT kind FROM chatbridge.feedback WHERE user_id = :user")
        async with self.database.connect() as connection:
            return list(await connection.scalars(asked, {"user": user}))


async def started(directory: Path, database_url: str, database: AsyncEngine) -> ChatServer:
    """A server with the offline model."""
    environment = {
        "DATABASE_URL": database_url,
        "CHATBRIDGE_SECRET": SECRET,
        "CHATBRIDGE_BLOBS__URL": f"file:{directory}/attachments",
    }
    process = await spawn(directory, **environment)
    return ChatServer(process, directory, database, environment)
