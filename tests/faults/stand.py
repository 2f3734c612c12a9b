"""The test stand: a database, a model, a tool server, and as many replicas as a check wants."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from jose import jwt
from sqlalchemy.engine import make_url

from tests.faults.processes import Child, Helper, Running, child
from tests.faults.replica import PATCH
from tests.faults.table import Table
from tests.faults.tool_server import DATABASE
from tests.ports import free_port

LEASE = 5.0
DRAIN = 3.0

_SECRET = "a secret that the replicas of a test share, long enough"
_SIGN_IN = "a secret that the sign-in shares with them, long enough"
_WHO = {"iss": "https://sign-in.example", "aud": "chatbridge"}
_HALF_A_DAY = 43_200
_STARTS_WITHIN = 120.0


@dataclass
class Replica:
    """One chatbridge that is served."""

    url: str
    process: Running
    log: Path

    def kill(self) -> None:
        """kill -9."""
        self.process.signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if no time had passed."""
        self.process.signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.signal(signal.SIGTERM)

    @property
    def memory(self) -> int:
        """Its resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024


@dataclass
class Link:
    """A network of its own between replicas and the database."""

    url: str
    proxy: Child

    async def do(self, what: str, **how: Any) -> int:
        """Command the proxy; answers when it is so."""
        return int(await self.proxy.ask(do=what, **how))


@dataclass
class Stand:
    """Everything of one check. `direct` is the database, `way` how replicas reach it.

    `scale` multiplies the rounds of a check; `patch` names what is switched off in its replicas.
    """

    direct: str
    way: str
    name: str
    model: Helper
    tools: Helper
    home: Path
    nursery: Child
    table: Table
    client: httpx.AsyncClient
    sql: asyncpg.Pool
    scale: float = 1.0
    patch: str | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _started: list[Replica] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def rounds(self, full: int) -> int:
        """How often to do what is done `full` times in a run of the usual length."""
        return max(2, round(full * self.scale))

    def promised(self, fault: str, rounds: object, promise: str, figure: str) -> None:
        """A row of the table."""
        self.table.add(f"{fault} [{self.name}]", rounds, promise, figure)

    async def start(self, *, exec_with: dict[str, str] | None = None, **more: str) -> Replica:
        """A new replica, ready; `exec_with` is what a program of its own needs around it."""
        replica = await self.launch(exec_with=exec_with, **more)
        await self.ready(replica)
        return replica

    async def pair(self, **more: str) -> tuple[Replica, Replica]:
        """Two of them."""
        first, second = await asyncio.gather(self.start(**more), self.start(**more))
        return first, second

    async def launch(self, *, exec_with: dict[str, str] | None = None, **more: str) -> Replica:
        """A new replica that may still be starting."""
        port = free_port()
        directory = self.home / f"replica-{port}-{len(self._started)}"
        directory.mkdir()
        environment = self._environment(port) | more | (exec_with or {})
        if exec_with is None:
            wish = {"environment": environment, "directory": str(directory)}
            pid = int(await self.nursery.ask(**wish))
        else:
            pid = _spawned(environment, directory)
        replica = Replica(f"http://127.0.0.1:{port}", Running(pid), directory / "server.log")
        self._started.append(replica)
        return replica

    async def ready(self, replica: Replica) -> float:
        """Wait until it is ready; the seconds that took."""
        began = time.monotonic()
        async with asyncio.timeout(_STARTS_WITHIN):
            while True:
                if not replica.process.lives:
                    raise RuntimeError(replica.log.read_text())
                try:
                    response = await self.client.get(f"{replica.url}/readyz")
                    if response.status_code == 200:
                        return time.monotonic() - began
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.02)

    async def link(self, url: str | None = None) -> Link:
        """A network that can fail, to the database as replicas reach it."""
        target = make_url(url or self.way)
        host, port = target.host or "127.0.0.1", str(target.port or 5432)
        proxy = await self._open.enter_async_context(child("proxy", host, port))
        through = target.set(host="127.0.0.1", port=int(proxy.first_word))
        return Link(through.render_as_string(hide_password=False), proxy)

    def model_saw(self, id: str) -> list[str]:
        """What the model noted of a script, in order."""
        return [note["did"] for note in self.model.notes() if note["id"] == id]

    async def close(self) -> None:
        """Kill the replicas, frozen ones too, and close the networks."""
        for replica in self._started:
            replica.kill()
            await replica.process.ended()
            replica.process.close()
        await self._open.aclose()

    def asking(self) -> dict[str, str]:
        """What a replica is started with whose every tool asks."""
        return _tools(self._ledger | {"approval": "always"})

    @property
    def _ledger(self) -> dict[str, Any]:
        return {"url": self.tools.url, "headers": {DATABASE: self.direct}}

    def _environment(self, port: int) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {
            "PORT": str(port),
            "DATABASE_URL": self.way,
            "CHATBRIDGE_ENVIRONMENT": "production",
            "CHATBRIDGE_SECRET": _SECRET,
            "CHATBRIDGE_AUTH__SECRET": _SIGN_IN,
            "CHATBRIDGE_AUTH__ISSUER": _WHO["iss"],
            "CHATBRIDGE_AUTH__AUDIENCE": _WHO["aud"],
            "CHATBRIDGE_AGENT__MODEL": "stub",
            "CHATBRIDGE_AGENT__BASE_URL": self.model.url,
            "CHATBRIDGE_AGENT__TOOLS": "servers",
            **_tools(self._ledger),
            "CHATBRIDGE_TURNS__LEASE": str(LEASE),
            "CHATBRIDGE_TURNS__DRAIN": str(DRAIN),
            **({PATCH: self.patch} if self.patch else {}),
        }


def _tools(ledger: dict[str, Any]) -> dict[str, str]:
    return {"CHATBRIDGE_MCP__SERVERS": json.dumps({"ledger": ledger})}


def token(user: str) -> str:
    """What the sign-in would give the user."""
    now = int(time.time())
    claims = {**_WHO, "sub": user, "iat": now - _HALF_A_DAY, "exp": now + _HALF_A_DAY}
    return jwt.encode(claims, _SIGN_IN, algorithm="HS256")


def signed_in(user: str) -> dict[str, str]:
    """The headers of the user's requests."""
    return {"Authorization": f"Bearer {token(user)}"}


@asynccontextmanager
async def http_client() -> AsyncGenerator[httpx.AsyncClient]:
    """One for a whole check: any number of connections."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=2)
    async with httpx.AsyncClient(timeout=30, limits=limits, verify=False) as client:  # noqa: S501
        yield client


def _spawned(environment: dict[str, str], directory: Path) -> int:
    """A program of its own, for what has to be around it before it loads anything."""
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(root)])
    arguments = [sys.executable, "-m", "tests.faults.replica"]
    log = os.open(directory / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    try:
        return os.posix_spawn(
            arguments[0],
            arguments,
            environment | {"PYTHONPATH": path},
            file_actions=actions,
        )
    finally:
        os.close(log)
