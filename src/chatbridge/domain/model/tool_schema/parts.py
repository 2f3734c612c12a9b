"""The schemas in a fitted schema."""

from collections.abc import Iterator
from typing import Any, cast

from chatbridge.domain.model.tool_schema.keywords import (
    MANY_SCHEMAS,
    NAMED_SCHEMAS,
    ONE_SCHEMA,
)

Schema = dict[str, Any]


def schemas_in(schema: Schema) -> Iterator[Schema]:
    """The schema and all in it."""
    yield schema
    for word, value in schema.items():
        if word in ONE_SCHEMA and isinstance(value, dict):
            yield from schemas_in(cast(Schema, value))
        elif word in MANY_SCHEMAS:
            for each in value:
                yield from schemas_in(each)
        elif word in NAMED_SCHEMAS or word == "$defs":
            for each in value.values():
                yield from schemas_in(each)
