"""The log of a process that serves: what Python prints by itself comes through the door too."""

import asyncio
import gc
import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from chatbridge.entrypoints.logs.opening import open_log, tell_of_the_loop
from tests.unit.entrypoints.logs.lines import package

CANARY = "my diagnosis is private"
HOSTS = logging.getLogger("shop")


class Leaving:
    def __del__(self) -> None:
        raise RuntimeError(CANARY)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error of a process with an open log; all is as it was afterwards."""
    stream = io.StringIO()
    root, ours, client = map(logging.getLogger, ("", "chatbridge", "mcp.client"))
    before = root.handlers[:], root.level, ours.level, client.level
    # what opening replaces is put back
    for owner, name in (
        (warnings, "showwarning"),
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(sys, "stderr", stream)
    open_log(format="text", level="INFO", words=False)
    yield stream
    root.handlers[:], root.level, ours.level, client.level = before
    for logger in (root, ours, client):
        logger.setLevel(logger.level)


async def test_what_python_prints_by_itself_is_a_line_without_words(log: io.StringIO) -> None:
    async def fail() -> None:
        raise LookupError(CANARY)

    def wrong() -> None:
        raise KeyError(CANARY)

    loop = asyncio.get_running_loop()
    tell_of_the_loop(loop)
    try:
        lost = [asyncio.create_task(fail())]
        loop.call_soon(wrong)
        await asyncio.sleep(0.01)
        lost.clear()
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    thread = threading.Thread(target=wrong)
    thread.start()
    thread.join()
    del thread
    Leaving()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, stacklevel=1)
    sys.excepthook(ValueError, ValueError(CANARY), None)
    lines = log.getvalue().splitlines()
    here = "tests/unit/entrypoints/logs/test_opening.py:"
    for told, line in zip(
        [
            ("an error of a callback, for which nobody has asked | KeyError at ", here),
            ("an error of a task, for which nobody has asked | LookupError at ", here),
            ("an error of a thread, for which nobody has asked | KeyError at ", here),
            ("an error while something was cleared away | RuntimeError at ", here),
            (f"UserWarning at {here}",),
            ("CRITICAL", "an error that nobody has caught | ValueError"),
        ],
        lines,
        strict=True,
    ):
        assert all(part in line for part in told), line
    assert CANARY not in log.getvalue()


def test_the_level_is_that_of_our_own_lines(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = logging.getLogger("chatbridge.x"), package("def say(): log.info('x')", "them")
    ours.debug("no")
    theirs["say"]()
    HOSTS.info("an application's")
    monkeypatch.setattr(sys, "stderr", log)
    open_log(format="json", level="DEBUG", words=False)
    ours.debug("yes")
    theirs["say"]()
    first, second = log.getvalue().splitlines()
    assert first.endswith("INFO shop: an application's")
    assert '"level": "DEBUG", "logger": "chatbridge.x", "message": "yes"' in second


def test_a_line_that_can_not_be_written_is_said_without_it(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "terminator", None)
    HOSTS.error(CANARY)
    assert log.getvalue().startswith("a line of test_opening:")
    assert CANARY not in log.getvalue()
