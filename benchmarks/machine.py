"""What a run was made with: the machine, the versions, the commit."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.database import Database
from benchmarks.peers.names import ROOT

_SHOWN = ("openai", "openai-agents", "openai-chatkit", "fastapi", "uvicorn", "asyncpg", "aiohttp")


def run(*, quick: bool) -> str:
    """When, and of which code; a quick one says so."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{now}, commit {_commit()}" + (", quick" if quick else "")


def described(database: Database) -> dict[str, str]:
    """In words, for the head of a report."""
    return {
        "Machine": f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "Python": platform.python_version(),
        "Postgres": f"{database.version()}, {_durability(database)}",
        "Packages": ", ".join((*(f"{name} {version(name)}" for name in _SHOWN), *_locked())),
    }


def _locked() -> list[str]:
    """What is installed apart."""
    lock = (ROOT / "benchmarks" / "requirements.lock").read_text()
    return [f"langgraph {found}" for found in re.findall(r"^langgraph==(\S+)", lock, re.MULTILINE)]


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True)  # noqa: S603
    changed = subprocess.run([*git, "status", "--porcelain", "src"], capture_output=True, text=True)  # noqa: S603
    return (head.stdout.strip() or "unknown") + (" and changes" if changed.stdout.strip() else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _durability(database: Database) -> str:
    kept = [f"{name} {database.value(f'show {name}')}" for name in ("fsync", "shared_buffers")]
    return ", ".join(kept) + ("" if database.postmaster else ", its CPU is not read")
