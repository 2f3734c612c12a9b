"""Measures and prints: `make bench`; BENCH=quick or large, ROWS=delta,first for some of it."""

import argparse
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial

from benchmarks.database import database
from benchmarks.machine import described, run
from benchmarks.peers.names import OURS, ROOT
from benchmarks.problems import Failed, NotHere
from benchmarks.report import report
from benchmarks.rows import (
    calls,
    capacity,
    history,
    latency,
    reading,
    starting,
    streams,
    ticks,
)
from benchmarks.sheet import Row, Sheet
from benchmarks.stand import Stand, stand
from chatbridge.adapters.embedded.errors import EmbeddedPostgresError

KEPT = ROOT / ".bench"
Measure = Callable[[Stand, str], None]

ROWS: dict[str, Measure] = {
    "delta": partial(streams.paced, api="responses"),
    "chat": partial(streams.paced, api="chat_completions"),
    "flat": streams.flat_out,
    "turn": streams.turn,
    "first": latency.first,
    "list": reading.listed,
    "join": reading.joined,
    "calls": calls.many_calls,
    "tick": ticks.tick,
    "start": starting.start,
    "most": capacity.most,
    "history": history.by_length,
    "large": history.by_table,
}
_QUICK = ("delta", "first", "list", "tick", "history")
_LARGE = ("large",)


def main() -> None:
    """Measure what was asked for; a row that fails takes no other with it."""
    arguments = _arguments()
    if sys.platform != "linux":
        sys.exit("It reads the CPU time of processes as Linux tells it.")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    # the embedded server's own role is what it should not be elsewhere
    logging.getLogger("chatbridge").setLevel(logging.ERROR)
    sheet = Sheet(machine={})
    try:
        failed = _measure(arguments.rows, arguments.kind == "quick", sheet)
    except EmbeddedPostgresError as error:
        sys.exit(str(error))
    print(report(sheet))
    if failed:
        sys.exit("Failed: " + "; ".join(failed))


def _measure(names: Iterable[str], quick: bool, sheet: Sheet) -> list[str]:
    failed: list[str] = []
    with (
        database(KEPT / "postgres", os.environ.get("BENCH_DATABASE_URL")) as there,
        stand(there, KEPT / "run", quick=quick, sheet=sheet) as standing,
    ):
        sheet.machine, sheet.run = described(there), run(quick=quick)
        for name in names:
            begun = time.monotonic()
            try:
                _row(name, standing)
            except KeyboardInterrupt:
                sheet.forget(name)
                return [*failed, f"{name}: interrupted"]
            except Exception as error:
                sheet.forget(name)
                failed.append(f"{name}: {error or type(error).__name__}")
                if not isinstance(error, Failed):
                    traceback.print_exc()
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
            _keep(sheet)
    return failed


def _row(name: str, standing: Stand) -> None:
    try:
        ROWS[name](standing, name)
    except NotHere as error:
        standing.sheet.leave_out(Row(name, f"The rows `{name}`", ""), OURS, str(error))


def _keep(sheet: Sheet) -> None:
    (KEPT / "figures.json").write_text(json.dumps(sheet.to_json(), indent=1) + "\n")
    (KEPT / "figures.md").write_text(report(sheet))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    kinds = ("full", "quick", "large")
    parser.add_argument("--kind", choices=kinds, default=os.environ.get("BENCH") or "full")
    known = f"names with commas between them: {', '.join(ROWS)}"
    parser.add_argument("--rows", type=_names, default=os.environ.get("ROWS") or "", help=known)
    arguments = parser.parse_args()
    if not arguments.rows:
        arguments.rows = _of_kind(arguments.kind)
    return arguments


def _of_kind(kind: str) -> list[str]:
    if kind == "quick":
        return list(_QUICK)
    return [name for name in ROWS if kind == "large" or name not in _LARGE]


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"no row is called {name}: {', '.join(ROWS)}")
    return names


def _interrupt(*_: object) -> None:
    # an event loop that runs ends its task by this one; an exception of ours would tear it
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
