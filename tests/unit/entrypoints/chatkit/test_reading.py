import importlib

import pytest
from chatkit.types import ThreadsCreateReq, UserMessageInput

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.limits import MAX_ENTRIES
from chatbridge.entrypoints.chatkit import reading
from tests.chatkit_client import create


def test_a_list_has_its_bounds_whoever_has_used_its_type_before() -> None:
    asked = create("hello")
    (part,) = asked["params"]["input"]["content"]
    UserMessageInput.model_validate(asked["params"]["input"])
    ThreadsCreateReq.model_validate(asked)
    again = importlib.reload(reading)
    asked["params"]["input"]["content"] = [part] * (MAX_ENTRIES + 1)
    with pytest.raises(Invalid, match=f"at most {MAX_ENTRIES}"):
        again.read(asked)
