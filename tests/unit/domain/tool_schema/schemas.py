"""Schemas as tool servers write them, and the strictest reader that is known."""

import re
from collections.abc import Callable, Iterator, Sequence
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
SLOPPY: tuple[Json, ...] = (
    None,
    True,
    [],
    {},
    "",
    0,
    -1,
    "any",
    "int",
    [1],
    "true",
    {"a": 1},
    [{}],
    ["string"],
    [float("nan"), 10**30],
    float("inf"),
    "\ud800",
)


class Writer:
    """Writes by chance; `sloppy` of a hundred words hold what they may not."""

    def __init__(self, seed: int, *, sloppy: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311
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
        return self._makers.get(word, self._schema)(depth)

    @property
    def _makers(self) -> dict[str, Callable[[int], Json]]:
        def schemas(depth: int) -> Json:
            return [self._schema(depth) for _ in range(self._random.randint(1, 3))]

        def by_name(names: Sequence[str]) -> Callable[[int], Json]:
            return lambda depth: {name: self._schema(depth) for name in self._some(names)}

        def values(_: int) -> Json:
            return [self._value(2) for _ in range(self._random.randint(1, 3))]

        return {
            "type": lambda _: self._one((*TYPES, ["object", "null"], ["array", "string"])),
            "properties": by_name(NAMES),
            "dependentSchemas": by_name(NAMES),
            "patternProperties": by_name(("^user", ".*", "^q$")),
            **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), schemas),
            "required": lambda _: self._some(NAMES),
            "dependentRequired": lambda _: {n: self._some(NAMES) for n in self._some(NAMES)},
            **dict.fromkeys(("enum", "examples"), values),
            **dict.fromkeys(("const", "default", "x-vendor"), lambda _: self._value(2)),
            "$ref": lambda _: self._one(REFS),
            **dict.fromkeys(("$anchor", "title"), lambda _: "here"),
            **dict.fromkeys(COUNTS, lambda _: self._one((0, 1, 2, 3, 3_000, 2**62))),
            "pattern": lambda _: self._one(PATTERNS),
            "format": lambda _: self._one(("date", "zzz")),
        }


COUNTS = ("minProperties", "maxProperties", "minLength", "maxLength", "minimum", "maximum")
PATTERNS = ("a", "^a+$", "^(?=u)", r"^\w{1,3000}$", r"\ba", "^u(?:ser)?_id$")
WORDS = (
    "type", "properties", "properties", "properties", "required", "required", "enum", "const",
    "default", "examples", "$ref", "$ref", "$anchor", "items", "prefixItems", "contains",
    "additionalProperties", "patternProperties", "propertyNames", "anyOf", "anyOf", "oneOf",
    "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
    "unevaluatedProperties", *COUNTS, "pattern", "format", "title", "x-vendor",
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
        return bool(Draft202012Validator(schema).is_valid(value))  # pyright: ignore[reportUnknownMemberType]
    except (RecursionError, Unresolvable, TypeError, KeyError):
        return False
    except BaseException as error:
        # a recursion without end is a panic where it ends in the reference's Rust
        if type(error).__name__ != "PanicException":
            raise
        return False


def complaints(schema: dict[str, Any]) -> Iterator[str]:
    """What the strictest reader refuses in a tool's schema, as far as public reports tell."""
    if not is_valid(schema):
        yield "not valid by the metaschema"
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        yield "the outermost is no object with properties"
    for word in {"anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"} & schema.keys():
        yield f"{word} at the outermost level"
    definitions = {f"#/$defs/{name}" for name in schema.get("$defs", {})}
    for part in schemas_in(schema):
        yield from _complaints_of_one(part, definitions)


def _complaints_of_one(part: dict[str, Any], targets: set[str]) -> Iterator[str]:
    types = part.get("type", [])
    if "array" in ([types] if isinstance(types, str) else types) and "items" not in part:
        yield "an array without items"
    if "$ref" in part and part["$ref"] not in targets:
        yield "a $ref that leads to no definition"
    yield from _complaints_of_values(part)


def _complaints_of_values(part: dict[str, Any]) -> Iterator[str]:
    if "const" in part:
        yield "const"
    if part.get("format", "date") not in ("date", "date-time", "uuid"):
        yield "an unknown format"
    if re.search(r"\(\?[^:]|\\[bBpP1-9]|^[^^]|[^$]$", part.get("pattern", "^$")):
        yield "a pattern that not all dialects have"
    for kind in ("Length", "Items", "Properties"):
        least, most = part.get(f"min{kind}", 0), part.get(f"max{kind}", 1_000)
        if not 0 <= least <= most <= 1_000:
            yield f"at least {least} and at most {most}"
    if not set(part.get("required", [])) <= part.get("properties", {}).keys():
        yield "an unknown name is required"


BY_NAME = ("properties", "patternProperties", "$defs", "dependentSchemas")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
SINGLE = (
    "items", "contains", "not", "if", "then", "else", "propertyNames", "additionalProperties",
)  # fmt: skip


def schemas_in(schema: Json) -> Iterator[dict[str, Any]]:
    """The schema and all below it."""
    if not isinstance(schema, dict):
        return
    part = cast(dict[str, Any], schema)
    yield part
    below = [each for word in BY_NAME for each in part.get(word, {}).values()]
    below += [each for word in LISTS for each in part.get(word, [])]
    below += [part[word] for word in SINGLE if word in part]
    for each in below:
        yield from schemas_in(each)


def is_permitted(name: str) -> bool:
    """Whether the strictest endpoint takes it as the name of an argument."""
    return re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", name) is not None


def names_in(schema: dict[str, Any]) -> set[str]:
    """All that a schema says of the names of arguments, at any depth."""
    return {name for part in schemas_in(schema) for name in _names(part)}


def _names(part: dict[str, Any]) -> Iterator[str]:
    for word in ("properties", "required", "dependentRequired", "dependentSchemas", "$defs"):
        yield from part.get(word, ())
    for names in part.get("dependentRequired", {}).values():
        yield from names
    for word in ("default", "const", "enum", "examples"):
        yield from _keys(part.get(word))


def _keys(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        yield from found
        value = list(found.values())
    if isinstance(value, list):
        for each in cast(list[Any], value):
            yield from _keys(each)
