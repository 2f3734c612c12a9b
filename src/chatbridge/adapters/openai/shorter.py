"""Half of what a model was given to read, where all of it was too long."""

import json
from typing import Any, cast


def shorter(given: Any) -> list[Any] | None:
    """The newer half of the items, from a person's message on; the last one always stays.

    None where there is no such half: a person's last message alone is never cut.
    """
    if not isinstance(given, list):
        return None
    items = cast(list[Any], given)
    sizes = [len(json.dumps(item, default=str)) for item in items]
    begins = [n for n, item in enumerate(items) if n and _is_persons(item)]
    if not begins:
        return None
    half = sum(sizes) / 2
    return items[next((n for n in begins if sum(sizes[n:]) <= half), begins[-1]) :]


def _is_persons(item: Any) -> bool:
    return isinstance(item, dict) and cast(dict[str, Any], item).get("role") == "user"
