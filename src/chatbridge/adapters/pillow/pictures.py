"""Pillow in a thread of its own, one picture at a time; imported when the first one comes."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import ChatbridgeError
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

_ORIENTATION = 0x0112
_TURNS: dict[Any, Any] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF's number of how a picture lies, and Pillow's of what turns it upright."""


class PillowPictures(Pictures):
    """See the port. Of what moves the first picture is kept."""

    def __init__(self) -> None:
        # always the same thread: each one keeps what it was given for its largest picture
        self._one = ThreadPoolExecutor(1, "pictures")

    async def redrawn(self, picture: bytes, media_type: str) -> bytes:
        """See the port."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._one, _redrawn, picture, _FORMATS[media_type])


def _redrawn(picture: bytes, format: str) -> bytes:
    from PIL import Image

    # of each odd tag it would write a line
    warnings.filterwarnings("ignore", module="PIL")
    # it would only warn; what is too large is refused below, before anything is drawn
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(BytesIO(picture), formats=(format,)) as opened:
            if opened.width * opened.height > _PIXELS.get(format, _MOST_PIXELS):
                raise refusals.picture_too_large()
            opened.draft(None, (_SIDE, _SIDE))
            upright = _upright(opened)
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
    except ChatbridgeError:
        raise
    except Exception as error:
        # whatever a decoder stumbles at is the picture's fault
        raise refusals.not_a_picture() from error


def _upright(opened: Any) -> Any:
    """A picture of Pillow's as its EXIF says that it is to be seen; as it lies, where that is
    broken: nothing else of it is read, and none of it is written again."""
    try:
        said = opened.getexif().get(_ORIENTATION)
    except Exception:
        return opened
    return opened.transpose(_TURNS[said]) if said in _TURNS else opened
