"""Schemas as tool servers write them, and the strictest reader that is known."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing.exceptions import Unresolvable

Json = Any

NAMES = ("q", "user_id", "tags", "$odd/name")
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
REFS = (
    "#", "#/$defs/A", "#/$defs/user_id", "#/definitions/A", "#/properties/user_id", "#here",
    "#/properties/q", "#/$defs/A/properties/q", "#/$defs/none", "https://example.com/a.json",
    "#/properties/$odd~1name", "#/$defs/A/anyOf/0",
)  # fmt: skip
SLOPPY = (None, True, [], {}, "", 0, -1, "any", "int", [1], "true", {"a": 1}, [{}], ["string"])


class Writer:
    """Writes schemas and arguments by chance; `sloppy` of a hundred words hold what they may not."""

    def __init__(self, seed: int, *, sloppy: int = 0) -> None:
        self._random = Random(seed)
        self._sloppy = sloppy

    def schema(self) -> dict[str, Any]:
        """Of the arguments of a tool."""
        definitions = {name: self._schema(2) for name in ("A", "user_id") if self._rarely()}
        return {**self._words(3), "type": "object", "$defs": definitions}

    def arguments(self) -> dict[str, Any]:
        """Of a call."""
        return {name: self._value(2) for name in self._some(NAMES)}

    def _some(self, choices: Sequence[Any], most: int = 3) -> list[Any]:
        return self._random.sample(choices, self._random.randint(0, min(most, len(choices))))

    def _one(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def _rarely(self) -> bool:
        return self._random.random() < 0.3

    def _value(self, depth: int) -> Json:
        match self._random.randint(0, 5 if depth else 3):
            case 4:
                return [self._value(depth - 1) for _ in range(self._random.randint(0, 2))]
            case 5:
                return {name: self._value(depth - 1) for name in self._some(NAMES)}
            case _:
                return self._one((None, True, False, 0, 3, -1, 0.5, 2.0, "", "a", "user_id"))

    def _schema(self, depth: int) -> Json:
        if depth == 0 or self._rarely():
            return self._one(({}, True, False, {"type": self._one(TYPES)}, {"type": "string"}))
        return self._words(depth - 1)

    def _words(self, depth: int) -> dict[str, Any]:
        words = self._random.sample(WORDS, self._random.randint(1, 3))
        return {word: self._word(word, depth) for word in words}

    def _word(self, word: str, depth: int) -> Json:
        if self._random.randint(1, 100) <= self._sloppy:
            return self._one(SLOPPY)
        match word:
            case "type":
                return self._one(TYPES) if self._rarely() else ["object", self._one(TYPES[1:])]
            case "properties" | "dependentSchemas":
                return {name: self._schema(depth) for name in self._some(NAMES)}
            case "patternProperties":
                return {name: self._schema(depth) for name in self._some(("^user", ".*", "^q$"))}
            case "anyOf" | "oneOf" | "allOf" | "prefixItems":
                return [self._schema(depth) for _ in range(self._random.randint(1, 3))]
            case "required":
                return self._some(NAMES)
            case "dependentRequired":
                return {name: self._some(NAMES) for name in self._some(NAMES)}
            case "enum" | "examples":
                return [self._value(2) for _ in range(self._random.randint(1, 3))]
            case "const" | "default" | "x-vendor":
                return self._value(2)
            case "$ref":
                return self._one(REFS)
            case "$anchor" | "title":
                return "here"
            case "minProperties" | "maxProperties" | "maxLength" | "minimum":
                return self._random.randint(0, 3)
            case _:
                return self._schema(depth)


WORDS = (
    "type", "properties", "properties", "properties", "required", "required", "enum", "const",
    "default", "examples", "$ref", "$ref", "$anchor", "items", "prefixItems", "contains",
    "additionalProperties", "patternProperties", "propertyNames", "anyOf", "anyOf", "oneOf",
    "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
    "unevaluatedProperties", "minProperties", "maxProperties", "maxLength", "minimum", "title",
    "x-vendor",
)  # fmt: skip


def is_valid(schema: Json) -> bool:
    """Whether it is JSON Schema at all."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return True


def fits(value: Json, schema: Json) -> bool:
    """Whether the value fits, by a reference implementation; no where that can't tell."""
    try:
        return Draft202012Validator(schema).is_valid(value)
    except (RecursionError, Unresolvable, TypeError, KeyError):
        return False


def complaints(schema: Json, at: str = "", root: Json = None) -> Iterator[str]:
    """What the strictest reader refuses in a tool's schema, as far as public reports tell."""
    outermost = root is None
    root = schema if outermost else root
    if not isinstance(schema, dict):
        yield f"no object at {at}"
        return
    part = cast(dict[str, Any], schema)
    if outermost:
        if not is_valid(schema):
            yield "not valid by the metaschema"
        if part.get("type") != "object" or not isinstance(part.get("properties"), dict):
            yield "the outermost is no object with properties"
        for word in {"anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"} & part.keys():
            yield f"{word} at the outermost level"
    types = part.get("type", [])
    if "array" in ([types] if isinstance(types, str) else types) and not isinstance(
        part.get("items"), dict
    ):
        yield f"an array without items at {at}"
    if "$ref" in part and part["$ref"] != "#":
        name = part["$ref"].removeprefix("#/$defs/")
        if name not in root.get("$defs", {}):
            yield f"a dangling $ref at {at}"
    if not set(part.get("required", [])) <= part.get("properties", {}).keys():
        yield f"an unknown name is required at {at}"
    yield from _complaints_below(part, at, root)


def _complaints_below(part: dict[str, Any], at: str, root: Json) -> Iterator[str]:
    for word, value in part.items():
        if word in ("properties", "patternProperties", "$defs", "dependentSchemas"):
            for name, each in value.items():
                yield from complaints(each, f"{at}/{word}/{name}", root)
        elif word in ("anyOf", "oneOf", "allOf", "prefixItems"):
            for each in value:
                yield from complaints(each, f"{at}/{word}", root)
        elif word in ("items", "contains", "not", "if", "then", "else", "propertyNames"):
            yield from complaints(value, f"{at}/{word}", root)
        elif word.startswith(("additional", "unevaluated")) and not isinstance(value, bool):
            yield from complaints(value, f"{at}/{word}", root)
