"""What the benchmark says of what it has measured."""

from benchmarks.report import absent, block, number, report
from benchmarks.sheet import Cell, Row, Sheet, percentile

CPU = Row("delta.cpu", "CPU a delta", "µs")
TURN = Row("history.turn.10", "A turn", "ms")


def sheet() -> Sheet:
    """Two rounds, in the second of which everything was slow."""
    measured = Sheet({"Machine": "a small one"}, run="today")
    for slow in (1, 3):
        measured.add(CPU, "floor", 100.0 * slow, others=10)
        measured.add(CPU, "postgres", 50.0 * slow, others=20)
        measured.add(CPU, "recipe", 200.0 * slow, others=30)
        measured.add(TURN, "postgres", 2.0, others=0)
    measured.leave_out(TURN, ["raw"], "It keeps nothing.")
    return measured


def test_a_ratio_is_of_each_round_by_itself() -> None:
    uneven, base = Cell((50.0, 300.0, 60.0)), Cell((100.0, 200.0, 100.0))
    assert uneven.times(base) == 0.6


def test_a_table_has_the_median_and_how_far_the_rounds_are_apart() -> None:
    lines = report(sheet()).splitlines()
    assert "| Median (lowest to highest) | Floor | Recipe | chatbridge | others |" in lines
    (row,) = [line for line in lines if line.startswith("| CPU a delta, µs")]
    assert (
        row
        == "| CPU a delta, µs | 200 (100 to 300) | 400 (200 to 600) | 100 (50.0 to 150) | 20 % |"
    )
    (ratio,) = [line for line in lines if line.startswith("| CPU a delta |")]
    assert [cell.strip() for cell in ratio.split("|")[2:-1]] == ["-", "0.50", "-", "-", "0.25", "-"]


def test_what_is_not_measured_says_why() -> None:
    assert absent(sheet().rows.values()) == "- A turn: not measured of Bytes. It keeps nothing."


def test_a_block_has_the_rows_that_it_names_in_its_order() -> None:
    lines = block(sheet(), "history delta").splitlines()
    assert [line.split(" |")[0] for line in lines[2:]] == ["| A turn, ms", "| CPU a delta, µs"]
    assert block(sheet(), "machine") == "- Machine: a small one\n- today: delta, history"


def test_a_sheet_is_the_same_when_it_was_kept_and_newer_rows_win() -> None:
    kept = Sheet.from_json(sheet().to_json())
    assert kept == sheet()
    newer = Sheet({}, run="later")
    newer.add(CPU, "floor", 7.0, others=0)
    both = kept.updated(newer)
    assert (both.rows["delta.cpu"].run, both.rows["history.turn.10"].run) == ("later", "today")


def test_numbers_are_as_exact_as_they_mean_something() -> None:
    assert [number(n) for n in (0.123, 12.34, 1234.5)] == ["0.12", "12.3", "1,234"]
    assert (percentile([1.0, 2.0, 3.0], 0.99), percentile([5.0], 0.5)) == (3.0, 5.0)
