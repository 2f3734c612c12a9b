"""chatbridge served for real: by uvicorn on a free port, in this process or its own."""

import asyncio
import atexit
import os
import re
import shutil
import signal
import ssl
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from chatbridge.container import Container
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.main import create_app
from chatbridge.settings import Settings
from tests.command import Command, begin
from tests.ports import free_port

SECRET = "a secret of the tests, long enough for HS256"
START_SECONDS = 30.0
BLOBS = Path(tempfile.gettempdir()) / f"chatbridge-tests-{os.getpid()}"
atexit.register(shutil.rmtree, BLOBS, ignore_errors=True)
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: to load those of the world takes 20 ms for each of them."""


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings of a test: no .env, a secret of its own, a free port, and what the test changes.

    Attachments are taken, whatever directories there are here.
    """
    if database_url != "memory:":
        changes.setdefault("blobs", {"url": f"file:{BLOBS}"})
    return Settings(
        _env_file=None,
        secret=SECRET,
        PORT=free_port(),
        database={"url": database_url},
        **changes,
    )


@dataclass
class Served:
    """A running chatbridge and ways to talk to it."""

    url: str
    container: Container
    _clients: list[httpx.AsyncClient] = field(default_factory=list)

    def token(self, user: str) -> str:
        """A development token."""
        caller = Caller(user_id=UserId(user))
        issuer = self.container.issuer()
        return issuer.issue(caller, audience=DEVELOPMENT, lifetime=timedelta(hours=1)).token

    def as_user(self, user: str | None) -> httpx.AsyncClient:
        """A client that is signed in as `user`; None: not signed in. Closed with the server."""
        headers = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        client = httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=20, verify=NO_AUTHORITIES
        )
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def served(
    settings: Settings, override: Callable[[Container], None] = lambda _: None
) -> AsyncGenerator[Served]:
    """chatbridge on this loop; `override` may put other adapters into its container first."""
    container = Container(settings=settings)
    override(container)
    here = Served(f"http://127.0.0.1:{settings.port}", container)
    async with serving(create_app(container), settings.port, timeout_graceful_shutdown=1):
        try:
            yield here
        finally:
            await here.close()


@asynccontextmanager
async def serving(app: Any, port: int, **options: Any) -> AsyncGenerator[uvicorn.Server]:
    """Any application on this loop, by uvicorn with these options."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, **options
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(START_SECONDS):
            while not server.started:
                if running.done():
                    running.result()
                    raise RuntimeError("the server did not start")
                await asyncio.sleep(0.01)
        yield server
    finally:
        server.should_exit = True
        await running


@dataclass
class Spawned:
    """chatbridge as a process of its own, to be killed."""

    url: str
    process: Command
    log: Path

    def kill(self) -> None:
        """kill -9."""
        self.process.signal(signal.SIGKILL)
        self.process.wait(10)

    def peak(self) -> int:
        """The most memory that the process has had, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])

    @property
    def key(self) -> str:
        """The key of its chat page, where it is of development."""
        return (self.log.parent / ".chatbridge" / f"key-{httpx.URL(self.url).port}").read_text()

    def freeze(self) -> None:
        """It holds its connections, and says nothing more until it is thawed."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.process.signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait(20)


async def spawn(directory: Path, *arguments: str, **environment: str) -> Spawned:
    """`chatbridge serve` in `directory`, ready; its settings are `environment` alone."""
    port = environment.get("PORT") or str(free_port())
    log = directory / "server.log"
    process = await begin(
        directory, "serve", *arguments, environment={**environment, "PORT": port}, output=log
    )
    url = f"http://127.0.0.1:{port}"
    async with (
        httpx.AsyncClient(verify=NO_AUTHORITIES) as client,
        asyncio.timeout(START_SECONDS),
    ):
        while True:
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return Spawned(url, process, log)
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
