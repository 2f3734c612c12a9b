"""A tool call in words, as a person is asked about it: "Delete task 3 'buy oat milk'"."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from unicodedata import category

from chatbridge.domain.model.tool_call import ToolCall

_MOST = 3
_LONG = 80
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


def in_words(call: ToolCall) -> str:
    """What the call would do: as its server says, or else by its name and its plain arguments, with
    "…" where it has more of them.

    By these only what would be sent is said: what a number stands for, only its server knows.
    """
    if call.proposal and call.proposal.words:
        return call.proposal.words
    words = " ".join(_words(seen(call.name))) or "tool"
    verb = words[0].upper() + words[1:]
    given = _arguments(call.arguments)
    plain = {name: each for name, value in given.items() if (each := _plain(value))}
    told = [*plain.items()][:_MOST]
    more = " …" if len(told) < len(given) else ""
    if len(given) == 1 and told:
        return f"{verb} {told[0][1]}"
    listed = ", ".join(f"{seen(name)} {value}" for name, value in told)
    return f"{verb}: {listed}{more}" if listed else f"{verb}{more}"


def seen(name: str) -> str:
    """The name without what is not seen, which can turn other words round or hide between them."""
    return "".join(char for char in name if category(char) != "Cf")


def _words(name: str) -> Iterator[str]:
    for part in filter(None, _BETWEEN_WORDS.split(name)):
        yield part if part.isupper() else part.lower()


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return {"": None} if text.strip() else {}
    return cast(dict[str, Any], given) if isinstance(given, dict) else {"": given}


def _plain(value: Any) -> str | None:
    match value:
        case str():
            said = " ".join(seen(value).split())
            return f"'{said if len(said) <= _LONG else said[:_LONG] + '…'}'"
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            return None
