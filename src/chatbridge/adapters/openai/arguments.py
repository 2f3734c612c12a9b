"""The arguments of a tool call: text that a model wrote and that should be a JSON object."""

import json
import math
from typing import Any, cast

from chatbridge.domain.model.message import cleaned

_DEEPEST = 100


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
