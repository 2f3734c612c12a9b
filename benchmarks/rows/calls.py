"""What a viewer is sent of a turn that calls tools 150 times."""

import json

from benchmarks.asking import begin, connected
from benchmarks.doubles.answers import Script
from benchmarks.problems import Failed
from benchmarks.sheet import Row
from benchmarks.stand import Served, Stand, in_turn

_CALLS = 150


def many_calls(stand: Stand, name: str) -> None:
    """150 calls of a tool at once, each with a badge."""
    size = Row(f"{name}.bytes", f"Bytes on the wire of a turn of {_CALLS} calls", "kB")
    cpu = Row(f"{name}.server", "The server's CPU for it, the tools' included", "ms")
    elsewhere = ("floor", "raw", "recipe", "graph")
    stand.sheet.leave_out(size, elsewhere, "It shows no badge of a call.")
    stand.script(Script(deltas=10, pace=0, calls=_CALLS))
    with stand.serving("memory", *stand.keeping, AGENT__TOOLS="all") as all_served:
        for served in all_served:
            stand.drain(served, deltas=10)
        for number in stand.rounds(full=3):
            for served in in_turn(number, all_served):
                drained, spent = stand.measured(served, deltas=10)
                _require_called(served, drained.heads["x-conversation-id"])
                stand.add(size, served, drained.bytes / 1e3, spent)
                stand.add(cpu, served, spent.server * 1e3, spent)


def _require_called(served: Served, conversation: str) -> None:
    with connected(served) as connection:
        path = f"/api/alice/conversations/{conversation}/messages"
        page = json.loads(begin(connection, served, "GET", path).read())
    calls = [call for message in page["items"] for call in message["tool_calls"]]
    if [call["state"] for call in calls] != ["succeeded"] * _CALLS:
        raise Failed(f"{served.peer.title}: {len(calls)} calls, not all of them succeeded")
