"""A real llama.cpp server with a small model, from packages, as a process of its own."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from tests.serving import NO_AUTHORITIES

PACKAGES = Path(sys.prefix) / "llama"
_HERE = Path(__file__).parent / "llama"
_START_SECONDS = 60.0
_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Llama:
    """A server that runs; what it says of itself."""

    url: str
    log: Path
    http: httpx.AsyncClient

    def refused(self) -> list[str]:
        """The requests that it did not take, each by its reason."""
        return re.findall(r"got exception: (.*)", self.log.read_text())

    async def ask(self, *messages: dict[str, Any]) -> httpx.Response:
        """One request, past chatbridge."""
        return await self.http.post("/v1/chat/completions", json={"messages": messages})

    async def call(self, schema: dict[str, Any]) -> httpx.Response:
        """One request for a call of a tool with this schema, past chatbridge."""
        tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
        asked = {"messages": [{"role": "user", "content": "hello"}], "tools": [tool]}
        choice = {"tool_choice": "required", "max_tokens": 1}
        return await self.http.post("/v1/chat/completions", json={**asked, **choice})

    async def rests(self) -> None:
        """Wait until no answer is being made; TimeoutError if one still is, much later."""
        async with asyncio.timeout(_END_SECONDS):
            while True:
                slots = (await self.http.get("/slots")).json()
                if not any(slot["is_processing"] for slot in slots):
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def llama_server(home: Path, template: str) -> AsyncGenerator[Llama]:
    """The server, with one of our chat templates, on a free port of 127.0.0.1."""
    if not PACKAGES.exists():
        raise RuntimeError(f"no {PACKAGES}: `make test-system` installs it")
    port, log = free_port(), home / "llama.log"
    with log.open("w") as said:
        process = subprocess.Popen(  # noqa: ASYNC220, S603  # a start takes no time worth waiting for
            [sys.executable, _HERE / "serve.py", str(port), _HERE / f"{template}.jinja"],
            env={"PYTHONPATH": str(PACKAGES)},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, verify=NO_AUTHORITIES, timeout=60) as http:
            await _loaded(http, process, log)
            yield Llama(url, log, http)
    finally:
        process.kill()
        process.communicate()


async def _loaded(http: httpx.AsyncClient, process: subprocess.Popen[bytes], log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while process.poll() is None:
            with suppress(httpx.TransportError):
                if (await http.get("/health")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"llama.cpp has not started: see {log}")
