"""What others have said: in the log only for who wants their words, and elsewhere in quotes."""

from dataclasses import dataclass

_BEGIN, _END, _MARK = "\u201c", "\u201d", '"'


@dataclass(frozen=True, slots=True)
class Words:
    """As an argument of a log line it leaves the whole line out, unless words are let through."""

    said: str

    def __str__(self) -> str:
        return "..."


def quoted(said: str) -> str:
    """Others' words as such: nothing in them ends the quotation and goes on as ours."""
    return f"{_BEGIN}{said.replace(_BEGIN, _MARK).replace(_END, _MARK)}{_END}"
