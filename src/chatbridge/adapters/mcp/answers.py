"""A tool's result as it came, read for the words in it; what has none is named."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from mcp_types.methods import validate_server_result
from pydantic import ValidationError

from chatbridge.adapters.mcp.contents import CONTENTS, Apart, content_of

WITHOUT_WORDS = "The tool answered without words."
LONGEST_OUTPUT = 50_000
"""The characters of an answer that are shown."""
_LONGEST_LABEL = 100
_LONGEST_UNKNOWN = 1_000
_MOST_VALUES = 1_000
_ASKS_BACK = "The tool asks for more input than its arguments, in a way that is not supported."
_ENVELOPE = ("_meta", "resultType", "isError")

Json = Any


def legible(result: Mapping[str, Json], version: str | None = None) -> dict[str, Json]:
    """The result as one text, in the form that MCP's types take, whatever form it had, and what it
    holds for programs; one that asks for more stays as it is, where this version of the protocol
    has such.

    What servers send besides the revisions' forms is read too: `content` that is a text or one
    block, `toolResult` (2024-10), kinds of blocks that are not known, or none of these.
    """
    if result.get("resultType") == "input_required":
        return {**result} if _can_be_asked(result, version) else _complete(_ASKS_BACK, failed=True)
    blocks, failed = _blocks(_content(result)), _has_failed(result)
    apart = Apart(result.get("structuredContent"))
    data, hidden = apart.data, apart.hidden
    held = [each for block in blocks if (each := content_of(block))]
    # what servers have in their data they often have in a block as well
    known = {each.get("file") for each in held}
    held += [each for each in apart.files if each["file"] not in known]
    said = [hidden(words) for block in blocks if (words := _said(block)).strip()]
    named = [hidden(words) for block in blocks if (words := _said(block) or _named(block)).strip()]
    words = _with_data("\n".join(said), "\n".join(named), data)
    words = words or ("" if held else _without_words(failed))
    return _complete(words, failed=failed) | _for_programs(
        {**result, "structuredContent": data}, held
    )


def _can_be_asked(result: Mapping[str, Json], version: str | None) -> bool:
    if version is None:
        return False
    try:
        validate_server_result("tools/call", version, {**result})
    except (KeyError, ValidationError):
        return False
    return True


def _complete(words: str, *, failed: bool) -> dict[str, Json]:
    content = [{"type": "text", "text": words}]
    return {"resultType": "complete", "content": content, "isError": failed}


def _for_programs(result: Mapping[str, Json], held: Sequence[Mapping[str, str]]) -> dict[str, Json]:
    # the older revisions know no other kind of either
    given = {name: result.get(name) for name in ("structuredContent", "_meta")}
    told = {n: cast(dict[str, Json], each) for n, each in given.items() if isinstance(each, dict)}
    if held or CONTENTS in told.get("_meta", ()):
        told["_meta"] = {**told.get("_meta", {}), CONTENTS: [*held]}
    return {**told}


def added(words: str, data: Json, longest: int) -> str:
    """The words of an error, and its data where that adds something."""
    if not data or _holds(words, data):
        return words
    return f"{words}\n{_as_text(data)[:longest]}"


def _content(result: Mapping[str, Json]) -> Json:
    for key in ("content", "toolResult"):
        if result.get(key) not in (None, [], ""):
            return result[key]
    others = {k: v for k, v in result.items() if k not in (*_ENVELOPE, "content", "toolResult")}
    if "structuredContent" in others or not others:
        return result["isError"] if _is_words(result.get("isError")) else None
    return others["error"] if [*others] == ["error"] else others


def _has_failed(result: Mapping[str, Json]) -> bool:
    said = result.get("isError")
    if said is None:
        return bool(result.get("error")) and result.get("content") is None
    return said.strip().lower() not in _NO if isinstance(said, str) else bool(said)


_NO = ("", "false", "0", "no", "none", "null")
_YES = ("true", "1", "yes")


def _is_words(said: Json) -> bool:
    if isinstance(said, str):
        return said.strip().lower() not in (*_NO, *_YES)
    return said not in ({}, []) and isinstance(said, dict | list)


def _blocks(content: Json) -> list[Json]:
    if content is None:
        return []
    return cast(list[Json], content) if isinstance(content, list) else [content]


def _said(block: Json) -> str:
    """The text of a block; empty where it has none."""
    match block:
        case {"type": "resource", "resource": resource}:
            return _held(resource)
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


def _held(resource: Json) -> str:
    """The text of a resource, which may be in another one or one of several."""
    match resource:
        case {"text": text} if text is not None:
            return _as_text(text)
        case {"resource": inner} | {"contents": inner}:
            return _held(inner)
        case list():
            return "\n".join(filter(None, map(_held, cast(list[Json], resource))))
        case str():
            return resource
        case _:
            return ""


def _named(block: Json) -> str:
    """What came, where it has no text, and nothing that is kept."""
    match block:
        case _ if content_of(block):
            return ""
        case {"type": "image"}:
            return f"A picture{_kind_of(block)} came, which can't be shown here."
        case {"type": "audio"}:
            return f"Audio{_kind_of(block)} came, which can't be played here."
        case {"type": "resource", "resource": dict()}:
            return f"A file{_kind_of(block['resource'], 'uri')} came, which can't be shown here."
        case {"type": "text"} | None:
            return ""
        case {"type": kind}:
            return _unknown(_label(kind), cast(dict[str, Json], block))
        case _:
            return ""


def _unknown(kind: str, block: Mapping[str, Json]) -> str:
    what = {key: value for key, value in block.items() if key != "type"}
    text = _as_text(what)
    if not what or {"data", "blob"} & what.keys() or len(text) > _LONGEST_UNKNOWN:
        return f"Something of an unknown kind ({kind}) came, which can't be read here."
    return f"Something of an unknown kind ({kind}) came: {text}"


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
    """The words, and the data where it adds something: the shorter first, so that both are read."""
    if data is None or (said and _holds(said[:LONGEST_OUTPUT], data)):
        return words
    parts = [part for part in (words, _as_text(data)) if part]
    return "\n".join(parts if len(words) <= LONGEST_OUTPUT // 2 else sorted(parts, key=len))


def _holds(text: str, data: Json) -> bool:
    """Whether every value of the data can be read in the text."""
    values = [*islice(_values(data), _MOST_VALUES + 1)]
    return len(values) <= _MOST_VALUES and all(_can_be_read(value, text) for value in values)


def _values(data: Json) -> Iterator[Json]:
    inner = cast(dict[str, Json], data).values() if isinstance(data, dict) else data
    if isinstance(data, dict | list):
        for each in cast(Iterable[Json], inner):
            yield from _values(each)
    else:
        yield data


def _can_be_read(value: Json, text: str) -> bool:
    if isinstance(value, str):
        return value in text or json.dumps(value, ensure_ascii=False)[1:-1] in text
    return json.dumps(value) in text


def _without_words(failed: bool) -> str:
    return "The tool failed without saying why." if failed else WITHOUT_WORDS
