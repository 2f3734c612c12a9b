"""The arguments of a tool call: text that a model wrote and that should be a JSON object."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, cast

from chatbridge.domain.model.message import cleaned

_DEEPEST = 100
_FENCED = re.compile(r"\s*```\w*\s*(.*?)\s*```\s*", re.S)
_NOTHING = ("null", "None", "[]")


def meant_arguments(text: str) -> str:
    """The object of JSON that a model means by its text, or the text where it is none.

    It may stand in a fence of Markdown, be written as a text of JSON, or be told several times,
    each time at least what was there before.
    """
    bare = fenced[1] if (fenced := _FENCED.fullmatch(text)) else text.strip()
    if bare in _NOTHING:
        return "{}"
    if is_object(bare):
        return bare
    written = _parsed(bare)
    if isinstance(written, str):
        inner = meant_arguments(written)
        return inner if is_object(inner) else text
    return fullest(_values(bare)) or text


def fullest(texts: Iterable[str]) -> str | None:
    """The one of these objects that has all that is in the others; None if there is none."""
    told = [text for text in texts if text]
    most = max(told, key=len, default="")
    whole = _parsed(most)
    if not isinstance(whole, dict):
        return None
    return most if all(most.startswith(t) or has_all(most, t) for t in told) else None


def is_object(text: str) -> bool:
    """Whether the text is an object of JSON."""
    return isinstance(_parsed(text), dict)


def has_more(text: str) -> bool:
    """Whether the text is an object that has something in it."""
    return is_object(text) and not has_all("{}", text)


def has_all(text: str, of: str) -> bool:
    """Whether both are objects, and the one has all that is in the other."""
    part = _parsed(of)
    whole = _parsed(text) if isinstance(part, dict) else None
    if not isinstance(whole, dict):
        return False
    return cast(dict[str, Any], part).items() <= cast(dict[str, Any], whole).items()


def parsed_arguments(text: str) -> dict[str, Any] | None:
    """The arguments by name, storable throughout; None if they are not a JSON object.

    Nor are they one in more than 100 levels: the tool server's client can't write it.
    """
    parsed = _parsed(text or "{}")
    return _clean(parsed) if isinstance(parsed, dict) and _within(parsed, _DEEPEST) else None


def storable_arguments(text: str) -> str:
    """The text as it is, unless it holds or spells a NUL or a lone surrogate.

    `{}` where it may spell one in more than 100 levels.
    """
    plain = cleaned(text)
    if "\\u" not in plain:
        return plain
    parsed = _parsed(plain)
    if not _within(parsed, _DEEPEST):
        return "{}"
    clean = _clean(parsed)
    return plain if clean == parsed else json.dumps(clean, ensure_ascii=False)


def readable_arguments(text: str) -> str:
    """The text where it is an object of strict JSON, or else what can be read of it.

    That is: the last of two that have one name, null for what is no number of JSON, and `{}` for
    what is no object or deeper than 100 levels.
    """
    parsed = _parsed(text)
    if not isinstance(parsed, dict) or not _within(parsed, _DEEPEST):
        return "{}"
    kept = storable_arguments(text)
    try:
        json.loads(
            kept, object_pairs_hook=_once, parse_constant=_only_finite, parse_float=_only_finite
        )
    except ValueError:
        return json.dumps(_finite(_clean(parsed)), ensure_ascii=False)
    return kept


def _values(text: str) -> list[str]:
    """Each of the values of JSON that stand one behind the other, if that is all the text is."""
    found: list[str] = []
    while text:
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return []
        found.append(text[:end])
        text = text[end:].lstrip()
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, list):
        return [_clean(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {cleaned(k): _clean(v) for k, v in cast(dict[str, Any], value).items()}
    return value


def _within(value: Any, levels: int) -> bool:
    inner = cast(list[Any], value) if isinstance(value, list) else []
    if isinstance(value, dict):
        inner = [*cast(dict[str, Any], value).values()]
    return levels > 0 and all(_within(item, levels - 1) for item in inner)


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in cast(dict[str, Any], value).items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name that stands twice")
    return dict(pairs)


def _only_finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError("no number of JSON")
    return value
