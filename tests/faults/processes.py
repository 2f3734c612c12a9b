"""The suite's child processes, seen from the tests."""

import asyncio
import json
import os
import select
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_ANSWERS_WITHIN = 120.0


class Child:
    """A helper process: it answers each line with a line, and ends with its standard input."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self.first_word = ""

    async def ask(self, **command: Any) -> str:
        """Send a command and read what it says to it."""
        assert self._process.stdin
        async with self._turn:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            return await self.hear()

    async def hear(self) -> str:
        """Its next line."""
        assert self._process.stdout
        async with asyncio.timeout(_ANSWERS_WITHIN):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a helper process ended: {await self._process.wait()}")
        return line.decode().strip()

    async def end(self) -> None:
        """Close its standard input, which ends it."""
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncGenerator[Child]:
    """`python -m tests.faults.<module>`, once it has said its first word."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.faults.{module}", *arguments),
        cwd=_ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    started = Child(process)
    try:
        started.first_word = await started.hear()
        yield started
    finally:
        await started.end()


@dataclass
class Running:
    """Any process by its id; signals can't reach another one that has got the id later."""

    pid: int

    def __post_init__(self) -> None:
        self._fd = os.pidfd_open(self.pid)

    def signal(self, number: int) -> None:
        """Send it a signal, if it still is there."""
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            return

    @property
    def lives(self) -> bool:
        """Whether it has not ended yet."""
        return not select.select([self._fd], [], [], 0)[0]

    async def ended(self) -> None:
        """Wait until it has gone."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._fd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._fd)

    def close(self) -> None:
        """Forget it."""
        os.close(self._fd)


class Helper:
    """A child process that serves, and its notes since a check has begun to look."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log
        self._from = log.stat().st_size

    def again(self) -> "Helper":
        """The same one, for the next check: what was noted so far is not its business."""
        return Helper(self.url, self._log)

    def notes(self) -> list[dict[str, Any]]:
        """What it has noted."""
        written = self._log.read_bytes()[self._from :]
        return [json.loads(line) for line in written.splitlines(True) if line.endswith(b"\n")]


@asynccontextmanager
async def helper(module: str, path: str, home: Path) -> AsyncGenerator[Helper]:
    """One that is served at `path`, with its notes in `home`."""
    log = home / f"{module}.log"
    async with child(module, str(log)) as started:
        yield Helper(f"http://127.0.0.1:{started.first_word}{path}", log)
