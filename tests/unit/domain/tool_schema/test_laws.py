"""What holds for every schema that a tool server may send."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from chatbridge.domain.model.tool_schema import Unfit, fitted, hidden, renamed, restored
from tests.unit.domain.tool_schema.schemas import (
    Writer,
    complaints,
    fits,
    is_permitted,
    names_in,
    schemas_in,
)

USER = "user_id"
seeds = st.integers(0, 2**32)
often = settings(max_examples=100, deadline=None)


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
        assert fitted(mended) == mended
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
        assert USER not in names_in(without)


@often
@given(seeds)
def test_every_argument_has_a_permitted_name_and_goes_back_under_its_own(seed: int) -> None:
    writer = Writer(seed)
    with contextlib.suppress(Unfit):
        schema = fitted(writer.schema())
        shown, own = renamed(schema)
        assert list(complaints(shown)) == []
        assert all(
            is_permitted(n) for part in schemas_in(shown) for n in part.get("properties", ())
        )
        names = {name: new for new, name in own.items()}
        for each in [writer.arguments() for _ in range(10)]:
            given = restored(each, names)
            assert restored(given, own) == each
            assert not fits(each, schema) or fits(given, shown), each
