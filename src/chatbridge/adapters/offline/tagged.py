"""What a person has named with `@`: a task of theirs is its number, all else is its name."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from chatbridge.domain.model.tag import TAGGED, at

_TOLD = re.compile(rf"\n\n{re.escape(TAGGED)}((?:\n\{{.*\}})+)")


def by_number(text: str) -> str:
    """The text with the tasks' numbers in the place of their names, and nothing more of tags."""
    said, names = without_tags(text), [*_names(text)]
    # two of one name are told in the order in which they were said
    for count in (1, 0):
        for name, meant in names:
            said = re.sub(rf"{re.escape(name)}(?!\w)", lambda _, to=meant: to, said, count=count)
    return said


def without_tags(text: str) -> str:
    """The text as it was said."""
    return _TOLD.sub("", text)


def _names(text: str) -> Iterator[tuple[str, str]]:
    found = _TOLD.search(text)
    for line in found[1].splitlines()[1:] if found else ():
        try:
            tag = cast(Mapping[str, Any], json.loads(line))
        except (ValueError, RecursionError):
            continue
        name, data = at(str(tag.get("name", ""))), tag.get("data")
        number = re.search(r'"number": "?(\d{1,9})"?', json.dumps(data))
        is_task = str(tag.get("id")).startswith("task_") and number
        if name:
            yield name, f"task {number[1]}" if number and is_task else name.removeprefix("@")
