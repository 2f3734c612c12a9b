"""What our own code hands to the log: a text that stands there, and names and numbers for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[4] / "src" / "chatbridge"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGERS = {"_log", "log", "logger"}


def lines() -> Iterator[tuple[Path, ast.Call]]:
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=logger), attr=level)):
                    if logger in LOGGERS and level in LEVELS:
                        yield file, node
                case _:
                    pass


def test_every_line_is_a_text_of_ours_with_values_that_are_not_put_together_from_errors() -> None:
    found = list(lines())
    assert len(found) > 30
    for file, line in found:
        where = f"{file}:{line.lineno}"
        text, *values = line.args
        assert isinstance(text, ast.Constant), f"{where}: the text is put together"
        for value in values:
            told = ast.unparse(value)
            assert told not in ("error", "str(error)", "repr(error)"), f"{where}: {told}"


def test_nobody_else_writes_to_the_log_or_the_terminal() -> None:
    doors = {SOURCE / "entrypoints" / "screen.py", SOURCE / "entrypoints" / "logs" / "opening.py"}
    for file in SOURCE.rglob("*.py"):
        told = file.read_text()
        others = [word for word in ("print(", "click.echo(", "basicConfig(") if word in told]
        assert file in doors or not others, f"{file}: {others}"
