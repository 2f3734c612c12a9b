"""Takes the argument that names the user out of a schema, so that no model reads of it."""

import copy
import re
from collections.abc import Mapping
from itertools import count
from typing import Any, cast

from chatbridge.domain.model.tool_schema.parts import Schema, schemas_in
from chatbridge.domain.model.tool_schema.unfit import Unfit

_ABOUT_THE_WHOLE = ("if", "then", "else", "propertyNames")
_BY_NAME = ("dependentRequired", "dependentSchemas")


def hidden(schema: Schema, argument: str) -> tuple[Schema, bool]:
    """A fitted schema without the argument, and whether the tool takes it.

    Arguments that fitted before fit without that one. Raises Unfit where the argument is out of
    reach: inside of another one.
    """
    without = _without(schema, argument)
    below = [part for part in schemas_in(without) if part is not without]
    named = _properties_are_like(schema, argument)
    if any(_names(part, argument) for part in below):
        raise Unfit(
            f"it takes `{argument}` inside of another argument, where it can't be filled in"
        )
    # where all names are let in on purpose, this one is
    welcome = schema.get("additionalProperties", False) is not False or any(
        _finds(pattern, argument) for pattern in schema.get("patternProperties", {})
    )
    return _with_other_definitions(without, argument), named or welcome


def _without(schema: Schema, argument: str) -> Schema:
    """The outermost schema without the argument; what speaks of it there is left out too."""
    cut = {word: value for word, value in schema.items() if word not in _BY_NAME}
    cut["properties"] = _other_than(argument, schema["properties"])
    cut["required"] = [name for name in schema.get("required", []) if name != argument]
    cut["dependentRequired"] = {
        name: [other for other in names if other != argument]
        for name, names in _other_than(argument, schema.get("dependentRequired", {})).items()
    }
    cut["dependentSchemas"] = {
        name: each
        for name, each in _other_than(argument, schema.get("dependentSchemas", {})).items()
        if not _speaks_of(each, argument)
    }
    if any(_speaks_of(schema.get(word, {}), argument) for word in _ABOUT_THE_WHOLE):
        cut = {word: value for word, value in cut.items() if word not in _ABOUT_THE_WHOLE}
    _cut_patterns(cut, argument)
    _cut_values(cut, argument)
    # the argument was counted
    cut["minProperties"] = max(0, int(schema.get("minProperties", 0)) - 1)
    return {word: value for word, value in cut.items() if value or word not in _MAY_BE_EMPTY}


_MAY_BE_EMPTY = {
    *_BY_NAME,
    "default",
    "examples",
    "minProperties",
    "patternProperties",
    "required",
}


def _cut_patterns(schema: Schema, argument: str) -> None:
    patterns = schema.get("patternProperties", {})
    kept = {name: each for name, each in patterns.items() if argument not in name}
    schema["patternProperties"] = kept
    if len(kept) < len(patterns):
        # what it let through may come all the same
        schema.pop("additionalProperties", None)


def _cut_values(schema: Schema, argument: str) -> None:
    """Whole sets of arguments may hold somebody's."""
    default = schema.pop("default", None)
    for word, values in (("default", [default]), ("examples", schema.get("examples", []))):
        kept = [
            _other_than(argument, cast(Schema, each)) for each in values if isinstance(each, dict)
        ]
        schema[word] = [each for each in kept if not _has_key(each, argument)]
    if schema["default"]:
        schema["default"] = schema["default"][0]


def _other_than(argument: str, named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name != argument}


def _names(schema: Schema, argument: str) -> bool:
    """Whether this one schema, without those in it, knows a property of that name."""
    return (
        _properties_are_like(schema, argument)
        or argument in schema.get("required", [])
        or argument in schema.get("dependentSchemas", {})
        or _has_key(schema.get("dependentRequired"), argument)
        or any(argument in names for names in schema.get("dependentRequired", {}).values())
        or _speaks_of_a_name(schema.get("propertyNames", {}), argument)
        or any(_has_key(schema.get(word), argument) for word in ("default", "const"))
        or any(_has_key(schema.get(word), argument) for word in ("enum", "examples"))
    )


def _speaks_of(schema: Schema, argument: str) -> bool:
    """Whether it or a schema in it knows the name, or counts it among the others."""
    return _speaks_of_a_name(schema, argument) or any(
        "minProperties" in part or _names(part, argument) for part in schemas_in(schema)
    )


def _speaks_of_a_name(schema: Schema, argument: str) -> bool:
    return any(
        argument in part.get("enum", []) or part.get("const") == argument
        for part in schemas_in(schema)
    )


def _properties_are_like(schema: Schema, argument: str) -> bool:
    """Whether a property has that name, or a pattern is of such names; one of all says nothing."""
    return argument in schema.get("properties", {}) or any(
        _finds(pattern, argument) and not _finds(pattern, "q")
        for pattern in schema.get("patternProperties", {})
    )


def _finds(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        # other dialects know more
        return True


def _has_key(value: Any, argument: str) -> bool:
    if isinstance(value, Mapping):
        found = cast(Schema, value)
        return argument in found or any(_has_key(each, argument) for each in found.values())
    return isinstance(value, list) and any(
        _has_key(each, argument) for each in cast(list[Any], value)
    )


def _with_other_definitions(schema: Schema, argument: str) -> Schema:
    """A definition of that name gets another one; the name is no secret but none of the model's."""
    definitions = schema.get("$defs", {})
    if argument not in definitions:
        return schema
    schema = copy.deepcopy(schema)
    other = next(name for n in count(1) if (name := f"part_{n}") not in definitions)
    for part in schemas_in(schema):
        if part.get("$ref") == f"#/$defs/{argument}":
            part["$ref"] = f"#/$defs/{other}"
    renamed = {other if name == argument else name: each for name, each in schema["$defs"].items()}
    return schema | {"$defs": renamed}
