"""How soon the first words are there, with the database near and far."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from statistics import median

from benchmarks.doubles.answers import Script
from benchmarks.peers.names import ROOT
from benchmarks.processes import free_port, started, wait_for
from benchmarks.sheet import Row
from benchmarks.stand import Stand, in_turn

_DELAYS = (0, 2, 20)
_TURNS = 8


def first(stand: Stand, name: str) -> None:
    """From the request to the first words, in turns of half a second one after the other."""
    for delay in _DELAYS[:1] if stand.quick else _DELAYS:
        with _line(stand, delay) as port:
            _first(stand, name, delay, port)


def _first(stand: Stand, name: str, delay: int, line: int) -> None:
    said = f"the database {delay} ms away each way"
    row = Row(f"{name}.{delay}", f"First words, {said}", "ms")
    behind = Row(f"{name}.behind.{delay}", f"The same, behind the floor, {said}", "ms")
    stand.script(Script(deltas=25, pace=50))
    with stand.serving("floor", "recipe", "graph", *stand.keeping, line=line) as all_served:
        for served in all_served:
            stand.drain(served, deltas=25, repeat=4)
        for number in stand.rounds(full=4, quick=1):
            taken: dict[str, float] = {}
            for served in in_turn(number, all_served):
                drained, spent = stand.measured(served, deltas=25, repeat=_TURNS)
                taken[served.peer.name] = median(drained.firsts) * 1e3
                stand.add(row, served, taken[served.peer.name], spent)
            for served in all_served[1:]:
                late = taken[served.peer.name] - taken["floor"]
                stand.add(behind, served, late, spent)


@contextmanager
def _line(stand: Stand, delay: int) -> Generator[int]:
    """A port that leads to the database, in so many milliseconds each way."""
    port, directory = free_port(), stand.scratch / "line"
    module = "benchmarks.doubles.delay"
    command = [sys.executable, "-m", module, str(port), stand.database.address, str(delay / 1e3)]
    with started(command, directory, {**os.environ, "PYTHONPATH": str(ROOT)}) as line:
        wait_for(port, line, directory)
        yield port
