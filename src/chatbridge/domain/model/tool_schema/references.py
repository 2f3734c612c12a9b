"""Where the `$ref`s of a schema lead."""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote

Schema = Mapping[str, Any]


class References:
    """The places of one schema, by what may stand in a `$ref`.

    A place is the way to it from the root: `()` is the root itself. What is elsewhere has none.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        own = root.get("$id")
        self._own_address = own.partition("#")[0] if isinstance(own, str) else ""
        self._anchors = {anchor: at for at, anchor in _anchors(root)}

    def place(self, ref: Any) -> tuple[str, ...] | None:
        """Where it leads in the end, through other `$ref`s that stand alone; None: nowhere."""
        seen: set[tuple[str, ...]] = set()
        while True:
            at = self._place(ref)
            if at is None or at in seen:
                return None
            seen.add(at)
            target = self.at(at)
            if not isinstance(target, Mapping) or set(cast(Schema, target)) != {"$ref"}:
                return at if isinstance(target, Mapping | bool) else None
            ref = cast(Schema, target)["$ref"]

    def at(self, place: tuple[str, ...]) -> Any:
        """What stands there; None where there is nothing."""
        found: Any = self._root
        for step in place:
            found = _below(found, step)
        return found

    def _place(self, ref: Any) -> tuple[str, ...] | None:
        if not isinstance(ref, str):
            return None
        address, _, fragment = ref.partition("#")
        if address not in ("", self._own_address):
            return None
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment)
        steps = (step.replace("~1", "/").replace("~0", "~") for step in fragment.split("/")[1:])
        return tuple(steps)


def _below(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return cast(Schema, value).get(step)
    if isinstance(value, list) and step.isdecimal() and len(step) < 8:
        return next(iter(cast(list[Any], value)[int(step) :]), None)
    return None


def _anchors(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        found = cast(Schema, value)
        for name in (found.get("$anchor"), found.get("$id")):
            if isinstance(name, str) and name.lstrip("#"):
                yield at, name.lstrip("#")
        for step, part in found.items():
            yield from _anchors(part, (*at, step))
    elif isinstance(value, list):
        for number, part in enumerate(cast(list[Any], value)):
            yield from _anchors(part, (*at, str(number)))
