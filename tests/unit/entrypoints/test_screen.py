"""What may reach a terminal, whoever has said it."""

import pytest

from chatbridge.entrypoints.screen import Refused, Screen, shown

ESCAPES = {
    "clipboard": "\x1b]52;c;aGk=\x07",
    "window title": "\x1b]0;pwned\x07",
    "clear screen": "\x1b[2J",
    "hidden text": "\x1b[8mhidden\x1b[0m",
    "link": "\x1b]8;;https://evil.example\x1b\\bank\x1b]8;;\x1b\\",
    "one byte for two": "\x9b2J",
    "backspace": "safe\x08\x08\x08\x08evil",
    "carriage return": "safe\revil",
    "delete": "\x7f",
    "bell": "\x07",
    "form feed": "\x0c\x0b",
    "turned around": "\u202egnp.exe",
    "isolated": "\u2066a\u2069",
    "line separator": "a\u2028b\u2029c",
    "hidden tags": "\U000e0001\U000e0068",
    "half a letter": "\ud83d",
    "nothing": "\x00",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_what_a_terminal_would_obey_is_written_out(name: str) -> None:
    written: list[str] = []
    screen = Screen(written.append, colored=True)
    screen.say(ESCAPES[name])
    screen.say(ESCAPES[name], "danger")
    plain, painted = written
    assert plain.isprintable()
    assert plain.isascii()
    assert painted == f"\x1b[31m{plain}\x1b[0m"
    assert Refused(ESCAPES[name]).format_message() == plain


def test_what_is_read_stays_as_it_is() -> None:
    for text in ("Ünïcödé\n\ttab", "שלום", "नमस्ते क्‍ष", "👩‍💻 🏴", "a\u00a0b\u202fc", "任務 1"):
        assert shown(text) == text
    assert shown("a\u200bb\u00adc\r\nd") == "abc\nd"


def test_without_colors_there_are_none() -> None:
    written: list[str] = []
    screen = Screen(written.append, colored=False)
    screen.say("plain", "danger")
    screen.erase_line()
    assert written == ["plain"]
