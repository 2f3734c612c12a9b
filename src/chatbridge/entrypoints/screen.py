"""The one door to a terminal: visible text, newlines and tabs, in colours of our own."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import click

from chatbridge.entrypoints.printable import printable

_COLORS = {
    "secondary": "\033[2m",
    "success": "\033[32m",
    "danger": "\033[31m",
    "warning": "\033[33m",
}
_RESET = "\033[0m"
_ERASED = "\r\033[K"
# soft hyphen, zero width space, marks of direction, word joiner, byte order mark
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))


class Verdict(NamedTuple):
    """What a person says of a call: yes, yes for the whole conversation, or no and perhaps why."""

    approved: bool
    stands: bool = False
    reason: str = ""


class Screen:
    """Writes whatever others have said, and no more of it than can be seen.

    `write` gets what is fit for a terminal; `colored` says whether it takes colours.
    """

    def __init__(self, write: Callable[[str], None], *, colored: bool) -> None:
        self._write = write
        self.colored = colored

    def say(self, text: str, color: str | None = None) -> None:
        """Write the text; its own escape sequences are shown, not obeyed."""
        painted = _COLORS.get(color or "", "") if self.colored else ""
        self._write(f"{painted}{shown(text)}{_RESET if painted else ''}")

    def erase_line(self) -> None:
        """Take back what was said since the last newline."""
        if self.colored:
            self._write(_ERASED)


class Refused(click.ClickException):
    """A sentence for the person, whoever has written it; the command ends with it."""

    def format_message(self) -> str:
        """What is shown after "Error: "."""
        return shown(self.message)


def shown(text: str) -> str:
    """The text as a terminal may have it; marks that do no harm and would be in the way are left
    out."""
    return printable(text.replace("\r\n", "\n").translate(_DROPPED), keep="\n\t")


def say(text: str, *, err: bool = False) -> None:
    """Write a line to standard output, or to standard error."""
    click.echo(_encodable(shown(text)), err=err)


def screen() -> Screen:
    """Standard output."""

    def write(text: str) -> None:
        click.echo(_encodable(text), nl=False)

    return Screen(write, colored=sys.stdout.isatty())


# what the terminal's encoding lacks is written out too
def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
