"""Others' text, fit to be printed: whatever is no visible character is written out."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Invisible, and needed in words of Persian and Hindi and in emoji."""
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str, *, keep: str = "") -> str:
    """The text with its controls written as `\\x1b`, and so are line ends and all that turns the
    direction of writing or can't be seen; what is in `keep` stays as it is."""
    if text.isprintable():
        return text
    return "".join(c if c in keep or _is_seen(c) else _written(c) for c in text)


def in_short(text: str, longest: int) -> str:
    """The same of its first `longest` characters, and how many it had."""
    if len(text) <= longest:
        return printable(text)
    return f"{printable(text[:longest])}... ({len(text):,} characters)"


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _UNSEEN


def _written(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
