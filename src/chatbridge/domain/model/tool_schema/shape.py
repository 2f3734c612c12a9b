"""The one object that the outermost schema of a tool's arguments comes to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, cast

from chatbridge.domain.model.tool_schema.keywords import known_types
from chatbridge.domain.model.tool_schema.references import References, Schema
from chatbridge.domain.model.tool_schema.unfit import Unfit

COMBINING = ("$ref", "allOf", "anyOf", "oneOf")
_MOST_BRANCHES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Properties by name, those without which nothing fits, and whether others are refused."""

    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    required: frozenset[str] = frozenset()
    closed: bool = False


def as_one_object(schema: Schema, references: References) -> Schema:
    """The schema with its branches merged: whatever fitted it fits what this answers."""
    if not any(word in schema for word in COMBINING):
        return schema
    shape = _Merging(references).shape(schema, frozenset({()}))
    if shape is None:
        raise Unfit("no arguments fit its schema")
    kept = {word: value for word, value in schema.items() if word not in COMBINING}
    names = [*shape.properties, *sorted(shape.required - shape.properties.keys())]
    required = [name for name in names if name in shape.required]
    merged = kept | {"properties": dict(shape.properties)}
    merged |= {"required": required} if required else {}
    return merged | ({"additionalProperties": False} if shape.closed else {})


class _Merging:
    def __init__(self, references: References) -> None:
        self._references = references
        self._branches = 0

    def shape(self, schema: Any, within: frozenset[tuple[str, ...]]) -> Shape | None:
        """None where no object fits; `within` are the places that have led here."""
        self._branches += 1
        if self._branches > _MOST_BRANCHES:
            raise Unfit("its schema has too many branches")
        if not isinstance(schema, Mapping):
            return None if schema is False else Shape()
        found = cast(Schema, schema)
        return reduce(_both, self._parts(found, within)) if _may_be_object(found) else None

    def _parts(self, schema: Schema, within: frozenset[tuple[str, ...]]) -> list[Shape | None]:
        parts: list[Shape | None] = [_own(schema)]
        if "$ref" in schema:
            parts.append(self._referred(schema["$ref"], within))
        parts += self._shapes(schema.get("allOf"), within)
        for word in ("anyOf", "oneOf"):
            if branches := self._shapes(schema.get(word), within):
                parts.append(_either([branch for branch in branches if branch is not None]))
        return parts

    def _referred(self, ref: Any, within: frozenset[tuple[str, ...]]) -> Shape | None:
        place = self._references.place(ref)
        if place is None:
            raise Unfit("its schema is elsewhere")
        if place in within:
            return Shape()
        return self.shape(self._references.at(place), within | {place})

    def _shapes(self, branches: Any, within: frozenset[tuple[str, ...]]) -> list[Shape | None]:
        found = cast(list[Any], branches) if isinstance(branches, list) else []
        return [self.shape(branch, within) for branch in found]


def _may_be_object(schema: Schema) -> bool:
    types = known_types(schema.get("type"))
    return types is None or "object" in ([types] if isinstance(types, str) else types)


def _own(schema: Schema) -> Shape:
    return Shape(
        properties=properties_of(schema),
        required=frozenset(names(schema.get("required"))),
        closed=schema.get("additionalProperties") is False and not schema.get("patternProperties"),
    )


def properties_of(schema: Schema) -> Schema:
    """Its properties by name, as far as they have names."""
    found = schema.get("properties")
    return cast(Schema, found) if isinstance(found, Mapping) else {}


def names(required: Any) -> list[str]:
    """The names in a list of them, each once."""
    listed = cast(list[Any], required) if isinstance(required, list) else []
    return list(dict.fromkeys(name for name in listed if isinstance(name, str)))


def _both(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return None
    told = (one.properties, other.properties)
    all_names = dict.fromkeys(name for schemas in told for name in schemas)
    return Shape(
        properties={
            name: _all_of(schemas[name] for schemas in told if name in schemas)
            for name in all_names
        },
        required=one.required | other.required,
        closed=one.closed or other.closed,
    )


def _either(shapes: Sequence[Shape]) -> Shape | None:
    if not shapes:
        return None
    all_names = dict.fromkeys(name for shape in shapes for name in shape.properties)
    return Shape(
        properties={name: _any_of(name, shapes) for name in all_names},
        required=frozenset(
            name for name in shapes[0].required if all(name in each.required for each in shapes)
        ),
        closed=all(shape.closed for shape in shapes),
    )


def _all_of(schemas: Iterable[Any]) -> Any:
    told = _different(schema for schema in schemas if schema not in (True, {}))
    return told[0] if len(told) == 1 else {"allOf": told} if told else {}


def _any_of(name: str, shapes: Sequence[Shape]) -> Any:
    told = [shape.properties[name] for shape in shapes if name in shape.properties]
    # a branch that says nothing of it lets it be anything, unless it refuses what it doesn't name
    if any(name not in shape.properties and not shape.closed for shape in shapes):
        told.append({})
    different = _different(told)
    return different[0] if len(different) == 1 else {"anyOf": different}


def _different(schemas: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for schema in schemas:
        if schema not in found:
            found.append(schema)
    return found
