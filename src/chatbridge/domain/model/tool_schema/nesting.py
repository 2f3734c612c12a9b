"""How deep JSON is nested, found without recursion."""

from collections.abc import Mapping
from typing import Any, cast


def deeper_than(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested in more than this many levels."""
    at_this_level = [value]
    for _ in range(levels):
        at_this_level = [part for whole in at_this_level for part in _parts(whole)]
        if not at_this_level:
            return False
    return any(isinstance(value, Mapping | list | tuple) for value in at_this_level)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(cast(Mapping[str, Any], value).values())
    return list(cast(list[Any], value)) if isinstance(value, list | tuple) else []
