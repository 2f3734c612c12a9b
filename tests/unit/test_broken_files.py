"""Files that are broken, or made to hurt whoever looks at them."""

import struct
from io import BytesIO

import pytest

from chatbridge.adapters.pillow.pictures import PillowPictures
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.media import office_type
from tests.files_of_people import picture

_ENTRY = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"


class Counted(BytesIO):
    """How much was read at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.most = max(self.most, len(content))
        return content


async def test_a_picture_whose_exif_is_broken_is_drawn_as_it_lies() -> None:
    whole = picture("JPEG")
    where = whole.index(b"Exif") + 6
    # its tags, their types, their places
    for place in range(where, where + 84):
        for value in (0, 3, 255):
            broken = whole[:place] + bytes([value]) + whole[place + 1 :]
            assert await PillowPictures().redrawn(broken, "image/jpeg")


async def test_a_picture_that_is_cut_off_is_refused() -> None:
    for format, type in (("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp")):
        whole = picture(format)
        for end in (0, 8, 12, 20, len(whole) // 4):
            with pytest.raises(Invalid):
                await PillowPictures().redrawn(whole[:end], type)


def test_a_zip_is_not_opened_to_list_hundreds_of_thousands_of_files() -> None:
    listed = _ENTRY * 50_000
    ends = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50_000, 50_000, len(listed), 0, 0)
    bomb = Counted(listed + ends)
    assert office_type(bomb) is None
    assert bomb.most < 100_000
