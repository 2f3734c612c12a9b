"""What a person reads of a call that asks, before they open what it would be called with."""

from datetime import UTC, datetime

import pytest

from chatbridge.adapters.chatkit.items.in_words import in_words
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool_call import ToolCall


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("delete_task", '{"number": 3}', "Delete task 3"),
        ("add_task", '{"title": "buy\\noat  milk"}', "Add task 'buy oat milk'"),
        ("sendMail", '{"to": "a@b.c", "urgent": true}', "Send mail: to 'a@b.c', urgent true"),
        ("pay", "", "Pay"),
        ("pay", "{}", "Pay"),
        ("pay", '{"sum": 5, "to": {"iban": "x"}}', "Pay: sum 5 …"),
        ("pay", '{"to": {"iban": "x"}}', "Pay …"),
        ("pay", '{"a": 1, "b": 2, "c": 3, "d": 4}', "Pay: a 1, b 2, c 3 …"),
        ("pay", "[1]", "Pay …"),
        ("pay", "{not JSON", "Pay …"),
        ("p\u202eay", '{"to": "\u202eada"}', "Pay 'ada'"),
        ("__", '{"text": "' + "x" * 100 + '"}', f"Tool '{'x' * 80}…'"),
    ],
)
def test_a_call_is_said_in_words_and_never_seems_to_be_less(
    name: str, arguments: str, words: str
) -> None:
    call = ToolCall(
        id=CallId("call_1"), name=name, arguments=arguments, started_at=datetime.now(UTC)
    )
    assert in_words(call) == words
