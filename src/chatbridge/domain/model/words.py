"""What others have said: in the log only for who wants their words, and elsewhere in quotes."""

from dataclasses import dataclass
from unicodedata import category

_BEGIN, _END, _MARK = "\u201c", "\u201d", '"'
_LONGEST_LINE = 300
# lines and tabs are seen, and what joins letters and emoji is a part of them
_SEEN = "\n\t\u200c\u200d"
_UNSEEN = ("Cc", "Cf", "Co", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Words:
    """As an argument of a log line it leaves the whole line out, unless words are let through."""

    said: str

    def __str__(self) -> str:
        return "..."


def quoted(said: str) -> str:
    """Others' words as such: nothing in them ends the quotation and goes on as ours."""
    return f"{_BEGIN}{said.replace(_BEGIN, _MARK).replace(_END, _MARK)}{_END}"


def in_a_line(said: str) -> str:
    """Others' words in one line, cut at 300 characters, with what is not seen written out."""
    line = " ".join(said.split())
    return visible(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…")


def visible(text: str) -> str:
    """The text with what is not seen written out: it could turn other words round, or hide some."""
    return "".join(
        char if _is_seen(char) else char.encode("unicode_escape").decode() for char in text
    )


def _is_seen(char: str) -> bool:
    return char in _SEEN or category(char) not in _UNSEEN
