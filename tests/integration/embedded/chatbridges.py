"""Chatbridges with an embedded Postgres of their own, for tests that kill them."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from chatbridge.adapters.embedded.account import account_for
from chatbridge.adapters.embedded.programs import find_programs, within_reach

_SERVE = """
import sys, time
from pathlib import Path
from chatbridge.adapters.embedded.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.url, flush=True)
time.sleep(600)
"""


def chatbridge(directory: Path) -> subprocess.Popen[str]:
    """Another process, which starts a server in `directory` and says its URL."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", _SERVE, str(directory)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )


@dataclass(frozen=True, kw_only=True)
class Running:
    """A chatbridge whose server is up, and the numbers of its three processes."""

    process: subprocess.Popen[str]
    url: str
    watcher: int
    server: int

    def kill(self, *names: str) -> None:
        """SIGKILL for "watcher", "server" or "chatbridge"."""
        numbers = {"chatbridge": self.process.pid, "watcher": self.watcher, "server": self.server}
        for name in names:
            os.kill(numbers[name], signal.SIGKILL)
        if "chatbridge" in names:
            self.process.wait()


def running(directory: Path) -> Running:
    """A chatbridge whose server is up. Blocks."""
    process = chatbridge(directory)
    assert process.stdout is not None
    with process.stdout as said:
        url = said.readline().strip()
    server = postmaster(directory)
    return Running(process=process, url=url, server=server, watcher=watcher_of(server))


def postmaster(directory: Path) -> int:
    """The number of the server of the cluster in `directory`."""
    return int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def watcher_of(server: int) -> int:
    """The shell in the server's session, which is named after the server."""
    return next(
        int(name)
        for name, session, command in _processes()
        if session == server and command == "sh"
    )


def is_gone(process: int) -> bool:
    """Whether the process has ended; one that nobody collects has ended too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@contextmanager
def somebody_else(data: Path) -> Generator[int]:
    """The number of a process of the account that runs the cluster: Postgres yields to any such."""
    with subprocess.Popen(["sleep", "60"], **account_for(data)) as process:  # noqa: S607
        yield process.pid
        process.kill()


def pg_ctl(data: Path, *arguments: str) -> None:
    """What somebody does by hand, without chatbridge."""
    account = account_for(data)
    program = within_reach(find_programs(), account) / "pg_ctl"
    command = [str(program), "-D", "/proc/self/cwd", *arguments]
    silent = subprocess.DEVNULL
    subprocess.run(  # noqa: S603 - the wheel's own program
        command, cwd=data, check=True, stdout=silent, stderr=silent, **account
    )


async def ask(url: str, query: str) -> object:
    """The one value that a query brings."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _processes() -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            command, _, rest = each.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        found.append((each.parent.name, int(rest.split()[3]), command))
    return found
