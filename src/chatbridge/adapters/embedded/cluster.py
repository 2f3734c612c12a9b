"""One cluster: how it is made, how it is served, and how its last server is got rid of."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chatbridge.adapters.embedded.account import Account, give
from chatbridge.adapters.embedded.errors import EmbeddedPostgresError
from chatbridge.adapters.embedded.lock import locked, opened

USER = DATABASE = "chatbridge"

_INITDB_SECONDS = 180
_LEAVING_SECONDS = 10.0
_STOP_SECONDS = 30.0
_QUOTED_CHARACTERS = 2000
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH")

# Postgres is started in its data directory and told that it is here. On Linux that works below
# directories which its account may not enter: /proc/self/cwd is not looked up through them.
_HERE = "/proc/self/cwd" if Path("/proc/self/cwd").exists() else "."

# Becomes the server. Before, it leaves a watcher behind, which is nobody's child: that reads from
# our pipe, and when it ends without a word, because we have ended in whatever way, SIGKILL too, it
# shuts the server down (SIGINT is the fast kind).
_BECOME_SERVER = """
exec {pipe}<&0
(trap "" INT TERM HUP; (read -r _ <&{pipe} || kill -INT $$) &)
exec "$@" {pipe}<&- </dev/null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster in `home`, and the programs and the account that run it."""

    home: Path
    programs: Path
    account: Account

    @property
    def data(self) -> Path:
        """The cluster itself, there once it has been made completely."""
        return self.home / "data"

    def make(self, password: str, *options: str) -> None:
        """Make the cluster with the user and the database `chatbridge`, unless it is there.

        Raises EmbeddedPostgresError. What a crash left half made is made again.
        """
        for half in self.home.glob("data.*"):
            _remove(half)
        if self.data.exists():
            # root's copy of it is root's, and a copy may have become readable for others
            give(self.data, self.account)
            return
        new = Path(tempfile.mkdtemp(prefix="data.", dir=self.home))
        give(new, self.account)
        self._initdb(new, *options)
        self._create_database(new, password)
        new.rename(self.data)

    @contextmanager
    def served(self, port: int, settings: Mapping[str, str]) -> Generator[subprocess.Popen[bytes]]:
        """A server on 127.0.0.1, shut down at the end of the context, or of this process.

        Raises EmbeddedPostgresError where a former server does not leave.
        """
        with opened(self.data) as lock:
            self._wait_for_former_server(lock)
            server = self._start(lock, port, settings)
        try:
            yield server
        finally:
            _shut_down(server)

    def is_ready(self, port: int) -> bool:
        """Whether the server takes connections on `port`.

        Its pid file holds the port in line 4 and the state in line 8 (Postgres's miscinit.h).
        """
        lines = self._pid_file("postmaster.pid")
        return len(lines) > 7 and lines[3] == str(port) and lines[7].strip() == "ready"

    def last_words(self) -> str:
        """The end of the server's log."""
        return self._log.read_text(errors="replace")[-_QUOTED_CHARACTERS:].strip()

    @property
    def _log(self) -> Path:
        return self.home / "server.log"

    def _pid_file(self, name: str) -> list[str]:
        with suppress(FileNotFoundError):
            return (self.data / name).read_text().splitlines()
        return []

    def _wait_for_former_server(self, lock: int) -> None:
        """Each process of a server holds the lock of its data directory, and nothing else does.

        We have the home to ourselves, so a server that still runs has lost its chatbridge.
        """
        deadline = time.monotonic() + _LEAVING_SECONDS
        while not locked(lock):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"a former server in {self.home} does not end: end its processes"
                )
            self._ask_to_leave(self._pid_file("postmaster.pid")[:1])
            time.sleep(0.05)
        self._forget_former_server()

    def _ask_to_leave(self, process: list[str]) -> None:
        command = ["/bin/sh", "-c", 'kill -INT "$@" 2>/dev/null', "sh", *process]
        subprocess.run(command, check=False, **self.account)  # noqa: S603 - a number

    def _forget_former_server(self) -> None:
        """Remove the pid file that a killed server of ours has left.

        Postgres would take any living process of that number for the server. One that somebody
        else has started has not written its number into our file: Postgres itself then refuses.
        """
        number = self._pid_file("postmaster.pid")[:1]
        if number and number == self._pid_file("chatbridge.pid"):
            (self.data / "postmaster.pid").unlink()

    def _start(self, lock: int, port: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        options = {
            **settings,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "external_pid_file": "chatbridge.pid",
        }
        command = [str(self.programs / "postgres"), "-D", _HERE]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        become_server = _BECOME_SERVER.format(pipe=4 if lock == 3 else 3)
        with open(self._log, "ab", opener=_private) as log:
            return subprocess.Popen(  # noqa: S603 - our own script; paths go in as arguments
                ["/bin/sh", "-c", become_server, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.data,
                env=_environment(),
                start_new_session=True,
                pass_fds=(lock,),
                **self.account,
            )

    def _initdb(self, new: Path, *options: str) -> None:
        # Postgres's own C.UTF-8 knows the letters of every language, whatever the system knows
        locale = ("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
        # no other way in than TCP with a password, which the user gets together with the database
        ways_in = ("--auth-local", "reject", "--auth-host", "scram-sha-256")
        self._run(new, "initdb", "-D", _HERE, "-U", USER, "-E", "UTF8", *locale, *ways_in, *options)

    def _create_database(self, new: Path, password: str) -> None:
        # single-user mode needs no port and no driver; without exit_on_error it always succeeds
        typed = f"CREATE DATABASE {DATABASE}\nALTER ROLE {USER} PASSWORD '{password}'\n"
        options = ("--single", "-D", _HERE, "-c", "exit_on_error=on", "postgres")
        self._run(new, "postgres", *options, typed=typed)

    def _run(self, new: Path, program: str, *arguments: str, typed: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - a program of the installation that was found
            [str(self.programs / program), *arguments],
            input=typed,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=new,
            env=_environment(),
            timeout=_INITDB_SECONDS,
            check=False,
            **self.account,
        )
        if done.returncode:
            said = (done.stderr or done.stdout)[-_QUOTED_CHARACTERS:].strip()
            raise EmbeddedPostgresError(f"{program} failed in {self.home}: {said}")


def _remove(half: Path) -> None:
    """An initdb whose chatbridge was killed goes on, and fails once its directory is gone."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    while half.exists() and time.monotonic() < deadline:
        shutil.rmtree(half, ignore_errors=True)


def _shut_down(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)
    try:
        # a word for the watcher: there is nothing left to watch
        server.communicate(b"\n", timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _environment() -> dict[str, str]:
    """Little of ours: keys in it are none of the server's business, nor PGOPTIONS for initdb."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
