"""The arguments of a tool call: text that a model wrote and that should be a JSON object."""

import json
from typing import Any, cast

from chatbridge.domain.model.message import cleaned


def parsed_arguments(text: str) -> dict[str, Any] | None:
    """The arguments by name, storable throughout; None if they are not a JSON object."""
    parsed = _parsed(text or "{}")
    return _clean(parsed) if isinstance(parsed, dict) else None


def storable_arguments(text: str) -> str:
    """The text as it is, unless it holds or spells a NUL or a lone surrogate."""
    plain = cleaned(text)
    if "\\u" not in plain:
        return plain
    parsed = _parsed(plain)
    clean = _clean(parsed)
    return plain if clean == parsed else json.dumps(clean, ensure_ascii=False)


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
