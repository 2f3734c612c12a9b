import re
from collections.abc import Callable

import pytest

from chatbridge.domain.model.identifiers import (
    new_call_id,
    new_conversation_id,
    new_message_id,
    new_turn_id,
)

MAKERS = {
    "conv": new_conversation_id,
    "msg": new_message_id,
    "turn": new_turn_id,
    "call": new_call_id,
}


@pytest.mark.parametrize(("prefix", "make"), MAKERS.items())
def test_an_id_says_what_it_names_and_never_comes_twice(
    prefix: str, make: Callable[[], str]
) -> None:
    made = {make() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(re.fullmatch(rf"{prefix}_[0-9a-f]{{32}}", id) for id in made)
