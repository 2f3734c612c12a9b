"""Files as people have them, and some that are not what they seem."""

import struct
import zlib
from io import BytesIO
from zipfile import ZipFile

from PIL import Image
from PIL.ExifTags import IFD, Base

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def picture(format: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """One with an orientation and a place in it, as telephones write them."""
    image = Image.new("RGB", size, "teal")
    exif = image.getexif()
    exif[Base.Orientation] = 6
    exif[Base.Make] = "CAMERA-OF-ALICE"
    exif.get_ifd(IFD.GPSInfo)[1] = "N"
    file = BytesIO()
    image.save(
        file, format, exif=exif, comment=b"SECRET-COMMENT"
    ) if format != "GIF" else image.save(file, format)
    return file.getvalue()


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG that says it is larger than anybody could draw."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")
    )


def office(folder: str = "word", *, macros: bool = False, types: bool = True) -> bytes:
    """A document of Office, as far as it is looked at."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        if types:
            archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<document/>")
        if macros:
            archive.writestr(f"{folder}/vbaProject.bin", "Sub AutoOpen")
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
