"""What a tool's result holds besides text, as it came: pictures, sound, files, and links.

Results have many forms, so it is taken out of the JSON, before that is read as one of the protocol,
and goes along with it under a name of ours.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from chatbridge.domain.model.attachment import Link, Made
from chatbridge.domain.model.media import in_a_word
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.words import in_a_line

CONTENTS = "chatbridge/contents"
"""Where it is in the metadata of a result that was read."""

_MOST_LINKS = 50
_BROKEN = "[The {} is not kept, and nobody has seen it: its base64 is broken.]"
_DATA = re.compile(r"data:(?P<type>[^,;]*)(;[^,;]*)*;base64,(?P<data>.*)", re.I | re.S)
_ELSEWHERE = "(a file, which is shown to the person)"

Json = Any


def content_of(block: Json) -> dict[str, str] | None:
    """What a block holds besides text; None where it is nothing that is kept or shown."""
    match block:
        case {"type": "image" | "audio", "data": str(data)}:
            return _file(block, data)
        case {"type": "resource", "resource": resource}:
            return _of_resource(resource)
        case {"type": "resource_link", "uri": str(uri)} | {"uri": str(uri), "name": str(_)}:
            found = cast(dict[str, Json], block)
            name = found.get("title") or found.get("name") or uri
            return {"link": uri, "name": str(name), "type": _type(block)}
        case _:
            return None


def _of_resource(resource: Json) -> dict[str, str] | None:
    match resource:
        case {"blob": str(blob)}:
            return _file(resource, blob)
        case {"text": str(text)}:
            return {"text": text, "name": _called(resource), "type": _type(resource)}
        case _:
            return None


class Apart:
    """Data for programs without the files in it, and these: a model reads the data as text."""

    def __init__(self, data: Json) -> None:
        self.files: list[dict[str, str]] = []
        self._base64: list[str] = []
        self.data = self._without(data)

    def hidden(self, text: str) -> str:
        """A text without their base64: servers give their data once more as text."""
        for data in self._base64:
            text = text.replace(data, _ELSEWHERE)
        return text

    def _without(self, data: Json) -> Json:
        match data:
            case {"type": "image" | "audio" | "resource"} if held := _file_in(data):
                return self._take(held, held["file"])
            case dict():
                return {k: self._without(each) for k, each in cast(dict[str, Json], data).items()}
            case list():
                return [self._without(each) for each in cast(list[Json], data)]
            case str() if data[:5].lower() == "data:" and (url := _DATA.fullmatch(data)):
                return self._take({"file": url["data"], "name": "", "type": url["type"]}, data)
            case _:
                return data

    def _take(self, held: dict[str, str], base64: str) -> str:
        if held["file"] not in {known["file"] for known in self.files}:
            self.files.append(held)
        # the longest first: one may be a part of another
        self._base64 = sorted({*self._base64, base64} - {""}, key=len, reverse=True)
        return _ELSEWHERE


def _file_in(block: Json) -> dict[str, str] | None:
    held = content_of(block)
    return held if held and "file" in held else None


class Contents:
    """What is to be kept and shown of a result, in order; and what can't be, in words."""

    def __init__(self, meta: Mapping[str, Json] | None, tool: str) -> None:
        self.made: list[Made] = []
        self.links: list[Link] = []
        self.said: list[str] = []
        for held in (meta or {}).get(CONTENTS, ()):
            self._take(held, tool)

    def _take(self, held: Mapping[str, str], tool: str) -> None:
        name, media_type = held["name"] or self._numbered(tool), held["type"]
        if "link" in held:
            if len(self.links) < _MOST_LINKS:
                uri, name = (in_a_line(cleaned(each)) for each in (held["link"], name))
                self.links.append(Link(uri=uri, name=name, media_type=media_type))
        elif "text" in held:
            # the model reads it as well
            data = held["text"].encode("utf-8", "replace")
            self.made.append(Made(name=name, media_type=media_type, data=data))
        else:
            try:
                data = b64decode("".join(held["file"].split()), validate=True)
                self.made.append(Made(name=name, media_type=media_type, data=data))
            except (Error, ValueError):
                told = in_a_line(cleaned(f"{in_a_word(media_type)} {name} ({media_type})"))
                self.said.append(_BROKEN.format(told))

    def _numbered(self, tool: str) -> str:
        return f"{tool} {len(self.made) + 1}" if self.made else tool


def _file(block: Json, data: str) -> dict[str, str]:
    return {"file": data, "name": _called(block), "type": _type(block)}


def _type(block: Mapping[str, Json]) -> str:
    said = block.get("mimeType") or block.get("mime_type")
    return in_a_line(cleaned(said)) if isinstance(said, str) else ""


def _called(block: Mapping[str, Json]) -> str:
    """By the last part of its address; empty where it has none."""
    try:
        parts = urlsplit(str(block.get("uri") or ""))
    except ValueError:
        return ""
    last = [unquote(part) for part in parts.path.split("/") if part]
    return last[-1] if last else parts.netloc
