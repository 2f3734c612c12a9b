"""That docs/performance.md says what was measured, and nothing else."""

from benchmarks.document import DIRECTORY, DOCUMENT, FIGURES, filled, read
from benchmarks.sheet import Row, Sheet


def test_the_document_has_the_figures_that_are_kept_beside_it() -> None:
    document, sheet = DOCUMENT.read_text(), read(FIGURES)
    assert sheet.rows
    assert filled(document, sheet) == document


def test_every_row_that_was_measured_is_in_the_document() -> None:
    document = DOCUMENT.read_text()
    missing = [row.row.id for row in read(FIGURES).rows.values() if row.row.title not in document]
    assert not missing


def test_every_plot_is_shown() -> None:
    document = DOCUMENT.read_text()
    plots = [plot.name for plot in DIRECTORY.glob("*.svg")]
    assert plots
    assert all(f"](performance/{plot})" in document for plot in plots)


def test_figures_stand_between_their_marks_and_nothing_else_changes() -> None:
    sheet = Sheet({"Machine": "a small one"}, run="today")
    sheet.add(Row("delta.cpu", "CPU a delta", "µs"), "floor", 100.0, others=0)
    page = "Before.\n<!-- figures: delta -->\nold\n<!-- end -->\nAfter.\n"
    new = filled(page, sheet)
    assert "| CPU a delta, µs | 100 | 0 % |" in new
    assert (new.splitlines()[0], new.splitlines()[-1], "old" in new) == ("Before.", "After.", False)
    assert filled(new, sheet) == new
