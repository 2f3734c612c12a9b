"""What a person reads of a call that asks, before they open what it would be called with."""

from datetime import UTC, datetime

import pytest

from chatbridge.adapters.chatkit.items.badges import badges
from chatbridge.adapters.chatkit.items.in_words import in_words
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.words import in_a_line, visible


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


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("to \u202eada\u202c", "to \\u202eada\\u202c"),
        ("a\x1b[2Jb\x00", "a\\x1b[2Jb\\x00"),
        ("zero\u200bwidth\u2060\ufeff", "zero\\u200bwidth\\u2060\\ufeff"),
        ("two\u2028lines", "two\\u2028lines"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("two\nlines\tand a family \U0001f468\u200d\U0001f469 \u05d0\u05d1", None),
    ],
)
def test_what_is_not_seen_is_written_out(text: str, seen: str | None) -> None:
    assert visible(text) == (text if seen is None else seen)


def test_what_others_say_is_one_line_that_hides_nothing_and_ends() -> None:
    assert in_a_line(" Pay\n**5**\t<b>to\u202eada ") == "Pay **5** <b>to\\u202eada"
    assert in_a_line("x" * 5_000) == "x" * 300 + "…"


def test_what_is_asked_hides_nothing_and_says_how_much_is_left_out() -> None:
    def asked(arguments: str) -> str:
        call = ToolCall(
            id=CallId("call_1"),
            name="pay",
            arguments=arguments,
            started_at=datetime.now(UTC),
            state="waiting",
        )
        return str(badges([call])["widget"].model_dump(mode="json", exclude_none=True))

    assert "\u202e" not in asked('{"to": {"name": "\u202eada"}}')
    assert "… (5,012 characters in all)" in asked('{"to": "' + "x" * 5_000 + '", }')
