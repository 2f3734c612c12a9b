"""Arguments that a model wrote in more levels than anybody can take."""

import pytest

from chatbridge.adapters.openai.arguments import parsed_arguments, storable_arguments


@pytest.mark.parametrize("levels", [150, 900])
@pytest.mark.parametrize("leaf", ["1", '"\\u0000"'])
def test_arguments_without_end_are_no_object_and_can_be_kept(levels: int, leaf: str) -> None:
    text = '{"a":' * levels + leaf + "}" * levels
    assert parsed_arguments(text) is None
    assert storable_arguments(text) == (text if leaf == "1" else "{}")
