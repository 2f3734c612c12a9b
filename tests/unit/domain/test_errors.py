from collections.abc import Iterator

import pytest

from chatbridge.domain.model import errors
from chatbridge.domain.model.errors import ChatbridgeError, Conflict, NotFound, StaleTurn


def family(base: type[ChatbridgeError]) -> Iterator[type[ChatbridgeError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from family(kind)


ALL = [k for k in family(ChatbridgeError) if k.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_code_of_its_own_and_is_in_the_tree(
    kind: type[ChatbridgeError],
) -> None:
    assert [other for other in ALL if other.default == kind.default] == [kind]
    assert errors.__doc__ is not None
    assert kind.__name__ in errors.__doc__


def test_an_error_says_its_sentence_and_a_code_of_its_kind() -> None:
    error = NotFound("There is no such thing.")
    assert (str(error), error.detail, error.code) == (error.detail, str(error), "not_found")


def test_a_code_may_be_narrower_than_the_kind() -> None:
    assert NotFound("Gone.", code="conversation_not_found").code == "conversation_not_found"


def test_a_stale_turn_is_a_conflict() -> None:
    assert issubclass(StaleTurn, Conflict)
