"""Pillow in a thread, one picture at a time; imported when the first one comes."""

import asyncio
from io import BytesIO
from typing import Any

from chatbridge.domain.model import refusals
from chatbridge.ports.pictures import Pictures

_SIDE = 2048
_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_PIXELS = {"JPEG": 50_000_000}
_MOST_PIXELS = 25_000_000
"""Four bytes each; of JPEG more, which is made smaller while it is read."""

_HOW: dict[str, dict[str, Any]] = {"JPEG": {"quality": 88}, "WEBP": {"quality": 85, "method": 2}}


class PillowPictures(Pictures):
    """See the port. Of what moves the first picture is kept."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)

    async def redrawn(self, picture: bytes, media_type: str) -> bytes:
        """See the port."""
        async with self._one:
            return await asyncio.to_thread(_redrawn, picture, _FORMATS[media_type])


def _redrawn(picture: bytes, format: str) -> bytes:
    from PIL import Image, ImageOps

    # it would only warn; what is too large is refused below, before anything is drawn
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(BytesIO(picture), formats=(format,)) as opened:
            if opened.width * opened.height > _PIXELS.get(format, _MOST_PIXELS):
                raise refusals.picture_too_large()
            opened.draft(None, (_SIDE, _SIDE))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((_SIDE, _SIDE))
            if format == "JPEG" and upright.mode not in ("RGB", "L"):
                upright = upright.convert("RGB")
            bare = Image.new(upright.mode, upright.size)
            if upright.palette:
                bare.putpalette(upright.palette)
            bare.paste(upright)
            if "transparency" in upright.info:
                bare.info["transparency"] = upright.info["transparency"]
            drawn = BytesIO()
            bare.save(drawn, format, **_HOW.get(format, {}))
            return drawn.getvalue()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise refusals.not_a_picture() from error
