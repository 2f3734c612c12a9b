"""What may be attached: each type is told by its bytes, whatever it is called."""

import codecs
import re
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile

_HEAD = 64
_SIGNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBP", re.S)),
    ("application/pdf", re.compile(rb"%PDF-")),
    ("audio/wav", re.compile(rb"RIFF.{4}WAVE", re.S)),
    ("audio/mpeg", re.compile(rb"ID3|\xff[\xfb\xf3\xf2]")),
    ("audio/ogg", re.compile(rb"OggS")),
    ("audio/mp4", re.compile(rb".{4}ftypM4A", re.S)),
    ("audio/webm", re.compile(rb"\x1a\x45\xdf\xa3")),
)
ZIP = "application/zip"
_ZIP = re.compile(rb"PK\x03\x04")
_OOXML = "application/vnd.openxmlformats-officedocument."
_OFFICE = {
    "word/": f"{_OOXML}wordprocessingml.document",
    "xl/": f"{_OOXML}spreadsheetml.sheet",
    "ppt/": f"{_OOXML}presentationml.presentation",
}
TEXT = "text/plain"
_TEXTS = re.compile(
    r"text/(plain|markdown|csv|tab-separated-values|x-[a-z0-9.+-]+)"
    r"|application/(json|x-ndjson|(x-)?yaml|toml)"
)
_OTHER_NAMES = {
    "": TEXT,
    "application/octet-stream": TEXT,
    # what curl says of any body
    "application/x-www-form-urlencoded": TEXT,
    # what browsers say of a CSV where there is Excel
    "application/vnd.ms-excel": "text/csv",
    "image/jpg": "image/jpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "application/x-pdf": "application/pdf",
}
_MOST_ENTRIES, _MOST_UNPACKED = 5_000, 500_000_000
_MOST_LISTED = 2_000_000
"""Bytes of the list of what is in a zip: each 46 of them become an object of 350."""

# controls that no text has: not tab, line feed, form feed, carriage return
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")

OFFERED = (*(name for name, _ in _SIGNS), *_OFFICE.values(), TEXT)
"""Every type that is told; texts have more names."""


def named(declared: str) -> str | None:
    """The type that is meant by what a browser calls it; None where it may not be attached."""
    plain = declared.partition(";")[0].strip().lower()
    plain = _OTHER_NAMES.get(plain, plain)
    return plain if plain in OFFERED or _TEXTS.fullmatch(plain) else None


def recorded(audio: bytes) -> str | None:
    """The type of a recording, by its first bytes; of MP4 any kind, for browsers name theirs
    differently. None for what is none."""
    if re.match(rb".{4}ftyp", audio, re.S):
        return "audio/mp4"
    found = (name for name, sign in _SIGNS if sign.match(audio))
    return next((name for name in found if name.startswith("audio/")), None)


def is_text(media_type: str) -> bool:
    """Whether it is read as text."""
    return bool(_TEXTS.fullmatch(media_type))


def in_a_word(media_type: str) -> str:
    """What a file of this type is, for whoever reads of it."""
    return {"image": "picture", "audio": "recording"}.get(media_type.partition("/")[0], "file")


def is_office(media_type: str) -> bool:
    """Whether it is a document of Office."""
    return media_type in _OFFICE.values()


def is_read(media_type: str) -> bool:
    """Whether there is a model that can be given what is in it."""
    whole = media_type in ("application/pdf", "audio/wav", "audio/mpeg")
    return whole or media_type.startswith("image/") or is_office(media_type) or is_text(media_type)


class Look:
    """Looks at bytes as they come, and tells their type at the end."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def at(self, part: bytes) -> None:
        """The next of them."""
        self._head += part[: max(0, _HEAD - len(self._head))]
        if self._decoder:
            self._read(part, final=False)

    def _read(self, part: bytes, *, final: bool) -> None:
        assert self._decoder  # noqa: S101
        try:
            text = self._decoder.decode(part, final)
        except UnicodeDecodeError:
            self._decoder = None
            return
        if _CONTROL.search(text):
            self._decoder = None

    def found(self) -> str | None:
        """`ZIP` is to be looked into; None for what nobody knows."""
        for name, sign in _SIGNS:
            if sign.match(self._head):
                return name
        if _ZIP.match(self._head):
            return ZIP
        if self._decoder:
            self._read(b"", final=True)
        return TEXT if self._decoder else None


def agree(declared: str, found: str | None) -> bool:
    """Whether the bytes are of the type that they are said to be."""
    return found == declared or (found == TEXT and is_text(declared))


class _Sparing:
    """A zip whose list is read only where it is of a size that such a document has."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_LISTED:
            raise BadZipFile("its list is too long")
        return self._file.read(size)


def office_type(file: BinaryIO) -> str | None:
    """Which document of Office a zip is; None for any other, one with macros, and a bomb."""
    try:
        with ZipFile(cast(BinaryIO, _Sparing(file))) as opened:
            entries = opened.infolist()
            names = [entry.filename for entry in entries]
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if len(entries) > _MOST_ENTRIES or sum(e.file_size for e in entries) > _MOST_UNPACKED:
        return None
    if "[Content_Types].xml" not in names or any("vbaProject" in name for name in names):
        return None
    kinds = [kind for folder, kind in _OFFICE.items() if any(n.startswith(folder) for n in names)]
    return kinds[0] if len(kinds) == 1 else None
