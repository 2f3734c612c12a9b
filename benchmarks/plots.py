"""The figures as plots, in SVG, for a light page and a dark one.

Run in the benchmark's own environment: `python -m benchmarks.plots FIGURES.json DIRECTORY`.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.peers.names import COLUMNS, OURS
from benchmarks.sheet import Measured, Sheet

# stands for the page's own colour of text
_INK = "#010203"
_THEIRS, _OURS = "#8c959f", "#2f81f7"
_COLOURS = {"floor": "#8c959f", "recipe": "#d29922", "graph": "#a371f7", "fast": "#57ab5a"}
_STYLE = "<style>svg{color:#1f2328}@media (prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
_LOOK: dict[str, Any] = {
    "svg.fonttype": "none",
    # the same figures give the same file
    "svg.hashsalt": "chatbridge",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class _Course:
    """Rows that differ in one number, which their ids end with; a series may have a name."""

    name: str
    title: str
    label: str
    ids: str

    def step(self, row: Measured) -> tuple[str, float] | None:
        """A row's series, and its place in it."""
        found = re.fullmatch(self.ids, row.row.id)
        return (found[1] or "", float(found[2])) if found else None


_COURSES = (
    _Course(
        "history",
        "Postgres's CPU, ms",
        "messages in the conversation",
        r"history\.(turn|last|page)\.(\d+)",
    ),
    _Course("first", "To the first words, ms", "ms each way to the database", r"first\.()(\d+)"),
)


def draw(sheet: Sheet, directory: Path) -> None:
    """Every plot whose rows were measured."""
    directory.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update(_LOOK)
    bars = [row for row in map(sheet.rows.get, ("delta.cpu", "chat.cpu", "flat.50.cpu")) if row]
    if bars:
        _save(_bars(bars), directory / "delta.svg")
    for course in _COURSES:
        lines = [row for row in sheet.rows.values() if course.step(row) is not None]
        if lines:
            _save(_steps(lines, course), directory / f"{course.name}.svg")


def _bars(rows: Sequence[Measured]) -> Figure:
    figure = Figure(figsize=(7.2, 0.42 * sum(len(row.cells) for row in rows) + 0.4))
    heights = [len(row.cells) for row in rows]
    for axes, row in zip(
        figure.subplots(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0], rows, strict=True
    ):
        _bar(axes, row)
    figure.tight_layout()
    return figure


def _bar(axes: Axes, row: Measured) -> None:
    names = [name for name in COLUMNS if name in row.cells]
    cells = [row.cells[name] for name in names]
    medians = [cell.median for cell in cells]
    spread = [
        [cell.median - cell.low for cell in cells],
        [cell.high - cell.median for cell in cells],
    ]
    drawn = axes.barh(
        [COLUMNS[name] for name in names],
        medians,
        xerr=spread,
        color=[_OURS if name in OURS else _THEIRS for name in names],
        error_kw={"ecolor": _INK, "elinewidth": 0.8},
        height=0.62,
    )
    axes.bar_label(drawn, [f"{median:.0f}" for median in medians], padding=4)
    axes.invert_yaxis()
    axes.set_title(f"{row.row.title}, {row.row.unit}", fontsize=9, loc="left")


def _steps(rows: Sequence[Measured], course: _Course) -> Figure:
    figure = Figure(figsize=(7.2, 2.8))
    axes = figure.subplots()
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        kind, place = course.step(row) or ("", 0.0)
        for name, cell in row.cells.items():
            series.setdefault((kind, name), []).append((place, cell.median))
    for number, ((kind, name), points) in enumerate(series.items()):
        words = ", ".join(part for part in (kind, COLUMNS[name]) if part)
        style = ("-", "--", ":")[number % 3] if kind else "-"
        places, medians = zip(*sorted(points), strict=True)
        colour = _COLOURS.get(name, _OURS)
        axes.plot(places, medians, style, marker="o", markersize=3, color=colour, label=words)
    _scaled(axes, [place for points in series.values() for place, _ in points])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(course.label)
    axes.set_title(course.title, fontsize=9, loc="left")
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure


def _scaled(axes: Axes, places: Sequence[float]) -> None:
    shown = sorted(set(places))
    if shown[0] > 0:
        axes.set_xscale("log")
    axes.set_xticks(shown, [f"{place:,.0f}" for place in shown])
    axes.minorticks_off()


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = file.read_text().replace(_INK, "currentColor")
    drawn = re.sub(r"(<svg [^>]*>)", rf"\1{_STYLE}", drawn, count=1)
    file.write_text(re.sub(r" +$", "", drawn, flags=re.MULTILINE))


if __name__ == "__main__":
    draw(Sheet.from_json(json.loads(Path(sys.argv[1]).read_text())), Path(sys.argv[2]))
