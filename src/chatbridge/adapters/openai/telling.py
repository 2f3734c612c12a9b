"""What of an answer is told: nothing before it has something that can be seen."""

import unicodedata

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_LONGEST_BEGINNING = 500


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, controls, joiners, fillers."""
    return not text.strip() or all(map(_is_invisible, text))


def without_blank_beginning(text: str) -> str:
    """The text from its first letter on that can be seen."""
    return text[
        next((n for n, letter in enumerate(text) if not _is_invisible(letter)), len(text)) :
    ]


def _is_invisible(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return kind[0] == "Z" or kind in ("Cc", "Cf") or letter in _INVISIBLE or _selects(letter)


def _selects(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"


class Telling:
    """Lets the words of an answer through, and holds back what nobody can see before the first.

    `length` is how many characters it has, `beginning` how it begins, and `begun` whether anything
    of it can be seen.
    """

    def __init__(self) -> None:
        self._held = ""
        self.begun = False
        self.length = 0
        self.beginning = ""

    def take(self, words: str) -> str:
        """What may be told, now that these words have come."""
        self.length += len(words)
        if not self.begun:
            self._held += words
            if is_blank(words):
                return ""
            self.begun, words, self._held = True, self._held, ""
        if len(self.beginning) < _LONGEST_BEGINNING:
            self.beginning += words[:_LONGEST_BEGINNING]
        return words
