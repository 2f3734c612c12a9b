"""JSON Schema's keywords as readers know them (2020-12), and what is taken for a type."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

ONE_SCHEMA = frozenset(
    ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
)
"""What holds one schema."""
MANY_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""What holds a list of schemas, and not an empty one."""
NAMED_SCHEMAS = frozenset({"dependentSchemas", "patternProperties", "properties"})
"""What holds schemas by name."""

_MOST_REPETITIONS = 1_000
_FORMATS = frozenset(
    ("date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
)
_SHARED_PATTERN = re.compile(r"\^(?:\\[dws^$.|?*+()\[\]{}/\\-]|\(\?:|(?<!\()\?|[^\\?]){0,500}\$")
_REPEATED = re.compile(r"(?<=[{,])\d+(?=[,}])")
_HALF = re.compile("[\ud800-\udfff]")

_TYPES = {
    "array": "array list tuple set sequence",
    "boolean": "boolean bool",
    "integer": "integer int long int32 int64 uint",
    "null": "null none nil nonetype",
    "number": "number float double decimal",
    "object": "object dict map mapping record struct json",
    "string": "string str text char date datetime date-time time uuid uri url email file binary",
}
_KNOWN = {word: name for name, words in _TYPES.items() for word in words.split()}


def known_type(word: Any) -> str | None:
    """The type that is meant; None where anything may be."""
    return _KNOWN.get(word.strip().lower()) if isinstance(word, str) else None


def known_types(given: Any) -> str | list[str] | None:
    """`type` as readers know it; None where anything may be."""
    if not isinstance(given, list):
        return known_type(given)
    found = [known_type(word) for word in cast(list[Any], given)]
    named = list(dict.fromkeys(name for name in found if name is not None))
    return None if not named or None in found else named[0] if len(named) == 1 else named


def type_of(value: Any) -> str:
    """The type of a JSON value; a whole number is an integer."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def is_of(value: Any, types: str | list[str]) -> bool:
    """Whether a value is of one of the types."""
    name, wanted = type_of(value), [types] if isinstance(types, str) else types
    return name in wanted or (name == "integer" and "number" in wanted)


# beyond these a reader that counts in 64 bits, or in floats, can't take it
def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)


# a grammar with more repetitions is refused, or ends the server that builds it
def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value) and 0 <= value <= _MOST_REPETITIONS


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and _HALF.search(value) is None


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_pattern(value: Any) -> bool:
    """Whether the pattern is of the kind that all dialects share, and about the whole text."""
    try:
        shared = isinstance(value, str) and _SHARED_PATTERN.fullmatch(value) and re.compile(value)
    except re.error:
        return False
    return bool(shared) and all(int(n) <= _MOST_REPETITIONS for n in _REPEATED.findall(value))


def _is_format(value: Any) -> bool:
    return value in _FORMATS


def is_plain(value: Any) -> bool:
    """Whether every reader of JSON can take the value."""
    match value:
        case None | bool():
            return True
        case str():
            return _is_text(value)
        case list():
            return all(map(is_plain, cast(list[Any], value)))
        case Mapping():
            found = cast(Mapping[Any, Any], value)
            return all(map(is_plain, found)) and all(map(is_plain, found.values()))
        case _:
            return _is_number(value)


def _are_plain(value: Any) -> bool:
    return isinstance(value, list) and is_plain(value)


def _are_names_by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in cast(list[Any], names))
        for names in cast(Mapping[str, Any], value).values()
    )


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "title description contentEncoding contentMediaType": _is_text,
    "format": _is_format,
    "pattern": _is_pattern,
    "minLength maxLength minItems maxItems minProperties maxProperties": _is_count,
    "minContains maxContains": _is_count,
    "minimum maximum exclusiveMinimum exclusiveMaximum": _is_number,
    "multipleOf": _is_step,
    "uniqueItems readOnly writeOnly deprecated": _is(bool),
    "examples": _are_plain,
    "default": is_plain,
    "dependentRequired": _are_names_by_name,
}
PLAIN = {word: check for words, check in _CHECKS.items() for word in words.split()}
"""The keywords that hold no schema, and whether a value is one that every reader takes."""
TOLD: dict[str, type] = {
    "format": str,
    "pattern": str,
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), int),
}
"""Those that are said in words where a reader would not take the value."""
RANGES = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
    ("minimum", "maximum"),
)
"""Pairs of the least and the most."""
