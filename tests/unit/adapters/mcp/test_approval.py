"""Which of a server's tools ask a person, by its setting and by what it says of them."""

from typing import Any

import pytest

from chatbridge.adapters.mcp.approval import Approval, asks

DESTROYS: dict[str, Any] = {"destructiveHint": True}
READS: dict[str, Any] = {"destructiveHint": True, "readOnlyHint": True}


@pytest.mark.parametrize(
    ("approval", "hints", "asked"),
    [
        ("always", {}, True),
        ("never", DESTROYS, False),
        ("auto", DESTROYS, True),
        ("auto", READS, False),
        ("auto", {}, False),
        ("auto", {"destructiveHint": "yes"}, False),
        ("auto", {"destructiveHint": False, "readOnlyHint": False, "openWorldHint": True}, False),
        ("auto", DESTROYS | {"readOnlyHint": "yes", "idempotentHint": True}, True),
        (("pay",), {}, True),
        (("look",), DESTROYS, False),
    ],
)
def test_what_asks(approval: Approval, hints: dict[str, Any], asked: bool) -> None:
    assert asks(approval, "pay", hints) is asked
