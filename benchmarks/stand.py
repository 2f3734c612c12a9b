"""Everything that a measurement needs, running: the database, the model, the peers."""

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.database import Database
from benchmarks.doubles.answers import Script
from benchmarks.doubles.client import Drained, Load
from benchmarks.peers.catalog import PEERS, Peer
from benchmarks.peers.names import OURS, ROOT
from benchmarks.problems import Failed
from benchmarks.processes import (
    cpu_seconds,
    free_port,
    last_words,
    machine_cpu_seconds,
    started,
    wait_for,
)
from benchmarks.sheet import Row, Sheet
from chatbridge.adapters.postgres.migrate import upgrade

T = TypeVar("T")

_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
_SETTLE_SECONDS = 0.3
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A peer that runs."""

    peer: Peer
    port: int
    pid: int
    load: Load


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of the server and of Postgres, bytes of WAL, and what all else on the machine
    took meanwhile, in percent of a core.
    """

    server: float
    database: float
    wal: float
    others: float


@dataclass(slots=True)
class Stand:
    """`quick`: fewer rounds of shorter answers."""

    database: Database
    model_port: int
    model_pid: int
    scratch: Path
    quick: bool
    sheet: Sheet
    _made: set[str] = field(default_factory=set[str])

    @property
    def everybody(self) -> tuple[str, ...]:
        """All peers, in the order of the tables' columns; a quick run leaves out two."""
        return tuple(name for name in PEERS if not (self.quick and name in ("raw", "memory")))

    @property
    def keeping(self) -> tuple[str, ...]:
        """The chatbridges that keep what they say in Postgres."""
        return tuple(name for name in OURS if name in PEERS and PEERS[name].database)

    def rounds(self, full: int, quick: int = 2) -> range:
        """How often everybody takes their turn."""
        return range(quick if self.quick else full)

    def keeps(self, served: Served) -> bool:
        """Whether it uses a Postgres whose CPU can be read."""
        return bool(served.peer.database and self.database.postmaster)

    def add(self, row: Row, served: Served, value: float, spent: Spent) -> None:
        """One more round."""
        self.sheet.add(row, served.peer.name, value, spent.others)

    def script(self, script: Script) -> None:
        """What the model says from now on."""
        body = json.dumps(asdict(script)).encode()
        address = f"http://127.0.0.1:{self.model_port}/script"
        request = urllib.request.Request(address, body, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310

    @contextmanager
    def serving(
        self,
        *names: str,
        api: str = "responses",
        line: int | None = None,
        database: str | None = None,
        **settings: str,
    ) -> Generator[list[Served]]:
        """These peers, ready. `line` is the port on which they find the database, `database` one
        that is there already; `settings` are chatbridge's, without `CHATBRIDGE_`.
        """
        with ExitStack() as running:
            waiting = [
                self._start(running, PEERS[name], api, line, database, settings) for name in names
            ]
            yield [finish() for finish in waiting]

    def drain(self, served: Served, *, core: int | None = None, **changes: Any) -> Drained:
        """The answers to a load, each word of them there; `core` is the client's, if any."""
        load = replace(served.load, **changes)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.doubles.client"],
            input=json.dumps(asdict(load)),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            preexec_fn=None if core is None else partial(os.sched_setaffinity, 0, {core}),
        )
        if done.returncode:
            raise Failed(f"{served.peer.title}: {done.stderr.strip().splitlines()[-1]}")
        return Drained(**json.loads(done.stdout))

    def measured(
        self, served: Served, *, core: int | None = None, **changes: Any
    ) -> tuple[Drained, Spent]:
        """The same, and what it took."""
        before = self._counters(served)
        drained = self.drain(served, core=core, **changes)
        # what is kept behind an answer belongs to it
        time.sleep(_SETTLE_SECONDS)
        return drained, self._spent(before, self._counters(served))

    def spent_by(self, served: Served | None) -> "Meter":
        """What happens inside this context takes."""
        return Meter(self, served)

    def _counters(self, served: Served | None) -> tuple[float, ...]:
        wal = self.database.wal_bytes()
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        known = (
            cpu_seconds(served.pid) if served else 0.0,
            self.database.cpu_seconds(),
        )
        benchmark = time.process_time() + children.ru_utime + children.ru_stime
        double = cpu_seconds(self.model_pid)
        return (*known, wal, machine_cpu_seconds(), benchmark + double, time.monotonic())

    @staticmethod
    def _spent(before: tuple[float, ...], after: tuple[float, ...]) -> Spent:
        server, database, wal, machine, ours, wall = (
            b - a for a, b in zip(before, after, strict=True)
        )
        others = max(0.0, machine - server - database - ours) / wall * 100
        return Spent(server, database, wal, others)

    def _start(
        self,
        running: ExitStack,
        peer: Peer,
        api: str,
        line: int | None,
        database: str | None,
        settings: Mapping[str, str],
    ) -> Any:
        port, directory = free_port(), self.scratch / peer.name
        environment = self._environment(peer, port, api, line, database)
        if peer.ours:
            environment |= {f"CHATBRIDGE_{name}": value for name, value in settings.items()}
            command = list(peer.command)
        else:
            command = [*peer.command, "--port", str(port)]
        process = running.enter_context(started(command, directory, environment))

        def ready() -> Served:
            wait_for(port, process, directory)
            if peer.ours:
                _require_ready(port, process, directory)
            return Served(peer, port, process.pid, peer.load(port, api))

        return ready

    def _environment(
        self, peer: Peer, port: int, api: str, line: int | None, database: str | None
    ) -> dict[str, str]:
        model = f"http://127.0.0.1:{self.model_port}/v1"
        url = self._database_of(peer, line, database)
        theirs = {"MODEL_URL": model, "MODEL_API": api, "PYTHONPATH": str(ROOT)}
        ours = {
            "PORT": str(port),
            "CHATBRIDGE_AGENT__MODEL": "double",
            "CHATBRIDGE_AGENT__BASE_URL": model,
            "CHATBRIDGE_AGENT__API_KEY": "none",
            "CHATBRIDGE_AGENT__API": api,
            "CHATBRIDGE_AGENT__TOOLS": "none",
        }
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        if peer.ours:
            return {**passed_on, **ours, **peer.environment, "DATABASE_URL": url or "memory:"}
        return {**passed_on, **theirs, **({"PEER_DATABASE_URL": url} if url else {})}

    def _database_of(self, peer: Peer, line: int | None, database: str | None) -> str | None:
        if peer.database is None:
            return None
        name = database or peer.database
        if database is None and name not in self._made:
            # anew for each run: what an earlier one has left, or another schema, changes nothing
            self.database.drop(name)
            self.database.create(name)
            if peer.ours:
                upgrade(self.database.url(name), "chatbridge")
            self._made.add(name)
        return self.database.url(name, port=line)

    def prepare(self, *names: str) -> None:
        """Have these peers' databases ready."""
        for name in names:
            self._database_of(PEERS[name], None, None)


class Meter:
    """What everything took between its two ends; `spent` is there after the second."""

    spent: Spent

    def __init__(self, stand: Stand, served: Served | None) -> None:
        self._stand, self._served = stand, served

    def __enter__(self) -> "Meter":
        self._before = self._stand._counters(self._served)
        return self

    def __exit__(self, *_: object) -> None:
        self.spent = self._stand._spent(self._before, self._stand._counters(self._served))


@contextmanager
def stand(database: Database, scratch: Path, *, quick: bool, sheet: Sheet) -> Generator[Stand]:
    """A model that speaks, beside the database."""
    port, directory = free_port(), scratch / "model"
    command = [sys.executable, "-m", "benchmarks.doubles.model", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with started(command, directory, environment) as model:
        wait_for(port, model, directory)
        yield Stand(database, port, model.pid, scratch, quick, sheet)


def in_turn(number: int, all_peers: Sequence[T]) -> Iterator[T]:
    """Everybody, each round beginning with somebody else."""
    first = number % len(all_peers)
    yield from (*all_peers[first:], *all_peers[:first])


def _require_ready(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise Failed(f"{directory.name} is not ready: {last_words(directory)}")
