"""The `chatbridge` command as processes of their own, which start in a quarter of a second: they
are forked from one that has loaded all that a server loads."""

import asyncio
import multiprocessing
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import chatbridge.main  # noqa: F401  # a server's start would load it
from chatbridge.__main__ import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["__main__", __name__])

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_LASTS_AT_MOST = 30.0


@dataclass
class Command:
    """One that runs, or has run."""

    _process: BaseProcess

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, or None while it runs; a signal that has ended it is negative."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """The same, when it has ended. Raises TimeoutError."""
        self._process.join(seconds)
        code = self.poll()
        if code is None:
            raise TimeoutError(f"process {self.pid} still runs after {seconds} s")
        return code

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


async def begin(
    directory: Path,
    *arguments: str,
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    stdin: Path | None = None,
) -> Command:
    """`chatbridge` with these arguments, in this directory, with this environment and PATH and
    HOME; `errors` go to the output unless they are to be apart."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    files = (stdin or Path(os.devnull), output, errors or output)
    process = _FORKS.Process(
        target=_become, args=(directory, arguments, {**kept, **environment}, files), daemon=True
    )
    # the first one waits until all is loaded
    await asyncio.to_thread(process.start)
    return Command(process)


async def run(
    directory: Path, *arguments: str, stdin: str = "", **environment: str
) -> tuple[int, str, str]:
    """The same until it ends: exit code, stdout, stderr."""
    with TemporaryDirectory() as apart:
        said, output, errors = (Path(apart, name) for name in ("stdin", "stdout", "stderr"))
        said.write_text(stdin)
        command = await begin(
            directory,
            *arguments,
            environment=environment,
            output=output,
            errors=errors,
            stdin=said,
        )
        code = await asyncio.to_thread(command.wait, _LASTS_AT_MOST)
        return code, output.read_text(), errors.read_text()


def _become(
    directory: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    files: tuple[Path, Path, Path],
) -> None:
    stdin, output, errors = files
    os.dup2(os.open(stdin, os.O_RDONLY), 0)
    os.dup2(os.open(output, _APPENDING, 0o644), 1)
    os.dup2(os.open(errors, _APPENDING, 0o644), 2)
    # multiprocessing has given it another one
    sys.stdin = open(0)  # noqa: SIM115
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    sys.argv[:] = ["chatbridge", *arguments]
    main()
