"""The text of a PDF, for models that take no PDF."""

from typing import Protocol


class PdfText(Protocol):
    """Whoever has made the PDF, and whatever is in it: time and memory are bounded."""

    async def text_of(self, pdf: bytes, most: int) -> str | None:
        """Its text, page by page, and no more than `most` characters and some.

        None where there is none, or where it can't be read: broken, locked, or too much work.
        """
        ...
