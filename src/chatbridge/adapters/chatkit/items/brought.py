"""What a tool has brought besides its text, below the line of its call."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from chatbridge.domain.model.attachment import Attached, Link
from chatbridge.domain.model.tool_call import ToolCall

AUDIO = "chatbridge-audio"
"""The key of what is played where it can be; its one link leads to the bytes."""

Address = Callable[[Attached], str]

_PICTURE = {"fit": "contain", "position": "left", "maxHeight": 320}
_UNITS = ("bytes", "kB", "MB", "GB")
_MARKUP = re.compile(r"[\\`*_{}\[\]()<>#+.!|~&:$@-]")
_UNFIT = re.compile(r"[\s<>()\\]")


def brought(call: ToolCall, address: Address | None) -> list[dict[str, Any]]:
    """Pictures, sound, files and links; files by their names alone where nobody can say where they
    are got."""
    files = [_file(file, address) for file in call.files]
    return [*files, *(_markdown(_link(link)) for link in call.links)]


def size_of(count: int) -> str:
    """So many bytes, as people read it."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if size >= 10 or not unit else f"{size:.1f} {_UNITS[unit]}"


def _file(file: Attached, address: Address | None) -> dict[str, Any]:
    name = f"{_plain(file.name)} ({size_of(file.size)})"
    if not address:
        return _markdown(name)
    if file.is_image:
        shown = {"type": "Image", "src": address(file), "alt": file.name, **_PICTURE}
        # a small one is not drawn out to the width of the card
        return {"type": "Col", "align": "start", "children": [shown]}
    told = _markdown(f"[{name}]({address(file)})")
    if file.media_type.startswith("audio/"):
        return {"type": "Col", "key": AUDIO, "children": [told]}
    return told


def _link(link: Link) -> str:
    """A link where it leads to a page; any other address is a text."""
    try:
        leads = urlsplit(link.uri).scheme in ("http", "https") and not _UNFIT.search(link.uri)
    except ValueError:
        leads = False
    if leads:
        return f"[{_plain(link.name)}]({link.uri})"
    told = [_plain(link.name)] if link.name != link.uri else []
    return " ".join([*told, _plain(link.uri)])


def _markdown(words: str) -> dict[str, Any]:
    return {"type": "Markdown", "value": words}


def _plain(name: str) -> str:
    """A name that says nothing in Markdown; with a backslash a bracket would begin a formula."""
    return _MARKUP.sub(lambda mark: f"&#{ord(mark[0])};", name)
