"""JSON Schema's keywords as readers know them (2020-12), and what is taken for a type."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

ONE_SCHEMA = frozenset(
    {
        "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
"""What holds one schema."""
MANY_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""What holds a list of schemas, and not an empty one."""
NAMED_SCHEMAS = frozenset({"dependentSchemas", "patternProperties", "properties"})
"""What holds schemas by name."""

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


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value) and value >= 0


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _is_anything(_: Any) -> bool:
    return True


def _are_names_by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in cast(list[Any], names))
        for names in cast(Mapping[str, Any], value).values()
    )


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "title description format contentEncoding contentMediaType": _is(str),
    "pattern": _is_pattern,
    "minLength maxLength minItems maxItems minProperties maxProperties": _is_count,
    "minContains maxContains": _is_count,
    "minimum maximum exclusiveMinimum exclusiveMaximum": _is_number,
    "multipleOf": _is_step,
    "uniqueItems readOnly writeOnly deprecated": _is(bool),
    "examples": _is(list),
    "default const": _is_anything,
    "dependentRequired": _are_names_by_name,
}
PLAIN = {word: check for words, check in _CHECKS.items() for word in words.split()}
"""The keywords that hold no schema, and whether a value is one of theirs."""
