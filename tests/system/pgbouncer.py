"""A real PgBouncer in transaction mode, in front of a test's database."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from tests.ports import free_port
from tests.system.accounts import without_rights

SERVER_CONNECTIONS = 3
"""How many connections to Postgres all clients of a pooler share."""

_START_SECONDS = 10.0
_TRACKS_SINCE = (1, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooler:
    """One that runs: the URL of the database through it, without any mark that it is pooled."""

    url: URL
    log: Path

    def at(self, host: str = "127.0.0.1", **query: str) -> str:
        """The URL with this host and these parameters."""
        url = self.url.set(host=host).update_query_dict(query)
        return url.render_as_string(hide_password=False)


@cache
def program() -> str:
    """The PgBouncer of the run; `make test-system` finds one, or says what is missing."""
    found = shutil.which(os.environ.get("PGBOUNCER", "pgbouncer"))
    if found is None:
        raise RuntimeError("no PgBouncer: run `make test-system`, or set PGBOUNCER")
    return found


@cache
def version() -> tuple[int, ...]:
    """Of that PgBouncer."""
    said = subprocess.run(  # noqa: S603
        [program(), "--version"], capture_output=True, text=True, check=True
    ).stdout
    first = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    if first is None:
        raise RuntimeError(f"not a PgBouncer: {said}")
    return int(first[1]), int(first[2])


def tracks_statements() -> bool:
    """Whether it can follow prepared statements through its pool."""
    return version() >= _TRACKS_SINCE


@asynccontextmanager
async def pooled(
    database_url: str, *, tracking: bool = False, certificate: tuple[Path, Path] | None = None
) -> AsyncGenerator[Pooler]:
    """A pooler in front of the database; `certificate` is a chain and its key, for TLS."""
    target = make_url(database_url)
    home = Path(tempfile.mkdtemp(prefix="chatbridge-pgbouncer-"))
    port = free_port()
    settings = _settings(target, home, port)
    if tracks_statements():
        settings["max_prepared_statements"] = "100" if tracking else "0"
    if certificate:
        settings |= _tls(home, *certificate)
    (home / "users").write_text(f'"{target.username}" "{target.password}"\n')
    server = f"* = host={target.host or '127.0.0.1'} port={target.port or 5432}"
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (home / "ini").write_text("\n".join(["[databases]", server, "[pgbouncer]", *lines, ""]))
    process = _start(home)
    try:
        await _listening(process, port, home / "log")
        yield Pooler(url=target.set(port=port), log=home / "log")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home)


def _settings(target: URL, home: Path, port: int) -> dict[str, str]:
    return {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "pool_mode": "transaction",
        "default_pool_size": str(SERVER_CONNECTIONS),
        "max_client_conn": "200",
        "auth_type": "scram-sha-256",
        "auth_file": str(home / "users"),
        "logfile": str(home / "log"),
    }


def _tls(home: Path, chain: Path, key: Path) -> dict[str, str]:
    mine = [Path(shutil.copy(file, home)) for file in (chain, key)]
    return {
        "client_tls_sslmode": "require",
        "client_tls_cert_file": str(mine[0]),
        "client_tls_key_file": str(mine[1]),
    }


def _start(home: Path) -> "subprocess.Popen[bytes]":
    """PgBouncer refuses to run as root."""
    return subprocess.Popen(  # noqa: S603
        [program(), "--quiet", str(home / "ini")],
        cwd="/",
        stdin=subprocess.DEVNULL,
        **without_rights(home),
    )


async def _listening(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"PgBouncer ended: {_last_words(log)}")
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


def _last_words(log: Path) -> str:
    return log.read_text() if log.exists() else "(it left no log)"
