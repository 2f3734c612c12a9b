"""What can be kept of what others show: cleaned of what no database holds, and bounded in size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from chatbridge.domain.model import refusals
from chatbridge.domain.model.limits import MAX_DATA, MAX_EVENT, MAX_LEVELS
from chatbridge.domain.model.message import cleaned, storable
from chatbridge.domain.model.turn_event import Revised, TurnEvent

E = TypeVar("E", bound=TurnEvent)


def keepable(event: E) -> E:
    """The event with NUL and lone surrogates replaced by U+FFFD, at all depths and in keys too.

    Raises AgentFailed: `shown_too_large` for more than 4 million characters or 200 levels,
    `metadata_too_large` for more than 65,536 or 200 of them in a conversation's metadata.
    """
    given = {field.name: getattr(event, field.name) for field in fields(event)}
    # of what is in a list of conversations, each has an end of its own
    if isinstance(event, Revised) and _size(event.metadata) > MAX_DATA:
        raise refusals.metadata_too_large()
    if sum(map(_size, given.values())) > MAX_EVENT:
        raise refusals.shown_too_large()
    changed = {name: new for name, old in given.items() if (new := _clean(old)) is not old}
    return replace(event, **changed) if changed else event


def _size(value: Any, room: int = MAX_LEVELS) -> float:
    """In characters, and endless with more levels than there is `room` for."""
    match value:
        case str():
            return len(value)
        case Mapping() | Sequence() if not room:
            return math.inf
        case Mapping():
            parts = cast(Mapping[Any, Any], value)
            within = sum(_size(part, room - 1) for part in parts.values())
            return len(parts) + sum(map(_size, parts)) + within
        case Sequence():
            entries = cast(Sequence[Any], value)
            return len(entries) + sum(_size(each, room - 1) for each in entries)
        case _:
            return 1


def _clean(value: Any) -> Any:
    """The value, or a cleaned one where something in it can't be kept."""
    match value:
        case str():
            return value if storable(value) else cleaned(value)
        case Mapping():
            parts = cast(Mapping[Any, Any], value)
            new = {_clean(key): _clean(part) for key, part in parts.items()}
            same = all(k in parts and parts[k] is part for k, part in new.items())
            return parts if same else new
        case list():
            old = cast(list[Any], value)
            entries = [_clean(each) for each in old]
            return old if all(a is b for a, b in zip(old, entries, strict=True)) else entries
        case _:
            return value
