"""What a model says that is asked for a title, without what models put around it."""

import json
import re
from typing import Any, cast
from unicodedata import category

from chatbridge.domain.model.conversation import title_from

_LONGEST = 120
_ALIKE = re.compile(r"^([\"'`*_~]+)((?:(?!\1).)+)\1$")
_QUOTED = re.compile(r"^[“„”«»‹「『《〈【‘‚]([^“”„«»]+)[”“»«›」』》〉】’‘]$")  # noqa: RUF001
_MARK = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+•–—]\s+|\d{1,2}[.)]\s+)+")  # noqa: RUF001
_LINK = re.compile(r"!?\[([^\[\]]+)\]\([^()]*(?:\([^()]*\))?[^()]*\)")
_TAG = re.compile(r"</?\w{1,20}>")
_LABEL = re.compile(
    r"^[*_\"]*(?:(?:sure|ok|okay|certainly)[!,.]\s+)?"
    r"(?:(?:conversation|chat|suggested|short|the|my|here(?:['\u2019]s| is) (?:a|the))\s+){0,3}"
    r"(?:title|titel|titre|título|titulo|titolo|название|заголовок|tytuł|标题|標題|タイトル|"
    r"제목|(?:ال)?عنوان|शीर्षक)[*_\"]*\s*(?:[:\uff1a]|\s[-\u2013\u2014]|\bis\b:?)[*_]*\s*",
    re.I,
)
_FULL_STOP = re.compile(r"(?<!\.\w)(?<!\.)[.。।\uff0e]$")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn")
_JOINERS = "\u200c\u200d"


def said_title(said: str) -> str | None:
    """The title, None where there is none in it.

    It stands alone, or in the first line that is one: models say "Sure, here is a title:" before
    it, put it between quotes or marks of Markdown, and end it as a sentence.
    """
    for line in _lines(said):
        title = _bare(line)
        if title and not title.endswith((":", "\uff1a")):
            return None if len(title) > _LONGEST else title_from(title)
    return None


def _lines(said: str) -> list[str]:
    text = said.strip()
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        return [line for line in text.splitlines() if not line.lstrip().startswith("```")]
    if isinstance(given, dict):
        told = [v for v in cast(dict[str, Any], given).values() if isinstance(v, str)]
        return told[:1]
    return [given] if isinstance(given, str) else [text]


def _bare(line: str) -> str:
    """A line without its marks, as often as there are some within others."""
    title = " ".join("".join(char for char in line if _is_seen(char)).split())
    while True:
        less = _TAG.sub("", _MARK.sub("", _LINK.sub(r"\1", title))).strip()
        less = _QUOTED.sub(r"\1", _ALIKE.sub(r"\2", less)).strip()
        less = _FULL_STOP.sub("", _LABEL.sub("", less)).strip()
        if less == title:
            break
        title = less
    return title if any(char.isalnum() or category(char) == "So" for char in title) else ""


def _is_seen(char: str) -> bool:
    return char in _JOINERS or char.isspace() or category(char) not in _INVISIBLE
