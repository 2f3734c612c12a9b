"""What it costs to read a conversation, and to join a turn that has said much already."""

import json
import threading
import time
from functools import partial

from benchmarks.asking import begin, connected, operate, talk
from benchmarks.doubles.answers import WORD, Script
from benchmarks.doubles.client import text_of
from benchmarks.peers.catalog import CREATE
from benchmarks.problems import Failed
from benchmarks.sheet import Row
from benchmarks.stand import Served, Stand, in_turn

_READS = 200
_LONG, _PACE = 128_000, 5_000


def listed(stand: Stand, name: str) -> None:
    """`items.list`: the newest 20 of 24 messages."""
    server = Row(f"{name}.cpu", "CPU of items.list over HTTP, 20 messages", "ms")
    database = Row(f"{name}.postgres", "Postgres's CPU for it", "ms")
    stand.sheet.leave_out(
        server, ("floor", "raw", "graph"), "It keeps no items that ChatKit could list."
    )
    stand.script(Script(deltas=20, pace=0))
    with stand.serving("recipe", "memory", *stand.keeping) as all_served:
        threads = {served.peer.name: _thread(served) for served in all_served}
        for number in stand.rounds(full=5, quick=3):
            for served in in_turn(number, all_served):
                with connected(served) as connection, stand.spent_by(served) as meter:
                    read = partial(
                        operate, connection, served, "items.list", limit=20, order="desc"
                    )
                    for _ in range(_READS):
                        read(thread_id=threads[served.peer.name])
                spent = meter.spent
                stand.add(server, served, spent.server / _READS * 1e3, spent)
                if stand.keeps(served):
                    stand.add(database, served, spent.database / _READS * 1e3, spent)


def joined(stand: Stand, name: str) -> None:
    """Somebody opens the page when a running turn has said 128,000 deltas."""
    clock = Row(f"{name}.wall", f"Joining a turn of {_LONG:,} deltas, until all are there", "ms")
    server = Row(f"{name}.cpu", "The server's CPU for it", "ms")
    elsewhere = ("floor", "raw", "recipe", "graph")
    stand.sheet.leave_out(clock, elsewhere, "A turn that runs can't be joined.")
    limits = {"AGENT__MAX_CHARACTERS": "10000000", "AGENT__IDLE": "300"}
    with stand.serving("memory", *stand.keeping, **limits) as all_served:
        for number in stand.rounds(full=2, quick=1):
            for served in in_turn(number, all_served):
                _join(stand, served, clock, server)


def _thread(served: Served) -> str:
    with connected(served) as connection:
        thread = talk(connection, served, turns=12)
        page = json.loads(operate(connection, served, "items.list", thread_id=thread, limit=20))
        if len(page["data"]) != 20:
            raise Failed(f"{served.peer.title} lists {len(page['data'])} items of 24")
        operate(connection, served, "items.list", thread_id=thread, limit=20, order="desc")
        return thread


def _join(stand: Stand, served: Served, clock: Row, server: Row) -> None:
    stand.script(Script(deltas=_LONG, pace=_PACE, held=True))
    with connected(served) as connection:
        answer = begin(connection, served, "POST", "/chatkit", CREATE)
        # read by somebody, so that no slow viewer is measured
        reading = threading.Thread(target=answer.read, daemon=True)
        reading.start()
        path = f"/chatkit/threads/{answer.headers['X-Conversation-Id']}/events"
        start = {"Last-Event-ID": f"{answer.headers['X-Turn-Id']}/0"}
        # a first one, who waits until all of it is said and kept
        _read_words(served, path, start)
        with stand.spent_by(served) as meter:
            begun = time.perf_counter()
            _read_words(served, path, start)
            wall = time.perf_counter() - begun
        # the end that was held comes when the model is told something else
        stand.script(Script())
        reading.join()
    stand.add(clock, served, wall * 1e3, meter.spent)
    stand.add(server, served, meter.spent.server * 1e3, meter.spent)


def _read_words(served: Served, path: str, heads: dict[str, str]) -> None:
    """Take the stream up from its start, and read until every word has come."""
    missing, rest = _LONG * WORD, b""
    with connected(served) as connection:
        response = begin(connection, served, "GET", path, heads=heads)
        while missing > 0:
            data = response.read1(1 << 20)
            if not data:
                raise Failed(f"{served.peer.title}: {missing} characters did not come")
            *frames, rest = (rest + data).split(b"\n\n")
            missing -= sum(len(text_of(frame)) for frame in frames)
