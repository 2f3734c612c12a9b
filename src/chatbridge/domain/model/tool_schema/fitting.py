"""The walk through a schema that leaves nothing in it at which a reader would balk."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from chatbridge.domain.model.tool_schema.definitions import cut_loops, used
from chatbridge.domain.model.tool_schema.keywords import (
    MANY_SCHEMAS,
    NAMED_SCHEMAS,
    ONE_SCHEMA,
    PLAIN,
    RANGES,
    TOLD,
    is_of,
    is_plain,
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
_WHERE_SCHEMAS_HAVE_NAMES = ("$defs", "definitions", "schemas")
_TURNING = ("contains", "if", "not", "oneOf")
_LONGEST_TOLD = 200
_WHOLE = ("$defs", "whole")


def fitted(schema: Any) -> dict[str, Any]:
    """The schema of an object, mended: arguments that fitted the given one fit this one.

    It is valid JSON Schema (2020-12) of an object with `properties`, and combines nothing at the
    outermost level. Every array has `items`, every required name a property, every `$ref` leads
    into `$defs`. Keywords that readers do not share are gone, or said in the description. Raises
    Unfit.
    """
    if not isinstance(schema, Mapping):
        raise Unfit("its schema is no object")
    try:
        _check(schema)
        mended = _Fitting(cast(Schema, schema)).outermost()
        _check(mended)
        json.dumps(mended, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise Unfit("its schema can't be written as JSON") from error
    return mended


def _check(schema: Any) -> None:
    if deeper_than(schema, DEEPEST):
        raise Unfit(f"its schema is nested in more than {DEEPEST} levels")
    if len(json.dumps(schema, ensure_ascii=False)) > LONGEST:
        raise Unfit(f"its schema has more than {LONGEST:,} characters")


class _Fitting:
    """`$ref`s lead into a `$defs` of what is referred to, wherever that stood before."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._references = References(root)
        self._definitions: dict[tuple[str, ...], str] = {}
        self._waiting: list[tuple[str, ...]] = []
        self._embedded = 0
        self._loosened = 0

    def outermost(self) -> dict[str, Any]:
        walked = self._mapping(as_one_object(self._root, self._references))
        kept = {word: value for word, value in walked.items() if word not in _NOT_OUTERMOST}
        mended: dict[str, Any] = {"type": "object", "properties": {}, **kept}
        mended["type"] = "object"
        definitions: dict[str, Any] = {}
        while self._waiting:
            place = self._waiting.pop()
            definitions[self._definitions[place]] = self._schema(self._references.at(place))
        cut_loops(definitions)
        definitions = used(definitions, mended)
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
        fit: dict[str, Any] = {}
        for word, value in given.items():
            before = self._loosened
            for kept in self._keyword(word, value):
                _keep(fit, word, kept, loosened=self._loosened > before)
        self._embedded -= embedded
        self._require(given, fit)
        _give_items(fit)
        self._loosened += _allow_null(given, fit) + _fit_values(fit) + _fit_ranges(fit)
        _tell(given, fit)
        return fit

    def _keyword(self, word: str, value: Any) -> Iterator[Any]:
        """The value as it is kept, or nothing."""
        kept = [*self._kept(word, value)]
        self._loosened += not kept
        yield from kept

    def _kept(self, word: str, value: Any) -> Iterator[Any]:
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
        elif word in ("enum", "const"):
            yield from (values,) if (values := _values(word, value)) else ()
        elif word == "$ref":
            yield from self._reference(value)

    def _one(self, word: str, value: Any) -> Iterator[Any]:
        if isinstance(value, bool) and word == "additionalProperties":
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
        # nobody knows yet what becomes of it
        self._loosened += 1
        place = None if self._embedded else self._references.place(ref)
        if place is not None:
            yield f"#/$defs/{self._definition(place)}"

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
            # OpenAI asks for it in a strict schema
            fit |= {"required": []} if given.get("required") == [] else {}
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


def _keep(fit: dict[str, Any], word: str, value: Any, *, loosened: bool) -> None:
    """Keep a keyword, unless it would refuse more where what is in it lets more through."""
    if not loosened or word not in _TURNING:
        fit["enum" if word == "const" else word] = value
    elif word == "oneOf":
        fit.setdefault("anyOf", value)


def _give_items(fit: dict[str, Any]) -> None:
    if isinstance(fit.get("items"), list):
        leading = fit.pop("items")
        if leading:
            fit["prefixItems"] = leading
    types = fit.get("type", ())
    if "array" in ([types] if isinstance(types, str) else types):
        fit.setdefault("items", {})


def _allow_null(given: Schema, fit: dict[str, Any]) -> bool:
    if given.get("nullable") is not True or "type" not in fit:
        return False
    types = [fit["type"]] if isinstance(fit["type"], str) else fit["type"]
    fit["type"] = list(dict.fromkeys([*types, "null"]))
    return True


def _fit_values(fit: dict[str, Any]) -> bool:
    """Of the values of an `enum` those that its type allows; if none is, that was no enum."""
    if "enum" in fit and "type" in fit:
        fit["enum"] = [value for value in fit["enum"] if is_of(value, fit["type"])]
        if not fit["enum"]:
            del fit["enum"]
            return True
    return False


def _fit_ranges(fit: dict[str, Any]) -> bool:
    """Where the least is more than the most nothing fits, and some servers never end."""
    wrong = [pair for pair in RANGES if {*pair} <= fit.keys() and fit[pair[0]] > fit[pair[1]]]
    for word in (word for pair in wrong for word in pair):
        del fit[word]
    return bool(wrong)


def _tell(given: Schema, fit: dict[str, Any]) -> None:
    """Say what a reader would not take as a keyword."""
    untold = [
        f"{word}: {str(given[word])[:_LONGEST_TOLD]}"
        for word, kind in TOLD.items()
        if word not in fit and isinstance(given.get(word), kind)
    ]
    if untold:
        fit["description"] = f"{fit.get('description', '')} ({'; '.join(untold)})".strip()


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _values(word: str, value: Any) -> list[Any]:
    values = [value] if word == "const" else _listed(value)
    return _different(values) if is_plain(values) else []


def _different(values: Iterable[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def _free_name(place: tuple[str, ...], taken: Iterable[str]) -> str:
    *_, where, own = ("", *(place or _WHOLE))
    letters = (c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in own)
    name = stem = ("".join(letters) if where in _WHERE_SCHEMAS_HAVE_NAMES else "") or "part"
    number, others = 1, set(taken)
    while name in others:
        number += 1
        name = f"{stem}_{number}"
    return name
