"""The definitions of a fitted schema: none is its own beginning, and each is used."""

from collections.abc import Iterator
from typing import Any

from chatbridge.domain.model.tool_schema.parts import Schema, schemas_in

_IN_PLACE = ("allOf", "anyOf", "oneOf")


def cut_loops(definitions: dict[str, Schema]) -> None:
    """Take out each `$ref` by which a definition leads to itself before anything was read.

    No reader can make a grammar of it. It says nothing, or, as one of several branches, that
    anything fits.
    """
    targets = {name: {*map(_target, _in_place(each))} for name, each in definitions.items()}
    looping = {*definitions}
    while done := {name for name in looping if not targets[name] & looping}:
        looping -= done
    for part in (part for name in looping for part in _in_place(definitions[name])):
        if _target(part) in looping:
            del part["$ref"]


def used(definitions: dict[str, Schema], schema: Schema) -> dict[str, Schema]:
    """Those that the schema leads to, in their order."""
    found: set[Any] = set()
    reached = {*map(_target, schemas_in(schema))}
    while new := (reached & definitions.keys()) - found:
        found |= new
        reached = {_target(part) for name in new for part in schemas_in(definitions[name])}
    return {name: each for name, each in definitions.items() if name in found}


def _in_place(schema: Schema) -> Iterator[Schema]:
    yield schema
    for word in _IN_PLACE:
        for each in schema.get(word, ()):
            yield from _in_place(each)


def _target(schema: Schema) -> Any:
    return schema.get("$ref", "").removeprefix("#/$defs/")
