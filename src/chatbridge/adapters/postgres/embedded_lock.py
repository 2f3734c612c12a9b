"""That no two chatbridges use one home at a time, whatever became of the last one."""

import fcntl
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from chatbridge.adapters.postgres.embedded_errors import EmbeddedPostgresError
from chatbridge.adapters.postgres.embedded_home import Home

_LEAVING_SECONDS = 10.0
_FIRST_OWN_DESCRIPTOR = 10


@contextmanager
def sole_use(home: Home) -> Generator[int]:
    """Hold the home's lock; yields the descriptor that children inherit to hold it on.

    A server whose chatbridge was killed gets a few seconds to leave. Raises EmbeddedPostgresError
    when somebody else is using the home.
    """
    opened = os.open(home.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    # The supervisor's shell uses the low numbers itself.
    lock = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, _FIRST_OWN_DESCRIPTOR)
    os.close(opened)
    try:
        _wait_for_lock(home, lock)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        _clear_stale_pid_file(home)
        yield lock
    finally:
        os.close(lock)


def _wait_for_lock(home: Home, lock: int) -> None:
    deadline = time.monotonic() + _LEAVING_SECONDS
    while not _try_lock(lock):
        owner = os.pread(lock, 32, 0).decode().strip()
        if _is_alive(owner) or time.monotonic() > deadline:
            raise _in_use(home, owner or "unknown")
        time.sleep(0.05)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_use(home: Home, process: str) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"another chatbridge is using {home.asked or home.path} (process {process}): "
        "stop it or set DATABASE_URL"
    )


def _clear_stale_pid_file(home: Home) -> None:
    """Remove a pid file that a crash left behind, unless a postmaster without our lock runs.

    Postgres itself takes any living process of its user with that number for its predecessor.
    """
    file = home.data / "postmaster.pid"
    if not file.exists():
        return
    process = file.read_text().partition("\n")[0].strip()
    if _is_postmaster_of(process, home.data):
        raise _in_use(home, process)
    file.unlink()


def _is_alive(process: str) -> bool:
    if not process.isdecimal() or int(process) < 1:
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: str) -> bool:
    """Containers often have nobody who collects the dead (the state's place: proc_pid_stat(5))."""
    with suppress(OSError):
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2]
        return after_name.split()[0] in {"Z", "X"}
    return False


def _is_postmaster_of(process: str, data: Path) -> bool:
    """A postmaster works in its data directory; where there is no /proc, its name has to do."""
    if not _is_alive(process):
        return False
    if not Path("/proc/self/cwd").exists():
        return "postgres" in _command(process)
    with suppress(OSError):
        return Path(f"/proc/{process}/cwd").readlink() == data.resolve()
    return False


def _command(process: str) -> str:
    asked = ["ps", "-o", "comm=", "-p", process]
    with suppress(OSError):
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603 - digits
    return ""
