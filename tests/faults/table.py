"""What was promised and what was measured, in one table at the end of the run."""

from dataclasses import dataclass, field

_HEAD = ("fault", "rounds", "promise", "figure")


@dataclass
class Table:
    """Filled by the checks, each before it judges, so that a failure shows its figure too."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, fault: str, rounds: object, promise: str, figure: str) -> None:
        """One row; a promise is one sentence, a figure what was seen of it."""
        self.rows.append((fault, str(rounds), promise, figure))

    def lines(self) -> list[str]:
        """As text, its columns below each other."""
        rows = [_HEAD, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        return [
            " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]


def spread(seconds: list[float]) -> str:
    """Half and all of the durations were at most so long."""
    if not seconds:
        return "none measured"
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2]:.2f} s, max {ordered[-1]:.2f} s"
