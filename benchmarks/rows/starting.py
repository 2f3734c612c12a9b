"""How long a server takes until it answers, and what it holds then."""

import time

from benchmarks.processes import cpu_seconds, memory_megabytes
from benchmarks.sheet import Row
from benchmarks.stand import Stand, in_turn

_IDLE_SECONDS = 1.5


def start(stand: Stand, name: str) -> None:
    """Alone, with its files in the machine's memory: chatbridge until `/readyz`, others until they
    take connections.
    """
    wall = Row(f"{name}.wall", "From the start to the first answer", "s")
    cpu = Row(f"{name}.seconds", "Its CPU until then", "s")
    memory = Row(f"{name}.memory", "Memory, a moment later", "MB")
    peers = [peer for peer in stand.everybody if peer != "raw"]
    stand.prepare(*peers)
    for number in stand.rounds(full=5):
        for peer in in_turn(number, peers):
            with stand.spent_by(None) as meter:
                begun = time.monotonic()
                with stand.serving(peer) as (served,):
                    taken, used = time.monotonic() - begun, cpu_seconds(served.pid)
                    time.sleep(_IDLE_SECONDS)
                    held = memory_megabytes(served.pid)
            # others are what ran beside it
            spent = meter.spent
            stand.add(wall, served, taken, spent)
            stand.add(cpu, served, used, spent)
            stand.add(memory, served, held, spent)
