"""What holds for every schema that a tool server may send."""

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatbridge.domain.model.tool_schema import Unfit, fitted, hidden
from tests.unit.domain.tool_schema.schemas import Writer, complaints, fits

USER = "user_id"
seeds = st.integers(0, 2**32)
often = settings(max_examples=150, deadline=None)


def names_of_properties(schema: Any) -> set[str]:
    """All that a schema says of the names of arguments, at any depth."""
    match schema:
        case dict():
            part: dict[str, Any] = schema
            named = {*part.get("properties", {}), *part.get("required", [])}
            for word in ("dependentRequired", "dependentSchemas"):
                named |= part.get(word, {}).keys()
            for names in part.get("dependentRequired", {}).values():
                named |= set(names)
            for values_of in ("default", "const"):
                named |= keys_in(part.get(values_of))
            for values_of in ("enum", "examples"):
                named |= keys_in(part.get(values_of))
            named |= set(part.get("$defs", {}))
            by_name = ("properties", "patternProperties", "$defs", "dependentSchemas")
            below = [each for word in by_name for each in part.get(word, {}).values()]
            below += [part[word] for word in ("items", "contains", "not") if word in part]
            below += [each for word in ("anyOf", "oneOf", "allOf") for each in part.get(word, [])]
            below += [each for word in ("if", "then", "else") for each in [part.get(word)]]
            below += [part.get("additionalProperties"), *part.get("prefixItems", [])]
            return named.union(*(names_of_properties(each) for each in below))
        case _:
            return set()


def keys_in(value: Any) -> set[str]:
    """The keys of all objects in a value."""
    if isinstance(value, dict):
        return set(value).union(*(keys_in(each) for each in value.values()))
    return set[str]().union(*map(keys_in, value)) if isinstance(value, list) else set()


@often
@given(seeds)
def test_what_leaves_is_taken_by_the_strictest_reader(seed: int) -> None:
    with contextlib.suppress(Unfit):
        assert list(complaints(fitted(Writer(seed, sloppy=20).schema()))) == []


@often
@given(seeds)
def test_arguments_that_fitted_before_fit_after(seed: int) -> None:
    writer = Writer(seed)
    schema, arguments = writer.schema(), [writer.arguments() for _ in range(10)]
    with contextlib.suppress(Unfit):
        mended = fitted(schema)
        for each in arguments:
            assert not fits(each, schema) or fits(each, mended), each


@often
@given(seeds)
def test_without_the_users_argument_the_rest_fits(seed: int) -> None:
    writer = Writer(seed)
    schema, arguments = writer.schema(), [writer.arguments() for _ in range(10)]
    with contextlib.suppress(Unfit):
        without, _ = hidden(fitted(schema), USER)
        for each in arguments:
            rest = {name: value for name, value in each.items() if name != USER}
            assert not fits({**rest, USER: "bob"}, schema) or fits(rest, without), each


@often
@given(seeds)
def test_the_users_argument_is_nowhere(seed: int) -> None:
    with contextlib.suppress(Unfit):
        without, _ = hidden(fitted(Writer(seed, sloppy=10).schema()), USER)
        assert list(complaints(without)) == []
        assert USER not in names_of_properties(without)
