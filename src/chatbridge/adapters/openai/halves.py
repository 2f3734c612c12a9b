"""Characters that come in two halves, one in each of two pieces of a text."""

import re

_HALF = re.compile("[\ud800-\udbff]$|[\udc80-\udcff]{1,3}$")
_BYTES = re.compile("[\udc80-\udcff]+")
_ALONE = re.compile("[\ud800-\udfff]")


class Halves:
    """Holds back half a character at the end of a piece until the next piece brings the rest.

    Half an emoji is a lone surrogate where JSON spells it (`\\ud83e`), and one to three bytes where
    it came as such; those are read as surrogates too (`errors="surrogateescape"`).
    """

    def __init__(self) -> None:
        self._held = ""

    def whole(self, piece: str) -> str:
        """As much of what has come as is whole."""
        if not self._held and piece.isascii():
            return piece
        text = self._held + piece
        half = _HALF.search(text)
        self._held = half.group() if half else ""
        return joined(text[: half.start()] if half else text)

    def rest(self) -> str:
        """What is still held back, when nothing follows: the mark of a character that is broken."""
        held, self._held = self._held, ""
        return joined(held)


def joined(text: str) -> str:
    """The text with its halves put together; one that is alone becomes U+FFFD."""
    if text.isascii():
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _ALONE.sub("\ufffd", _BYTES.sub(_decoded, paired))


def _decoded(escaped: re.Match[str]) -> str:
    return escaped.group().encode("utf-8", "surrogateescape").decode("utf-8", "replace")
