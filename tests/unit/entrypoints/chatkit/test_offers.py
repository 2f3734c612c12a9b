"""What a widget has fixed must come as it is, by what JSON calls the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from chatkit.actions import Action, ActionConfig
from chatkit.types import WidgetItem
from chatkit.widgets import Button, Card

from chatbridge.domain.model.errors import Conflict
from chatbridge.entrypoints.chatkit.offers import require_offered


def offering(payload: Any) -> WidgetItem:
    button = Button(label="go", onClickAction=ActionConfig(type="go", payload=payload))
    return WidgetItem(
        id="msg_1", thread_id="conv_1", created_at=datetime.now(UTC), widget=Card(children=[button])
    )


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"n": v}, lambda v: {"n": [{"m": v}]}])
@pytest.mark.parametrize(
    ("offered", "sent", "fits"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (False, 0, False),
        (0, None, False),
        ("1", 1, False),
        ([1], [True], False),
        ([1], [1, 1], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"a": 1.0}, True),
    ],
)
def test_a_value_that_is_another_one_is_not_offered(
    wrap: Any, offered: Any, sent: Any, fits: bool
) -> None:
    sender, action = offering(wrap(offered)), Action(type="go", payload=wrap(sent))
    if fits:
        require_offered(sender, action)
    else:
        with pytest.raises(Conflict):
            require_offered(sender, action)
