"""A sheet as Markdown: what each took, and how many times as much as the others."""

from collections.abc import Collection, Iterable, Iterator

from benchmarks.peers.names import COLUMNS, OURS
from benchmarks.sheet import Cell, Measured, Sheet

_BASES = ("floor", "recipe")
_NONE = "-"


def report(sheet: Sheet) -> str:
    """All of it."""
    rows = list(sheet.rows.values())
    beside = [row for row in rows if set(row.cells) - set(OURS)]
    alone = [row for row in rows if row not in beside]
    parts = (machine(sheet), figures(beside), ratios(beside), figures(alone), absent(rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def block(sheet: Sheet, said: str) -> str:
    """What stands for `machine`, `ratios`, `absent` or the names of rows, as in `delta chat`."""
    rows = list(sheet.rows.values())
    match said:
        case "machine":
            return machine(sheet)
        case "ratios":
            return ratios(rows)
        case "absent":
            return absent(rows)
        case _:
            names = said.split()
            return figures(sorted(_of(rows, names), key=lambda row: names.index(row.name)))


def machine(sheet: Sheet) -> str:
    """With what it was measured, and when."""
    lines = [f"- {name}: {value}" for name, value in sheet.machine.items()]
    for run, names in _grouped((row.run, row.name) for row in sheet.rows.values()).items():
        lines.append(f"- {run}: {', '.join(names)}")
    return "\n".join(lines)


def ratios(rows: Iterable[Measured]) -> str:
    """How many times as much CPU as the floor, and as the recipe, chatbridge takes."""
    columns = [(ours, base) for base in _BASES for ours in OURS]
    lines = list(_ratio_lines(rows, columns))
    if not lines:
        return ""
    titles = [f"{COLUMNS[ours]} / {COLUMNS[base].lower()}" for ours, base in columns]
    return "\n".join([_line("Times as much CPU", *titles), _rule(len(columns)), *lines])


def figures(rows: Collection[Measured]) -> str:
    """Medians over the rounds, and how far apart they are."""
    rows = [row for row in rows if row.cells]
    shown = [name for name in COLUMNS if any(name in row.cells for row in rows)]
    if not shown:
        return ""
    head = _line("Median (lowest to highest)", *(COLUMNS[name] for name in shown), "others")
    lines = [
        _line(
            f"{row.row.title}, {row.row.unit}" if row.row.unit else row.row.title,
            *(_figure(row.cells.get(name)) for name in shown),
            f"{row.others:.0f} %",
        )
        for row in rows
    ]
    return "\n".join([head, _rule(len(shown) + 1), *lines])


def absent(rows: Iterable[Measured]) -> str:
    """What is not measured, and why."""
    lines: list[str] = []
    for measured in rows:
        reasons = _grouped((reason, COLUMNS[name]) for name, reason in measured.absent.items())
        lines += [
            f"- {measured.row.title}: not measured of {', '.join(names)}. {reason}"
            for reason, names in reasons.items()
        ]
    return "\n".join(lines)


def number(value: float) -> str:
    """With three digits that mean something, and thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _of(rows: Iterable[Measured], names: Collection[str]) -> Iterator[Measured]:
    return (row for row in rows if row.name in names)


def _ratio_lines(rows: Iterable[Measured], columns: list[tuple[str, str]]) -> Iterator[str]:
    for row in rows:
        if not row.row.id.endswith(".cpu"):
            continue
        cells = [_times(row, ours, base) for ours, base in columns]
        if any(cell != _NONE for cell in cells):
            yield _line(row.row.title, *cells)


def _times(row: Measured, ours: str, base: str) -> str:
    mine, theirs = row.cells.get(ours), row.cells.get(base)
    return f"{mine.times(theirs):.2f}" if mine and theirs and theirs.median else _NONE


def _figure(cell: Cell | None) -> str:
    if cell is None:
        return _NONE
    middle, low, high = number(cell.median), number(cell.low), number(cell.high)
    return middle if low == high else f"{middle} ({low} to {high})"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for group, one in pairs:
        if one not in groups.setdefault(group, []):
            groups[group].append(one)
    return groups


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return f"|{'---|' * (columns + 1)}"
