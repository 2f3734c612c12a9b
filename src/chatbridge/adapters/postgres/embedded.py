"""A real Postgres as a child process, for those who have no server: no Docker, no daemon."""

import logging
import secrets
import shutil
import socket
import subprocess
import time
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from chatbridge.adapters.postgres.embedded_binaries import find_binaries
from chatbridge.adapters.postgres.embedded_cluster import (
    DATABASE,
    USER,
    Cluster,
    kill,
    within_reach,
)
from chatbridge.adapters.postgres.embedded_errors import EmbeddedPostgresError
from chatbridge.adapters.postgres.embedded_home import (
    Home,
    kept_home,
    throw_away_home,
)
from chatbridge.adapters.postgres.embedded_lock import sole_use

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0

_KEPT = {
    "shared_buffers": "64MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
_THROW_AWAY = _KEPT | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A Postgres server on a free port of 127.0.0.1 that lives no longer than this process.

    `directory` keeps its data from one start to the next; with None they are thrown away at the
    stop, and the server trades safety for speed. `start` and `stop` block for up to a minute
    (usually well under a second): call them in a thread where an event loop runs.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._home: Home | None = None

    @cached_property
    def url(self) -> str:
        """`postgresql://user:password@127.0.0.1:port/chatbridge`, the same before the start.

        Raises EmbeddedPostgresError when the directory cannot be used.
        """
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{DATABASE}"

    def start(self) -> None:
        """Start the server and wait until it takes connections; makes the cluster first.

        Raises EmbeddedPostgresError.
        """
        if self._server is not None and self._server.poll() is None:
            return
        self.stop()
        try:
            self._launch(find_binaries())
        except OSError as error:
            self.stop()
            raise EmbeddedPostgresError(f"Postgres cannot be started here: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down in good order; does nothing when it is not running."""
        server, self._server = self._server, None
        if server is not None:
            _shut_down(server)
        if self._home is not None and not self._home.kept:
            shutil.rmtree(self._home.path, ignore_errors=True)
            self._home = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @cached_property
    def _password(self) -> str:
        return secrets.token_hex(16) if self._kept is None else self._kept.read_password()

    @cached_property
    def _kept(self) -> Home | None:
        return None if self._directory is None else kept_home(self._directory)

    def _launch(self, binaries: Path) -> None:
        self._home = home = self._open_home()
        with sole_use(home) as lock:
            cluster = Cluster(home=home, binaries=within_reach(home, binaries), lock=lock)
            cluster.make(self._password)
            self._server = cluster.serve(self._port, _KEPT if home.kept else _THROW_AWAY)
            self._wait_until_ready(cluster, self._server)

    def _open_home(self) -> Home:
        home = self._kept or throw_away_home()
        if home.account and home.is_refuge:
            _log.warning(
                "%s is out of reach of user %s, who runs Postgres for root: the database is in %s",
                home.asked,
                home.account.name,
                home.path,
            )
        return home

    def _wait_until_ready(self, cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not cluster.is_ready(self._port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Postgres did not start in {cluster.home.path}: {cluster.last_words()}"
                )
            time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _shut_down(server: subprocess.Popen[bytes]) -> None:
    if server.stdin:
        server.stdin.close()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        kill(server)
