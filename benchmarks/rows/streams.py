"""What a delta costs: streams at a model's pace, and as fast as they go."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.doubles.answers import Script
from benchmarks.doubles.client import Drained
from benchmarks.sheet import Row, percentile
from benchmarks.stand import Served, Spent, Stand, in_turn

_APIS = {"responses": "Responses", "chat_completions": "Chat Completions"}
_TURNS = 40


def paced(stand: Stand, name: str, api: str) -> None:
    """50 streams at 50 deltas a second."""
    course = _Course(
        name=name,
        said=f"50 streams at 50/s, {_APIS[api]}",
        script=Script(deltas=250 if stand.quick else 500, pace=50),
        streams=50,
        ramp=1.0,
        rounds=stand.rounds(full=4),
    )
    with stand.serving(*stand.everybody, api=api) as all_served:
        _run(stand, course, all_served)


def flat_out(stand: Stand, name: str) -> None:
    """50 and 300 streams of a model that says everything at once."""
    courses = [
        _Course(
            name=f"{name}.{streams}",
            said=f"{streams} streams all at once, Responses",
            script=Script(deltas=deltas // (3 if stand.quick else 1), pace=0),
            streams=streams,
            ramp=0.05,
            rounds=stand.rounds(full=rounds, quick=1),
        )
        for streams, deltas, rounds in ((50, 500, 4), (300, 300, 2))
    ]
    with stand.serving(*stand.everybody) as all_served:
        for course in courses:
            _run(stand, course, all_served)


def turn(stand: Stand, name: str) -> None:
    """What a turn costs besides its deltas."""
    row = Row(f"{name}.cpu", "CPU of a turn of one delta, in a new conversation", "ms")
    database = Row(f"{name}.postgres", "Postgres's CPU for it", "ms")
    stand.script(Script(deltas=1, pace=0))
    with stand.serving(*stand.everybody) as all_served:
        for served in all_served:
            stand.drain(served, deltas=1, repeat=20)
        for number in stand.rounds(full=5):
            for served in in_turn(number, all_served):
                _, spent = stand.measured(served, deltas=1, repeat=_TURNS)
                stand.add(row, served, spent.server / _TURNS * 1e3, spent)
                if stand.keeps(served):
                    stand.add(database, served, spent.database / _TURNS * 1e3, spent)


@dataclass(frozen=True, slots=True)
class _Course:
    """So many streams under one script, told as `said`."""

    name: str
    said: str
    script: Script
    streams: int
    ramp: float
    rounds: range

    @property
    def deltas(self) -> int:
        return self.streams * self.script.deltas

    def row(self, kind: str, title: str, unit: str = "") -> Row:
        return Row(f"{self.name}.{kind}", f"{title}, {self.said}", unit)


def _run(stand: Stand, course: _Course, all_served: list[Served]) -> None:
    stand.script(Script(deltas=course.script.deltas, pace=0))
    for served in all_served:
        stand.drain(served, deltas=course.script.deltas, streams=2)
    stand.script(course.script)
    for number in course.rounds:
        for served in in_turn(number, all_served):
            drained, spent = stand.measured(
                served, deltas=course.script.deltas, streams=course.streams, ramp=course.ramp
            )
            keeps = stand.keeps(served)
            for row, value in _rows(course, served.peer.name, drained, spent, keeps=keeps):
                stand.add(row, served, value, spent)


def _rows(
    course: _Course, peer: str, drained: Drained, spent: Spent, *, keeps: bool
) -> Iterator[tuple[Row, float]]:
    yield course.row("cpu", "CPU a delta", "µs"), spent.server / course.deltas * 1e6
    yield course.row("bytes", "Bytes on the wire a delta"), drained.bytes / course.deltas
    if peer != "raw":
        yield course.row("frames", "Frames a delta"), drained.frames / course.deltas
    if course.script.pace:
        lasting = course.script.deltas / course.script.pace
        late = median(drained.lasts) / lasting
        yield course.row("late", "How long a stream takes, to how long the model does"), late
        yield (
            course.row("gap", "99 of 100 gaps are below", "ms"),
            percentile(drained.gaps, 0.99) * 1e3,
        )
    if keeps:
        database = spent.database / course.deltas * 1e6
        yield course.row("postgres", "Postgres's CPU a delta", "µs"), database
        yield course.row("wal", "Postgres's WAL a delta", "B"), spent.wal / course.deltas
