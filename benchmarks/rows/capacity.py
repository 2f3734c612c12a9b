"""How many streams a core carries at a model's pace."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from statistics import median

from benchmarks.doubles.answers import Script
from benchmarks.doubles.client import Drained
from benchmarks.problems import NotHere
from benchmarks.processes import memory_megabytes, pin
from benchmarks.sheet import Row, percentile
from benchmarks.stand import Served, Stand

_STEPS = (25, 50, 65, 80, 100, 125, 150, 175, 200, 250, 300)
_DELTAS, _PACE = 400, 50
_SHOWN = 50
_GAP_SECONDS = 0.1
# an answer that ends so much later than the model's has not kept up, however even its gaps are
_BEHIND_SECONDS = 1.0


def most(stand: Stand, name: str) -> None:
    """The server has a core for itself; model, client and Postgres share another one."""
    streams = Row(f"{name}.streams", f"Most streams at {_PACE}/s on a core, p99 gap < 100 ms", "")
    gap = Row(f"{name}.gap", f"99 of 100 gaps are below, {_SHOWN} of these streams", "ms")
    memory = Row(f"{name}.memory", "Memory of the server then, above what it had before", "MB")
    cores = os.cpu_count() or 1
    if cores < 2:
        raise NotHere("It needs two cores.")
    stand.script(Script(deltas=_DELTAS, pace=_PACE))
    with _on_one_core(stand, *range(cores)):
        _all(stand, streams, gap, memory)


@contextmanager
def _on_one_core(stand: Stand, *all_cores: int) -> Generator[None]:
    stand.database.pin(0)
    pin(stand.model_pid, 0)
    try:
        yield
    finally:
        stand.database.pin(*all_cores)
        pin(stand.model_pid, *all_cores)


def _all(stand: Stand, streams: Row, gap: Row, memory: Row) -> None:
    for peer in (name for name in stand.everybody if name != "raw"):
        with stand.serving(peer) as (served,):
            pin(served.pid, 1)
            stand.drain(served, deltas=_DELTAS, streams=5)
            _climb(stand, served, streams, gap, memory)


def _climb(stand: Stand, served: Served, streams: Row, gap: Row, memory: Row) -> None:
    carried, idle = 0, memory_megabytes(served.pid)
    for count in _STEPS:
        drained, spent = stand.measured(served, deltas=_DELTAS, streams=count, ramp=2.0, core=0)
        if count == _SHOWN:
            stand.add(gap, served, percentile(drained.gaps, 0.99) * 1e3, spent)
            stand.add(memory, served, memory_megabytes(served.pid) - idle, spent)
        if not _keeps_up(drained):
            # once more: something else may have had the core
            drained, spent = stand.measured(served, deltas=_DELTAS, streams=count, ramp=2.0, core=0)
        if _keeps_up(drained):
            carried = count
        elif count >= _SHOWN:
            break
    stand.add(streams, served, carried, spent)


def _keeps_up(drained: Drained) -> bool:
    behind = median(drained.lasts) - _DELTAS / _PACE
    return percentile(drained.gaps, 0.99) < _GAP_SECONDS and behind < _BEHIND_SECONDS
