"""The real stack of the web app: Postgres, chatbridge and `next start`, as `make web` starts it."""

import asyncio
import base64
import fcntl
import json
import os
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from playwright.async_api import BrowserContext, expect

from scripts import web
from tests import postgres
from tests.browser.element_page import LISTEN, Chat
from tests.ports import free_port
from tests.serving import SECRET

PASSWORD = "correct horse battery"


def environment(**more: str) -> dict[str, str]:
    """What the children may know, and nothing else of this machine's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ours = {"AUTH_RATE_LIMIT": "off", "CHATBRIDGE_SECRET": SECRET, **web.client_tools()}
    return {**kept, **ours, **more}


@asynccontextmanager
async def stack(directory: Path, **more: str) -> AsyncGenerator[web.Web]:
    """All of it on a database of its own; `more` is in the children's environment."""
    await asyncio.to_thread(_build)
    async with AsyncExitStack() as stack:
        database_url = await stack.enter_async_context(postgres.clone())
        running = web.running(
            database_url=database_url,
            directory=directory,
            settings_from=directory,
            web_port=free_port(),
            port=free_port(),
            environment=environment(
                **{"CHATBRIDGE_BLOBS__URL": f"file:{directory}/attachments", **more}
            ),
        )
        started = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        yield started


def _build() -> None:
    """One worker does, while the others wait."""
    frontend = os.open(web.FRONTEND, os.O_RDONLY)
    try:
        fcntl.flock(frontend, fcntl.LOCK_EX)
        web.build()
    finally:
        os.close(frontend)


async def sign_up(context: BrowserContext, url: str, name: str) -> str:
    """A new account that this profile is signed in with; the user's id."""
    answer = await context.request.post(
        f"{url}/api/auth/sign-up/email",
        headers={"Origin": url},
        data={"name": name, "email": f"{name.lower()}@example.com", "password": PASSWORD},
    )
    assert answer.ok, await answer.text()
    return (await answer.json())["user"]["id"]


async def sign_in(context: BrowserContext, url: str, name: str) -> None:
    """Sign this profile in with an account that there is."""
    answer = await context.request.post(
        f"{url}/api/auth/sign-in/email",
        headers={"Origin": url},
        data={"email": f"{name.lower()}@example.com", "password": PASSWORD},
    )
    assert answer.ok, await answer.text()


async def token(context: BrowserContext, url: str) -> str:
    """The token for chatbridge that the sign-in gives this profile."""
    answer = await context.request.get(f"{url}/api/auth/token")
    assert answer.ok, await answer.text()
    return (await answer.json())["token"]


async def open_chat(context: BrowserContext, url: str, thread: str = "") -> Chat:
    """The chat of whoever is signed in."""
    await context.add_init_script(LISTEN)
    page = await context.new_page()
    chat = Chat(page)
    await page.goto(f"{url}/dashboard/chat" + (f"?c={thread}" if thread else ""))
    await expect(chat.box).to_be_visible(timeout=15_000)
    return chat


def thread_of(chat: Chat) -> str:
    """The conversation that the address names."""
    return re.search(r"[?&]c=([^&]+)", chat.page.url)[1]


def claims(signed: str) -> tuple[dict[str, str], dict[str, str]]:
    """A token's head and body, unverified."""
    head, body, _ = signed.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "===")) for part in (head, body))


def as_bearer(url: str, signed: str) -> httpx.AsyncClient:
    """A client of chatbridge itself."""
    headers = {"Authorization": f"Bearer {signed}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=20)
