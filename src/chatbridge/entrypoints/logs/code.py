"""Where something stands in the code: which is nobody's words."""

import inspect
import sysconfig
from functools import lru_cache
from logging import LogRecord
from pathlib import Path
from types import FrameType

from chatbridge.entrypoints.printable import in_short

_PACKAGES = ("site-packages", "dist-packages")
_STANDARD = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib"))
_LONGEST_PATH = 200


@lru_cache(maxsize=1_000)
def is_installed(file: str) -> bool:
    """Whether it is part of Python or of an installed package, and not of an application."""
    parts = Path(file).parts
    return any(name in parts for name in _PACKAGES) or file.startswith((*_STANDARD, "<frozen"))


@lru_cache(maxsize=1_000)
def named(file: str) -> str:
    """The file as people name it: below its package's directory, or the current one."""
    path = Path(file)
    below = [part for part in path.parts if part in _PACKAGES]
    if below:
        index = len(path.parts) - path.parts[::-1].index(below[-1])
        path = Path(*path.parts[index:])
    else:
        roots = (Path(root) for root in (*_STANDARD, Path.cwd()))
        root = next((root for root in roots if path.is_relative_to(root)), None)
        path = path.relative_to(root) if root else path
    return in_short(str(path), _LONGEST_PATH)


def is_written_there(record: LogRecord) -> bool:
    """Whether the text stands as it is in the code that logs it, so that nobody else has said it.

    To be asked while it is being logged.
    """
    frame: FrameType | None = inspect.currentframe()
    while frame:
        code = frame.f_code
        if code.co_filename == record.pathname and frame.f_lineno == record.lineno:
            return record.msg in code.co_consts
        frame = frame.f_back
    return False
