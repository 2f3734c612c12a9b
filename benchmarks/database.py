"""The Postgres of all peers: the embedded one, durable, or the one of BENCH_DATABASE_URL."""

import asyncio
from collections.abc import Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

from benchmarks.problems import NotHere
from benchmarks.processes import family_cpu_seconds, pin
from chatbridge.adapters.embedded.server import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Database:
    """A server; each peer has a database of its own there.

    `postmaster` is the server's process, None where it is not ours: its CPU can't be read then.
    """

    _url: URL
    postmaster: int | None = None

    def url(self, name: str, *, port: int | None = None) -> str:
        """Of one database; `port` is that of a line on this machine that leads there."""
        url = self._url.set(database=name)
        if port is not None:
            url = url.set(host="127.0.0.1", port=port)
        return url.render_as_string(hide_password=False)

    @property
    def address(self) -> str:
        """As host:port."""
        return f"{self._url.host}:{self._url.port or 5432}"

    def create(self, name: str) -> None:
        """Make a database."""
        self.run(f'create database "{name}"')

    def drop(self, name: str) -> None:
        """Do away with a database, whoever is connected."""
        self.run(f'drop database if exists "{name}" with (force)')

    def run(self, *statements: str, of: str | None = None) -> None:
        """Run statements one after the other, each for as long as it takes."""
        _now(self._run(of, statements))

    def value(self, query: str, *arguments: Any, of: str | None = None) -> Any:
        """What a query answers first."""
        return _now(self._value(of, query, arguments))

    def cpu_seconds(self) -> float:
        """CPU time of the server with all its processes; 0 where it can't be read."""
        return family_cpu_seconds(self.postmaster) if self.postmaster else 0.0

    def require_readable(self) -> None:
        """Raises NotHere where its CPU can't be read."""
        if not self.postmaster:
            raise NotHere("The CPU of a Postgres that runs elsewhere can't be read.")

    def wal_bytes(self) -> int:
        """How much has ever been written ahead."""
        return int(self.value("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def version(self) -> str:
        """As in "18.6"."""
        return str(self.value("show server_version")).split()[0]

    def pin(self, *cores: int) -> None:
        """Keep it on these cores, if it is ours."""
        if self.postmaster:
            pin(self.postmaster, *cores)

    async def _run(self, of: str | None, statements: tuple[str, ...]) -> None:
        connection = await asyncpg.connect(self._of(of))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _value(self, of: str | None, query: str, arguments: tuple[Any, ...]) -> Any:
        connection = await asyncpg.connect(self._of(of))
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    def _of(self, name: str | None) -> str:
        return self.url(name or self._url.database or "postgres")


@contextmanager
def database(directory: Path, url: str | None) -> Generator[Database]:
    """The one of `url`, else an embedded one in `directory`, whose data stay there."""
    if url:
        yield Database(make_url(url).set(drivername="postgresql"))
        return
    with EmbeddedPostgres(directory) as postgres:
        lines = (directory / "data" / "postmaster.pid").read_text().splitlines()
        yield Database(make_url(postgres.url), postmaster=int(lines[0]))


def _now(work: Coroutine[Any, Any, Any]) -> Any:
    """What it answers, also where an event loop runs, which waits for it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
