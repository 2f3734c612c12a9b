"""The walk through a schema that leaves nothing in it at which a reader would balk."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from chatbridge.domain.model.tool_schema.keywords import (
    MANY_SCHEMAS,
    NAMED_SCHEMAS,
    ONE_SCHEMA,
    PLAIN,
    is_of,
    known_type,
    known_types,
)
from chatbridge.domain.model.tool_schema.nesting import deeper_than
from chatbridge.domain.model.tool_schema.references import References, Schema
from chatbridge.domain.model.tool_schema.shape import (
    COMBINING,
    as_one_object,
    names,
    properties_of,
)
from chatbridge.domain.model.tool_schema.unfit import Unfit

LONGEST = 65_536
"""The characters that a schema may have as JSON."""
DEEPEST = 64
"""The levels of objects and lists in it."""

_NOT_OUTERMOST = {*COMBINING, "enum", "const", "not"}
_MAY_BE_TRUE_OR_FALSE = ("additionalProperties", "unevaluatedItems", "unevaluatedProperties")
_WHERE_SCHEMAS_HAVE_NAMES = ("$defs", "definitions", "schemas")


def fitted(schema: Any) -> dict[str, Any]:
    """The schema of an object, mended: arguments that fitted the given one fit this one.

    It is valid JSON Schema (2020-12) of an object with `properties`, and combines nothing at the
    outermost level. Every array has `items`, every required name a property, every `$ref` leads to
    `#` or into `$defs`. Keywords that readers do not share are gone. Raises Unfit.
    """
    _check(schema)
    if not isinstance(schema, Mapping):
        raise Unfit("its schema is no object")
    mended = _Fitting(cast(Schema, schema)).outermost()
    _check(mended)
    return mended


def _check(schema: Any) -> None:
    if deeper_than(schema, DEEPEST):
        raise Unfit(f"its schema is nested in more than {DEEPEST} levels")
    try:
        text = json.dumps(schema, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError) as error:
        raise Unfit("its schema can't be written as JSON") from error
    if len(text) > LONGEST:
        raise Unfit(f"its schema has more than {LONGEST:,} characters")


class _Fitting:
    """`$ref`s lead into a `$defs` of what is referred to, wherever that stood before."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._references = References(root)
        self._definitions: dict[tuple[str, ...], str] = {}
        self._waiting: list[tuple[str, ...]] = []
        self._embedded = 0

    def outermost(self) -> dict[str, Any]:
        walked = self._mapping(as_one_object(self._root, self._references))
        kept = {word: value for word, value in walked.items() if word not in _NOT_OUTERMOST}
        mended: dict[str, Any] = {"type": "object", "properties": {}, **kept}
        mended["type"] = "object"
        definitions: dict[str, Any] = {}
        while self._waiting:
            place = self._waiting.pop()
            definitions[self._definitions[place]] = self._schema(self._references.at(place))
        return mended | ({"$defs": definitions} if definitions else {})

    def _schema(self, value: Any) -> dict[str, Any]:
        match value:
            case False:
                return {"not": {}}
            case str():
                return {"type": named} if (named := known_type(value)) else {}
            case Mapping():
                return self._mapping(cast(Schema, value))
            case _:
                return {}

    def _mapping(self, given: Schema) -> dict[str, Any]:
        # inside of a schema with an address of its own `#` would be that one
        self._embedded += (embedded := given is not self._root and _has_an_address(given))
        fit = {word: value for word in given for value in self._keyword(word, given[word])}
        self._embedded -= embedded
        self._require(given, fit)
        _give_items(fit)
        _allow_null(given, fit)
        _fit_values(fit)
        return fit

    def _keyword(self, word: str, value: Any) -> Iterator[Any]:
        """The value as it is kept, or nothing."""
        if word in PLAIN:
            yield from (value,) if PLAIN[word](value) else ()
        elif word in ONE_SCHEMA:
            yield from self._one(word, value)
        elif word in MANY_SCHEMAS:
            yield from ([self._schema(each) for each in _listed(value)],) if _listed(value) else ()
        elif word in NAMED_SCHEMAS:
            yield from self._named(value)
        elif word == "type":
            yield from (types,) if (types := known_types(value)) else ()
        elif word == "enum":
            yield from (values,) if (values := _different(_listed(value))) else ()
        elif word == "$ref" and not self._embedded:
            yield from self._reference(value)

    def _one(self, word: str, value: Any) -> Iterator[Any]:
        if isinstance(value, bool) and word in _MAY_BE_TRUE_OR_FALSE:
            yield value
        elif isinstance(value, bool | str | Mapping):
            yield self._schema(value)
        elif word == "items" and isinstance(value, list):
            # what `prefixItems` was before 2020
            yield [self._schema(each) for each in cast(list[Any], value)]

    def _named(self, value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, Mapping):
            found = cast(Schema, value)
            yield {name: self._schema(each) for name, each in found.items()}
        elif value:
            raise Unfit("a list of its properties has no names")

    def _reference(self, ref: Any) -> Iterator[str]:
        place = self._references.place(ref)
        if place is not None:
            yield f"#/$defs/{self._definition(place)}" if place else "#"

    def _definition(self, place: tuple[str, ...]) -> str:
        if place not in self._definitions:
            self._definitions[place] = _free_name(place, self._definitions.values())
            self._waiting.append(place)
        return self._definitions[place]

    def _require(self, given: Schema, fit: dict[str, Any]) -> None:
        named = properties_of(given)
        said_there = [name for name, each in named.items() if _says_required(each)]
        required = list(dict.fromkeys([*names(given.get("required")), *said_there]))
        if not required:
            return
        others = fit.get("additionalProperties")
        unnamed: dict[str, Any] = {} if isinstance(others, bool | None) else others
        fit["properties"] = dict.fromkeys(required, unnamed) | fit.get("properties", {})
        fit["required"] = required


def _has_an_address(schema: Schema) -> bool:
    address = schema.get("$id")
    return isinstance(address, str) and bool(address.partition("#")[0])


def _says_required(schema: Any) -> bool:
    return isinstance(schema, Mapping) and cast(Schema, schema).get("required") is True


def _give_items(fit: dict[str, Any]) -> None:
    if isinstance(fit.get("items"), list):
        leading = fit.pop("items")
        if leading:
            fit["prefixItems"] = leading
    types = fit.get("type", ())
    if "array" in ([types] if isinstance(types, str) else types):
        fit.setdefault("items", {})


def _allow_null(given: Schema, fit: dict[str, Any]) -> None:
    if given.get("nullable") is True and "type" in fit:
        types = [fit["type"]] if isinstance(fit["type"], str) else fit["type"]
        fit["type"] = list(dict.fromkeys([*types, "null"]))


def _fit_values(fit: dict[str, Any]) -> None:
    """Of the values of an `enum` those that its type allows; if none is, that was no enum."""
    if "enum" in fit and "type" in fit:
        fit["enum"] = [value for value in fit["enum"] if is_of(value, fit["type"])]
        if not fit["enum"]:
            del fit["enum"]


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _different(values: Iterable[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def _free_name(place: tuple[str, ...], taken: Iterable[str]) -> str:
    *_, where, own = ("", *place)
    letters = (c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in own)
    name = stem = ("".join(letters) if where in _WHERE_SCHEMAS_HAVE_NAMES else "") or "part"
    number, others = 1, set(taken)
    while name in others:
        number += 1
        name = f"{stem}_{number}"
    return name
