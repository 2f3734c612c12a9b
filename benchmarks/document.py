"""docs/performance.md: its figures are those of docs/performance/figures.json.

`python -m benchmarks.document` takes the last run's into both: rows that it has not measured stay.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.names import ROOT, VENV
from benchmarks.report import block
from benchmarks.sheet import Sheet

DOCUMENT = ROOT / "docs" / "performance.md"
DIRECTORY = ROOT / "docs" / "performance"
FIGURES = DIRECTORY / "figures.json"
LAST = ROOT / ".bench" / "figures.json"

_BLOCK = re.compile(r"(<!-- figures: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(document: str, sheet: Sheet) -> str:
    """The document with the sheet's tables between its markers."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{block(sheet, found[2])}\n\n{found[3]}", document)


def read(file: Path) -> Sheet:
    """A sheet that was kept; an empty one where there is none."""
    return Sheet.from_json(json.loads(file.read_text())) if file.exists() else Sheet(machine={})


def main() -> None:
    """Take the last run's figures into the document, and draw them."""
    last = read(LAST)
    if not last.rows or last.run.endswith("quick"):
        sys.exit("There is no full run to take figures from: make bench")
    sheet = read(FIGURES).updated(last)
    DIRECTORY.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(sheet.to_json(), indent=1) + "\n")
    DOCUMENT.write_text(filled(DOCUMENT.read_text(), sheet))
    plotting = [
        str(VENV / "bin" / "python"),
        "-m",
        "benchmarks.plots",
        str(FIGURES),
        str(DIRECTORY),
    ]
    subprocess.run(plotting, cwd=ROOT, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
