"""The door itself: makes of each record one line, in which nobody's words stand."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

from chatbridge.domain.model.correlation import correlation
from chatbridge.domain.model.words import Words
from chatbridge.entrypoints.logs.code import is_installed, is_written_there, named
from chatbridge.entrypoints.logs.exceptions import told
from chatbridge.entrypoints.printable import in_short

_LONGEST_VALUE = 1_000
_LONGEST_TEXT = 2_000
_MOST_VALUES = 50
_HIDDEN = "..."
_MARK = "through_the_door"
_OURS = "chatbridge"

_Value = Callable[[object], object]


class Door(logging.Filter):
    """For a handler. Of each record it leaves one line, and ids that the line's format may name.

    - Ours say what we have written, and the names and numbers in it, escaped and cut.
    - An application's own say what the application says, escaped and cut.
    - An installed package's say what stands in its code, and the numbers in it. What it makes of
      its data may be what people have said, so in its place there is where it was logged.
    - An exception is its type and its places in the code.

    With `words` everybody's words are let through, escaped and cut; without them a record of ours
    that has `Words` among its arguments is left out. So are those of packages below
    `packages_from`.

    The record has `request_id`, `conversation_id`, `turn_id` (or None), `text`, `exceptions` (a
    `Told` each) and `fields` then, and `msg` holds text and exceptions for any format.
    """

    def __init__(self, *, words: bool = False, packages_from: int = logging.NOTSET) -> None:
        super().__init__()
        self._words = words
        self._packages_from = packages_from

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be told; it is changed in place, once."""
        if getattr(record, _MARK, False) is _MARK:
            return True
        if record.levelno < self._packages_from and _whose(record) == "a package":
            return False
        if not self._words and _is_only_words(record.args):
            return False
        error = record.exc_info[1] if record.exc_info else None
        exceptions = told(error, words=self._words) if error else ()
        text = self._text(record)
        vars(record)[_MARK] = _MARK
        vars(record).update(
            asdict(correlation()),
            text=text,
            exceptions=exceptions,
            fields=_fields(getattr(record, "fields", None)),
            name=in_short(record.name, _LONGEST_VALUE),
            msg=" | ".join([text, *map(str, exceptions)]),
            args=None,
            exc_info=None,
            exc_text=None,
            stack_info=None,
        )
        return True

    def _text(self, record: logging.LogRecord) -> str:
        whose = _whose(record)
        if self._words or whose == "an application":
            return _put(record, _said)
        if whose == "ours":
            return _put(record, _name_or_number)
        if isinstance(record.msg, str) and is_written_there(record):
            return _put(record, _number)
        return f"{_HIDDEN} (at {named(record.pathname)}:{record.lineno})"


def _is_only_words(args: object) -> bool:
    return isinstance(args, tuple) and any(
        isinstance(each, Words) for each in cast(tuple[object, ...], args)
    )


def _whose(record: logging.LogRecord) -> str:
    if record.name.split(".")[0] == _OURS:
        return "ours"
    return "a package" if is_installed(record.pathname) else "an application"


def _put(record: logging.LogRecord, value: _Value) -> str:
    """The record's text with its arguments as `value` has them. Never fails."""
    template: object = record.msg
    try:
        if not isinstance(template, str):
            return in_short(str(value(template)), _LONGEST_TEXT)
        text = template % _values(record.args, value) if record.args else template
        return in_short(text.strip(), _LONGEST_TEXT)
    except Exception:
        return f"{_HIDDEN} (at {named(record.pathname)}:{record.lineno})"


def _values(args: object, value: _Value) -> Any:
    if isinstance(args, Mapping):
        return {k: value(v) for k, v in cast(Mapping[str, object], args).items()}
    return tuple(map(value, cast(tuple[object, ...], args)))


def _number(given: object) -> object:
    return given if given is None or isinstance(given, int | float) else _HIDDEN


def _name_or_number(given: object) -> object:
    if isinstance(given, str):
        return in_short(given, _LONGEST_VALUE)
    return type(given).__name__ if _number(given) == _HIDDEN else given


def _said(given: object) -> object:
    if given is None or isinstance(given, int | float):
        return given
    if isinstance(given, BaseException):
        return type(given).__name__
    return in_short(given.said if isinstance(given, Words) else str(given), _LONGEST_VALUE)


def _fields(given: object) -> dict[str, object]:
    if not isinstance(given, Mapping):
        return {}
    return {name: _field(value) for name, value in cast(Mapping[str, object], given).items()}


def _field(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_name_or_number(each) for each in cast(list[object], value)[:_MOST_VALUES]]
    return _name_or_number(value)
