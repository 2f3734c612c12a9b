"""A tool's result as it came, read for the words in it; what has none is named."""

import json
from collections.abc import Mapping
from typing import Any, cast

_SHORT = 1_000
_LONGEST_LABEL = 100

Json = Any


def legible(result: Mapping[str, Json]) -> dict[str, Json]:
    """The result as one text, in the form that MCP's types take, whatever form it had.

    What servers send besides the revisions' forms is read too: `content` that is a text or one
    block, `toolResult` (2024-10), kinds of blocks that are not known.
    """
    if result.get("resultType") == "input_required":
        return dict(result)
    content = result.get("content")
    blocks = _blocks(result.get("toolResult") if content is None else content)
    said = [words for block in blocks if (words := _said(block)).strip()]
    named = [words for block in blocks if (words := _said(block) or _named(block)).strip()]
    words = _with_data("\n".join(said), "\n".join(named), result.get("structuredContent"))
    failed = _is_true(result.get("isError"))
    return {
        "resultType": "complete",
        "content": [{"type": "text", "text": words or _without_words(failed)}],
        "isError": failed,
    }


def _blocks(content: Json) -> list[Json]:
    if content is None:
        return []
    return cast(list[Json], content) if isinstance(content, list) else [content]


def _said(block: Json) -> str:
    """The text of a block; empty where it has none."""
    match block:
        case {"type": "resource", "resource": {"text": str(text)}}:
            return text
        case {"type": "resource_link"} | {"uri": str(_), "name": str(_)}:
            return _link(cast(dict[str, Json], block))
        case {"text": None} | None:
            return ""
        case {"text": text}:
            return _as_text(text)
        case {"type": str(_)}:
            return ""
        case _:
            return _as_text(block)


def _named(block: Json) -> str:
    """What came, where it has no text."""
    match block:
        case {"type": "image"}:
            return f"A picture{_kind_of(block)} came, which can't be shown here."
        case {"type": "audio"}:
            return f"Audio{_kind_of(block)} came, which can't be played here."
        case {"type": "resource", "resource": dict()}:
            return f"A file{_kind_of(block['resource'], 'uri')} came, which can't be shown here."
        case {"type": "text"} | None:
            return ""
        case {"type": kind}:
            return f"Something of an unknown kind ({_label(kind)}) came, which can't be read here."
        case _:
            return ""


def _kind_of(block: Json, *more: str) -> str:
    found = cast(dict[str, Json], block)
    labels = [_label(found[name]) for name in ("mimeType", *more) if found.get(name)]
    return f" ({', '.join(labels)})" if labels else ""


def _link(block: Mapping[str, Json]) -> str:
    parts = (block.get("title") or block.get("name"), block.get("uri"))
    return ": ".join(_as_text(part) for part in parts if part)


def _label(value: Json) -> str:
    return " ".join(_as_text(value)[:_LONGEST_LABEL].split())


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _with_data(said: str, words: str, data: Json) -> str:
    """The words, and the data where the words are none, or too few to hold it."""
    if data is None or (said and (len(said) > _SHORT or _holds(said, data))):
        return words
    return "\n".join(part for part in (words, _as_text(data)) if part)


def _holds(text: str, data: Json) -> bool:
    """Whether every value of the data can be read in the text."""
    match data:
        case dict():
            return all(_holds(text, value) for value in cast(dict[str, Json], data).values())
        case list():
            return all(_holds(text, value) for value in cast(list[Json], data))
        case str():
            return data in text or json.dumps(data, ensure_ascii=False)[1:-1] in text
        case _:
            return json.dumps(data) in text


def _is_true(value: Json) -> bool:
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def _without_words(failed: bool) -> str:
    return "The tool failed without saying why." if failed else "The tool answered without words."
