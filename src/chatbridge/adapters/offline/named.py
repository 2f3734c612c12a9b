"""A tool of a host's own, called by its name: `order_status 1001`, or with arguments as JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chatbridge.adapters.offline.intents import theme_in
from chatbridge.adapters.offline.replies import THEME_TOOL
from chatbridge.domain.model.task import TASK_TOOLS

Schema = Mapping[str, Any]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_AROUND = " \t\n:,.?!"


def named_in(text: str, tools: Mapping[str, Schema]) -> tuple[str, Mapping[str, Any]] | None:
    """The first of the tools that is named as it is offered, and what is said behind its name as
    its arguments; the tools of the task list are called in plain English, and so is a page's
    `switch_theme`."""
    if THEME_TOOL in tools and (theme := theme_in(text)):
        return THEME_TOOL, {"theme": theme}
    hosts = [name for name in tools if not name.endswith(TASK_TOOLS)]
    found = [
        at
        for name in hosts
        if (at := re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE))
    ]
    if not found:
        return None
    first = min(found, key=lambda at: at.start())
    name = next(each for each in hosts if each.lower() == first[0].lower())
    return name, arguments_of(text[first.end() :].strip(_AROUND), tools[name])


def arguments_of(said: str, schema: Schema) -> Mapping[str, Any]:
    """What is said, as far as these arguments can hold it."""
    given = _object(said)
    if given is not None:
        return given
    properties = cast(Mapping[str, Schema], schema.get("properties") or {})
    wanted = cast(Sequence[str], schema.get("required") or [*properties][:1])
    values = {name: _value(said, properties.get(name, {})) for name in wanted}
    return {name: value for name, value in values.items() if value is not None}


def _object(said: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    except ValueError:
        return None
    return cast(Mapping[str, Any], found) if isinstance(found, dict) else None


def _value(said: str, schema: Schema) -> Any:
    number = _NUMBER.search(said)
    match schema.get("type"):
        case "integer":
            return int(float(number[0])) if number else None
        case "number":
            return float(number[0]) if number else None
        case "boolean":
            return True
        case "string":
            return said
        case _:
            return None
