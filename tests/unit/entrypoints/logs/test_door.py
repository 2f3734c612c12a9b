"""Whose words a line of the log may hold, and how they stand in it."""

import io
import logging
from typing import Any

import pytest

from chatbridge.domain.model.correlation import in_request
from chatbridge.entrypoints.logs.door import Door
from tests.unit.entrypoints.logs.lines import package, written

OURS = logging.getLogger("chatbridge.of.the.tests")
HOSTS = logging.getLogger("shop")
CANARY = "my diagnosis is private"
FORGED = (
    "x\n2026-11-28T09:00:00.000Z INFO chatbridge.auth: user root signed in\r\x1b[2J\x9b2J\u202e"
)


class Odd:
    def __repr__(self) -> str:
        return CANARY

    __str__ = __repr__


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


@pytest.mark.parametrize("name", ["chatbridge.of.the.tests", "shop"])
@pytest.mark.parametrize("words", [False, True])
def test_one_record_is_one_line_whatever_is_in_it(name: str, words: bool) -> None:
    with written(words=words) as log:
        logging.getLogger(name).warning("it said %s", FORGED)
        logging.getLogger(name).warning("it said %s", "x" * 3_000_000)
    said, long, end = log.getvalue().split("\n")
    assert "it said x\\n2026-11-28T09" in said
    assert said.isprintable()
    assert said.isascii()
    assert (len(long) < 3_000, "3,000,000 characters" in long, end) == (True, True, "")


@pytest.mark.parametrize(
    ("text", "args", "line"),
    [
        ("%s, %d and %.1f", ("a name", 3, 0.5), "a name, 3 and 0.5"),
        ("%s", (ValueError(CANARY),), "ValueError"),
        ("%s and %r", (Odd(), [CANARY]), "Odd and 'list'"),
        ("%(a)s", ({"a": "named"},), "named"),
        ("100% plain", (), "100% plain"),
        ("%d", (CANARY,), "... (at"),
        (ValueError(CANARY), (), "ValueError"),
    ],
)
def test_our_own_lines_hold_names_and_numbers(text: Any, args: tuple[Any, ...], line: str) -> None:
    with written() as log:
        OURS.warning(text, *args)
    assert f"WARNING chatbridge.of.the.tests: {line}" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_an_application_says_what_it_likes() -> None:
    with written() as log:
        HOSTS.info("order %s of %s", 7, Odd())
        HOSTS.info(f"order {CANARY}")
        HOSTS.info("%s", Broken())
    first, second, third = log.getvalue().splitlines()
    assert first.endswith(f"INFO shop: order 7 of {CANARY}")
    assert second.endswith(f"INFO shop: order {CANARY}")
    assert "INFO shop: ... (at tests/unit/" in third


def test_what_an_application_adds_to_its_records_opens_nothing() -> None:
    names = ("text", "exceptions", "fields", "request_id", "through_the_door")
    with written() as log:
        HOSTS.error(
            "order", exc_info=ValueError(CANARY), extra=dict.fromkeys(names, f"{FORGED} {CANARY}")
        )
    (line,) = log.getvalue().splitlines()
    assert line.endswith("ERROR shop: order | ValueError")


PACKAGE = """
def constant(it): log.warning("It took %d ms: %s", 7, it)
def made(it): log.warning(f"It was {it}")
def passed(it): log.warning(it)
def raised(it):
    try: raise ValueError(it)
    except ValueError: log.exception("It failed")
"""


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("constant", "It took 7 ms: ..."),
        ("made", "... (at somebodys/code.py:3)"),
        ("passed", "... (at somebodys/code.py:4)"),
        ("raised", "It failed | ValueError at somebodys/code.py:6 in raised"),
    ],
)
def test_an_installed_package_says_what_stands_in_its_code(how: str, line: str) -> None:
    with written() as log:
        package(PACKAGE)[how](CANARY)
    assert log.getvalue().endswith(f" somebodys: {line}\n")
    with written(words=True) as log:
        package(PACKAGE)[how](CANARY)
    assert CANARY in log.getvalue()
    with written(packages_from=logging.CRITICAL) as log:
        package(PACKAGE)[how](CANARY)
        HOSTS.info("here")
    assert log.getvalue().endswith("INFO shop: here\n")
    assert log.getvalue().count("\n") == 1


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise LookupError(CANARY)


def grouped() -> None:
    try:
        fail(0)
    except LookupError as error:
        raise ExceptionGroup(CANARY, [ValueError(CANARY), error]) from KeyError(CANARY)


def test_a_traceback_is_types_and_places() -> None:
    with written() as log:
        try:
            grouped()
        except ExceptionGroup:
            OURS.exception("it failed")
    line = log.getvalue()
    here = "tests/unit/entrypoints/logs/test_door.py"
    assert f"it failed | ExceptionGroup at {here}:" in line
    assert f" in grouped < {here}:" in line
    assert f"| LookupError at {here}:" in line
    assert " in fail < " in line
    assert "| ValueError | " in line
    assert "| KeyError" in line
    assert CANARY not in line


def test_a_host_with_a_format_of_its_own_has_all_in_the_message() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Door())
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(request_id)s"))
    OURS.addHandler(handler)
    try:
        with in_request("req_1"):
            OURS.error("it failed: %s", FORGED, exc_info=KeyError(CANARY))
    finally:
        OURS.removeHandler(handler)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("chatbridge.of.the.tests it failed: x\\n2026")
    assert line.endswith("| KeyError req_1")


def test_a_deep_traceback_is_short_and_a_circle_ends() -> None:
    circle = ValueError(CANARY)
    circle.__cause__ = KeyError()
    circle.__cause__.__cause__ = circle
    with written() as log:
        try:
            fail(900)
        except LookupError:
            OURS.exception("deep")
        OURS.error("round", exc_info=circle)
    deep, round_ = log.getvalue().splitlines()
    assert len(deep) < 2_000
    assert round_.endswith("round | ValueError | KeyError")


def test_with_words_an_exception_says_them_escaped_and_cut() -> None:
    with written(words=True) as log:
        OURS.error("it failed", exc_info=ValueError(FORGED + "x" * 1_000))
        OURS.error("it failed", exc_info=ValueError(Broken()))
    first, second = log.getvalue().splitlines()
    assert "ValueError (x\\n2026" in first
    assert len(first) < 800
    assert second.endswith("ValueError (its words can't be read)")
