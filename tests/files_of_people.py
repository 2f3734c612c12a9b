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


def recording(format: str) -> bytes:
    """One that nobody can hear, as far as it is looked at."""
    heads = {
        "wav": b"RIFF\x24\0\0\0WAVEfmt ",
        "mpeg": b"ID3\x04\0",
        "ogg": b"OggS\0\x02",
        "mp4": b"\0\0\0\x20ftypM4A \0\0\0\0",
        "webm": b"\x1a\x45\xdf\xa3\x01\0",
    }
    return heads[format] + bytes(40)


def told_pdf(*pages: str) -> bytes:
    """A PDF with a text on each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for n, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects += [
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {5 + 2 * n} 0 R>>",
            f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        ]
    written, places = b"%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(written)}\n%%EOF\n"
    return written + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
