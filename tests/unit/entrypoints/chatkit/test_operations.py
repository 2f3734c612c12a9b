"""The table of operations agrees with the SDK, which sorts requests by itself."""

from typing import Any, get_args

import pytest
from chatkit.types import NonStreamingReq, StreamingReq

from chatbridge.entrypoints.chatkit.operations import OPERATIONS, Answered, Streamed, type_of


@pytest.mark.parametrize("operation", OPERATIONS, ids=type_of)
def test_what_is_served_is_sorted_as_the_sdk_does(
    operation: Answered[Any] | Streamed[Any],
) -> None:
    kin = get_args(StreamingReq if isinstance(operation, Streamed) else NonStreamingReq)
    assert operation.request in kin


@pytest.mark.parametrize("operation", OPERATIONS, ids=type_of)
def test_an_example_is_a_request(operation: Answered[Any] | Streamed[Any]) -> None:
    asked = operation.request.model_validate({"params": operation.params})
    assert asked.type == type_of(operation)


def test_nothing_is_served_in_two_ways() -> None:
    assert len({operation.request for operation in OPERATIONS}) == len(OPERATIONS)
