"""What a line of the log looks like: for people, or as JSON with stable names."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal, cast

from chatbridge.entrypoints.logs.exceptions import Told

Format = Literal["text", "json"]

_IDS = ("request_id", "conversation_id", "turn_id")


class TextLine(logging.Formatter):
    """Time, level, logger and text; what is known besides as `name=value`; exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record that has come through the door."""
        head = f"{_time(record)} {record.levelname} {record.name}: {_given(record, 'text')}"
        named = [f"{name}={_word(value)}" for name, value in _named(record).items()]
        return " | ".join([" ".join([head, *named]), *map(str, _exceptions(record))])


class JsonLine(logging.Formatter):
    """The same as one object, without what is not known."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record that has come through the door."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _given(record, "text"),
            **_named(record),
        }
        if exceptions := _exceptions(record):
            line["exceptions"] = [_known(asdict(each)) for each in exceptions]
        return json.dumps(line)


LINES: dict[Format, type[logging.Formatter]] = {"text": TextLine, "json": JsonLine}


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(record: logging.LogRecord) -> dict[str, Any]:
    return _known({**_given(record, "fields"), **{name: _given(record, name) for name in _IDS}})


def _known(named: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


def _exceptions(record: logging.LogRecord) -> Sequence[Told]:
    return _given(record, "exceptions")


def _given(record: logging.LogRecord, name: str) -> Any:
    return vars(record)[name]


def _word(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, cast(list[object], value)))
    return json.dumps(value, ensure_ascii=False) if " " in str(value) else str(value)
