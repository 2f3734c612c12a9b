"""The log of `chatbridge serve`: everything that the process has to say goes through the door."""

import asyncio
import logging
import sys
import threading
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from chatbridge.entrypoints.logs.code import named
from chatbridge.entrypoints.logs.door import Door
from chatbridge.entrypoints.logs.lines import LINES, Format

_log = logging.getLogger(__name__)


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say so in one line; the library's own way would print the record as it is."""
        self.stream.write(f"a line of {record.module}:{record.lineno} could not be written\n")


def open_log(*, format: Format, level: str, words: bool) -> None:
    """Send every record to standard error, and with them what Python prints there by itself.

    `level` is ours; of an application's own records those from INFO on are told, of packages'
    those from WARNING on.
    """
    handler = _Handler(sys.stderr)
    handler.addFilter(Door(words=words, packages_from=logging.WARNING))
    handler.setFormatter(LINES[format]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("chatbridge").setLevel(level)
    # what it fails at is said once more, by a line of ours
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
    warnings.showwarning = _warned
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _in_thread


def tell_of_the_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Have the loop's own complaints told like all others."""
    loop.set_exception_handler(_nobody_asked)


def _nobody_asked(_: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    what = "task" if "task" in context or "future" in context else "callback"
    _log.error(
        "an error of a %s, for which nobody has asked", what, exc_info=context.get("exception")
    )


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
) -> None:
    _log.warning("%s at %s:%d", category.__name__, named(filename), lineno)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("an error that nobody has caught", exc_info=(kind, error, trace))


def _in_thread(told: threading.ExceptHookArgs) -> None:
    _log.error("an error of a thread, for which nobody has asked", exc_info=told.exc_value)


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    _log.error("an error while something was cleared away", exc_info=told.exc_value)
