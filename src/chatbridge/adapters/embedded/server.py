"""A Postgres server that lives no longer than this process.

<directory>/     one chatbridge at a time holds its lock
  password       made once, so that the cluster always answers to the same one
  data/          the cluster; the server's processes hold its lock
  server.log
"""

import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Self

from chatbridge.adapters.embedded.account import account_for
from chatbridge.adapters.embedded.cluster import DATABASE, USER, Cluster
from chatbridge.adapters.embedded.errors import EmbeddedPostgresError
from chatbridge.adapters.embedded.lock import locked, opened
from chatbridge.adapters.embedded.programs import find_programs, within_reach

_START_SECONDS = 60.0

_SETTINGS = {
    "shared_buffers": "64MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # the details of an error hold what was to be kept
    "log_error_verbosity": "terse",
}
_NOT_DURABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """A Postgres server on a free port of 127.0.0.1, with its data in `directory`.

    `durable` False is for tests: faster, it survives its processes but not the machine. `start` and
    `stop` block for up to a minute (usually well under a second): call them in a thread where an
    event loop runs.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._directory = directory.expanduser().absolute()
        self._durable = durable
        self._port = _free_port()
        self._opened = ExitStack()

    @cached_property
    def url(self) -> str:
        """`postgresql://user:password@127.0.0.1:port/chatbridge`, the same before the start.

        Raises EmbeddedPostgresError when the directory can't be used.
        """
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{DATABASE}"

    def start(self) -> None:
        """Start the server and wait until it takes connections; makes the cluster first.

        Raises EmbeddedPostgresError.
        """
        self.stop()
        with ExitStack() as opening, self._in_words():
            password = self._password
            opening.enter_context(self._sole_use())
            cluster = self._cluster()
            cluster.make(password, *(() if self._durable else ("--no-sync", "-c", "fsync=off")))
            settings = _SETTINGS if self._durable else _SETTINGS | _NOT_DURABLE
            server = opening.enter_context(cluster.served(self._port, settings))
            self._wait_until_ready(cluster, server)
            self._opened = opening.pop_all()

    def stop(self) -> None:
        """Shut the server down in good order; does nothing when it is not running."""
        self._opened.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @cached_property
    def _password(self) -> str:
        with self._in_words():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            used = any(not each.name.startswith("password") for each in self._directory.iterdir())
            file = self._directory / "password"
            if used and not file.exists():
                raise EmbeddedPostgresError(
                    f"{self._directory} is not empty and holds no database of chatbridge: "
                    "choose another directory"
                )
            return _kept(file)

    @contextmanager
    def _sole_use(self) -> Generator[None]:
        with opened(self._directory) as lock:
            if not locked(lock):
                raise EmbeddedPostgresError(
                    f"another chatbridge is using {self._directory}: stop it or set DATABASE_URL"
                )
            yield

    def _cluster(self) -> Cluster:
        account = account_for(self._directory / "data")
        programs = within_reach(find_programs(), account)
        return Cluster(home=self._directory, programs=programs, account=account)

    def _wait_until_ready(self, cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not cluster.is_ready(self._port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Postgres did not start in {cluster.home}: {cluster.last_words()}"
                )
            time.sleep(0.01)

    @contextmanager
    def _in_words(self) -> Generator[None]:
        try:
            yield
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedPostgresError(
                f"{self._directory} can't be used ({error}): choose another directory, "
                "or set DATABASE_URL"
            ) from error


def _kept(file: Path) -> str:
    """What a private file holds, made up at first and linked into place when it is whole."""
    if not file.exists():
        with tempfile.NamedTemporaryFile("w", prefix="password.", dir=file.parent) as draft:
            draft.write(secrets.token_hex(16))
            draft.flush()
            # of two at once, one wins for both
            with suppress(FileExistsError):
                os.link(draft.name, file)
    return file.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
