"""Processes that the benchmark starts and ends, and what they use of a machine with Linux."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.problems import Failed

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LAST_CHARACTERS = 1500


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads, also those that have ended."""
    # clock_getcpuclockid(3): the kernel makes such a clock's number of a process's number
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def family_cpu_seconds(pid: int) -> float:
    """The same of a process and its children, also of those that have ended."""
    total = cpu_seconds(pid) + _ended_children(pid)
    for child in _children(pid):
        with contextlib.suppress(OSError):
            total += cpu_seconds(child)
    return total


def machine_cpu_seconds() -> float:
    """CPU time that everything on this machine has used since it was started."""
    user, nice, system, _, _, irq, softirq = map(
        int, (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) * _TICK


def memory_megabytes(pid: int) -> float:
    """Resident memory of a process."""
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def pin(pid: int, *cores: int) -> None:
    """Keep a process and its children on these cores."""
    for process in (pid, *_children(pid)):
        for thread in (_PROC / str(process) / "task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(thread.name), cores)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def started(
    command: list[str], directory: Path, environment: Mapping[str, str]
) -> Generator[subprocess.Popen[bytes]]:
    """A process, ended at the end of the context; what it says is in `log` of its directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=directory, env=dict(environment), stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    """Until the process takes connections. Raises Failed with its last words."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.02)
    raise Failed(f"{directory.name} does not listen: {last_words(directory)}")


def last_words(directory: Path) -> str:
    """The end of a process's log."""
    return (directory / "log").read_text(errors="replace")[-_LAST_CHARACTERS:].strip()


def _children(pid: int) -> Iterator[int]:
    for process in _PROC.iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if _fields(process)[1] == str(pid):
                    yield int(process.name)


def _ended_children(pid: int) -> float:
    user, system = _fields(_PROC / str(pid))[13:15]
    return (int(user) + int(system)) * _TICK


def _fields(process: Path) -> list[str]:
    """Of proc_pid_stat(5), from the third on: the second may hold anything."""
    return (process / "stat").read_text().rsplit(")", 1)[1].split()
