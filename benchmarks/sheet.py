"""What was measured, row by row and peer by peer, and the little statistics that it needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured; `id` begins with the name that selects it."""

    id: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one peer took, round by round; `others` is what all else on the machine took, in
    percent of a core.
    """

    values: tuple[float, ...] = ()
    others: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def times(self, base: "Cell") -> float:
        """How many times as much as the other one: the median over the rounds, each by itself."""
        return median(
            mine / theirs for mine, theirs in zip(self.values, base.values, strict=False) if theirs
        )

    def with_one(self, value: float, others: float) -> "Cell":
        """The same after one round more."""
        return Cell((*self.values, value), (*self.others, others))


@dataclass(slots=True)
class Measured:
    """A row with its cells by peer, why there are none for others, and which run it is of."""

    row: Row
    run: str = ""
    cells: dict[str, Cell] = field(default_factory=dict[str, Cell])
    absent: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """The name that selects it."""
        return self.row.id.partition(".")[0]

    @property
    def others(self) -> float:
        """What all else took meanwhile, at the median."""
        loads = [load for cell in self.cells.values() for load in cell.others]
        return median(loads) if loads else 0.0


@dataclass(slots=True)
class Sheet:
    """All rows, in the order in which they came, and with what they were measured.

    `run` says when, and which code it was.
    """

    machine: Mapping[str, str]
    run: str = ""
    rows: dict[str, Measured] = field(default_factory=dict[str, Measured])

    def add(self, row: Row, peer: str, value: float, others: float) -> None:
        """One more round of a peer."""
        measured = self._measured(row)
        measured.cells[peer] = measured.cells.get(peer, Cell()).with_one(value, others)

    def forget(self, name: str) -> None:
        """The rows of this name are not whole."""
        self.rows = {id: row for id, row in self.rows.items() if row.name != name}

    def leave_out(self, row: Row, peers: Iterable[str], reason: str) -> None:
        """Why there is nothing for these peers."""
        self._measured(row).absent.update(dict.fromkeys(peers, reason))

    def updated(self, newer: "Sheet") -> "Sheet":
        """With the other one's rows in place of all that go by the same names."""
        again = {row.name for row in newer.rows.values()}
        kept = {id: row for id, row in self.rows.items() if row.name not in again}
        return Sheet(newer.machine, newer.run, {**kept, **newer.rows})

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        rows = [_to_json(row) for row in self.rows.values()]
        return {"machine": dict(self.machine), "run": self.run, "rows": rows}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """As it was kept."""
        rows = [_from_json(row) for row in kept["rows"]]
        return cls(kept["machine"], kept["run"], {each.row.id: each for each in rows})

    def _measured(self, row: Row) -> Measured:
        return self.rows.setdefault(row.id, Measured(row, self.run))


def percentile(ordered: list[float], share: float) -> float:
    """Of what is sorted: below this lies that share of it."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _to_json(measured: Measured) -> dict[str, Any]:
    row = measured.row
    cells = {
        peer: {
            "values": [_rounded(value) for value in cell.values],
            "others": [round(load) for load in cell.others],
        }
        for peer, cell in measured.cells.items()
    }
    kept = {
        "id": row.id,
        "title": row.title,
        "unit": row.unit,
        "run": measured.run,
        "cells": cells,
    }
    return {**kept, "absent": measured.absent} if measured.absent else kept


def _from_json(kept: Mapping[str, Any]) -> Measured:
    cells = {
        peer: Cell(tuple(cell["values"]), tuple(cell["others"]))
        for peer, cell in kept["cells"].items()
    }
    row = Row(kept["id"], kept["title"], kept["unit"])
    return Measured(row, kept["run"], cells, dict(kept.get("absent", {})))


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
