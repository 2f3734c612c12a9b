"""Loggers of the tests, whose lines are caught behind the door."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chatbridge.entrypoints.logs.door import Door
from chatbridge.entrypoints.logs.lines import LINES, Format


@contextmanager
def written(format: Format = "text", **how: Any) -> Iterator[io.StringIO]:
    """What is written of all that is logged meanwhile, at every level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Door(**how))
    handler.setFormatter(LINES[format]())
    root = logging.getLogger()
    others, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.handlers[:] = others
        root.setLevel(level)


def package(source: str, name: str = "somebodys") -> Any:
    """A module as an installed package has it; it has a `log`."""
    module: dict[str, Any] = {"log": logging.getLogger(name)}
    exec(compile(source, f"/x/lib/python3.11/site-packages/{name}/code.py", "exec"), module)  # noqa: S102
    return module
