"""Pictures drawn anew, so that nothing but the picture is kept."""

from typing import Protocol


class Pictures(Protocol):
    """What is hidden in a file, where it was taken, who took it: none of that comes along."""

    async def redrawn(self, picture: bytes, media_type: str) -> bytes:
        """The same picture in the same format, upright and at most 2,048 pixels a side.

        Raises Invalid for what is no picture of this type, or is too large to be drawn.
        """
        ...
