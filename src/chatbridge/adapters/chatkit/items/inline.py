"""Files that stand in items as data, and what stands there once they are kept.

By the field it is decided what is a file, never by what a text says: a text may mention data. Only
a picture in Markdown, outside of code, is one there.
"""

import re
from base64 import b64decode
from binascii import Error
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from chatbridge.domain.model.attachment import Attached, Made
from chatbridge.domain.model.identifiers import AttachmentId

KEPT = "attachment:"
"""Begins what stands in the place of a file that is kept; its id follows."""

Json = Mapping[str, Any]
Put = Callable[[str], str]
"""What is to stand in the place of this data, or of this name of what is kept."""

_DATA = re.compile(r"data:(?P<type>[^,;]*)(;[^,;]*)*;base64,", re.I)
_REF = re.compile(rf"{KEPT}(?P<id>att_[0-9a-f]{{32}})")
_LABELS = ("alt", "caption", "description", "label", "name", "placeholder", "summary", "title")
_TEXTS = (*_LABELS, "content", "copy_text", "delta", "text", "value")
_THEIRS = ("arguments", "data", "metadata", "output", "payload")
"""What is a host's, or its page's, and shown by nobody."""

_PICTURE = re.compile(
    r"!\[(?P<alt>[^\[\]]*)\]\(\s*<?(?P<address>(?:data|attachment):[^\s)>]+)>?"
    r"(?P<title>\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)",
    re.I,
)
_STYLE = re.compile(
    r"\s*url\(\s*[\"']?(?P<address>(?:data|attachment):[^\"')]+)[\"']?\s*\)\s*", re.I
)
_MARKS = ("data:", "DATA:", KEPT)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})")
_TICKS = re.compile("`+")


def is_data(text: str) -> bool:
    """Whether the text, as a whole, is a file in base64."""
    return text[:5].lower() == "data:" and _DATA.match(text) is not None


def made_of(data: str, name: str) -> Made | None:
    """The file; None where it can't be read."""
    found = _DATA.match(data)
    try:
        read = b64decode("".join(data[found.end() :].split()), validate=True) if found else b""
    except (Error, ValueError):
        return None
    return Made(name=name, media_type=found["type"] if found else "", data=read)


def kept_id(text: str) -> AttachmentId | None:
    """Whose name it is, if it is one of what is kept."""
    found = _REF.fullmatch(text)
    return AttachmentId(found["id"]) if found else None


def files_in(payload: Any) -> list[str]:
    """The data and the names of kept files in it."""
    found: list[str] = []
    # most items have none, and are not made anew
    if _has_files(payload):
        with_files(payload, partial(_noted, found))
    return found


def pictures_in(text: str) -> list[str]:
    """Those of the pictures in a Markdown text."""
    found: list[str] = []
    in_markdown(text, partial(_noted, found))
    return found


def _noted(found: list[str], file: str) -> str:
    found.append(file)
    return file


def with_files(value: Any, put: Put, key: str = "", inside: Json | None = None) -> Any:
    """The same with other things in the place of its files; what has none is the same object."""
    match value:
        case str() if key not in _TEXTS:
            return _instead(value, put)
        case str():
            return in_markdown(value, put) if _is_markdown(key, inside) else value
        case Mapping():
            parts = cast(Mapping[str, Any], value)
            return {
                name: part if _is_theirs(name) else with_files(part, put, name, parts)
                for name, part in parts.items()
            }
        case list():
            return [with_files(each, put, key, inside) for each in cast(list[Any], value)]
        case _:
            return value


def in_markdown(text: str, put: Put) -> str:
    """The same with other things in the place of its pictures; where that is nothing, their words
    alone."""
    if not _has_files(text):
        return text
    code = _code_in(text)

    def instead(found: re.Match[str]) -> str:
        address = found["address"]
        # in code a picture is only talked about
        within = bisect_right(code, found.start()) % 2
        if within or not (is_data(address) or kept_id(address)):
            return found[0]
        new = put(address)
        return f"![{found['alt']}]({new}{found['title'] or ''})" if new else found["alt"]

    return _PICTURE.sub(instead, text)


def _code_in(text: str) -> list[int]:
    """Where code begins and ends, in turn: blocks between fences, and spans between backticks."""
    found: list[int] = []
    prose, fence, at = 0, "", 0
    for line in text.splitlines(keepends=True):
        begins = _FENCE.match(line)
        if not fence and begins:
            found += _spans(text, prose, at)
            found.append(at)
            fence = begins["fence"]
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence, prose = "", at + len(line)
            found.append(prose)
        at += len(line)
    return found if fence else [*found, *_spans(text, prose, at)]


def _spans(text: str, start: int, end: int) -> list[int]:
    runs = [(run.start(), run.end()) for run in _TICKS.finditer(text, start, end)]
    # of each length the runs that are still ahead, so that a text is gone through once
    ahead: dict[int, deque[tuple[int, int]]] = {}
    for run in runs:
        ahead.setdefault(run[1] - run[0], deque()).append(run)
    found, at = list[int](), start
    for begin, after in runs:
        same = ahead[after - begin]
        while same and same[0][0] <= max(begin, at - 1):
            same.popleft()
        if begin >= at and same:
            at = same[0][1]
            found += [begin, at]
    return found


def _instead(value: str, put: Put) -> str:
    if is_data(value) or kept_id(value):
        return put(value)
    styled = _STYLE.fullmatch(value) if value[:8].lstrip().lower().startswith("url(") else None
    if styled and (is_data(styled["address"]) or kept_id(styled["address"])):
        new = put(styled["address"])
        return f'url("{new}")' if new else ""
    return value


def addressed(
    payload: Mapping[str, Any],
    attachments: Sequence[Attached],
    address: Callable[[Attached], str] | None,
) -> Mapping[str, Any]:
    """The payload with addresses at which the kept files that are shown in it are got."""
    if not attachments or not address:
        return payload
    known = {f"{KEPT}{attached.id}": attached for attached in attachments}
    return with_files(payload, lambda name: address(known[name]) if name in known else name)


def _has_files(value: Any) -> bool:
    """Whether anything in it looks like one."""
    match value:
        case str():
            return any(mark in value for mark in _MARKS)
        case Mapping():
            return any(map(_has_files, cast(Mapping[Any, Any], value).values()))
        case list():
            return any(map(_has_files, cast(list[Any], value)))
        case _:
            return False


def _is_theirs(name: str) -> bool:
    return name in _THEIRS or name.endswith("Action")


def _is_markdown(key: str, inside: Json | None) -> bool:
    kind = inside["type"] if inside and "type" in inside else None
    return (key, kind) in (("text", "output_text"), ("value", "Markdown"), ("content", "custom"))
