"""What a widget lets a person do, as it is kept, and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from chatkit.actions import Action
from chatkit.types import WidgetItem

from chatbridge.domain.model import refusals

Json = dict[str, Any]


def require_offered(
    sender: WidgetItem, action: Action[str, Any], *, streaming: bool = True
) -> None:
    """Raises Conflict unless the widget offers this action with this payload.

    What the widget has fixed must come as it is; under the names of its controls more may come.
    What is disabled offers nothing, and what is a turn (`streaming`) is not offered without one.
    """
    widget = sender.widget.model_dump(mode="json", by_alias=True, exclude_none=True)
    names = set(_names(widget))
    offered = (
        each
        for each in _actions(widget)
        if each["type"] == action.type and (streaming or each.get("streaming") is False)
    )
    if not any(_fits(each.get("payload"), action.payload, names) for each in offered):
        raise refusals.action_not_offered()


def _actions(node: Any) -> Iterator[Json]:
    match node:
        case {"disabled": True}:
            return
        case dict():
            for name, value in cast(Json, node).items():
                if name.lower().endswith("action") and _is_for_us(value):
                    yield value
                yield from _actions(value)
        case list():
            for each in cast(list[Any], node):
                yield from _actions(each)
        case _:
            pass


def _is_for_us(value: Any) -> bool:
    match value:
        case {"type": str()}:
            return cast(Json, value).get("handler", "server") == "server"
        case _:
            return False


def _names(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for name in _named(cast(Json, node)):
                yield name.partition(".")[0]
            for value in cast(Json, node).values():
                yield from _names(value)
        case list():
            for each in cast(list[Any], node):
                yield from _names(each)
        case _:
            pass


def _named(node: Json) -> Iterator[str]:
    match node:
        case {"type": "Icon"}:
            pass
        case {"name": str(name)} | {"editable": {"name": str(name)}}:
            yield name
        case _:
            pass


def _fits(offered: Any, sent: Any, names: set[str]) -> bool:
    if not isinstance(sent, Mapping) or not isinstance(offered, Mapping | None):
        return _same(offered, sent)
    fixed = cast(Mapping[str, Any], offered or {})
    given = cast(Mapping[str, Any], sent)
    unchanged = all(name in given and _same(given[name], value) for name, value in fixed.items())
    return unchanged and all(name in fixed or name in names for name in given)


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: 1 is 1.0, and is not true."""
    match one, other:
        case (dict(), dict()):
            ones, others = cast(Json, one), cast(Json, other)
            return ones.keys() == others.keys() and all(_same(ones[k], others[k]) for k in ones)
        case (list(), list()):
            both = cast(list[Any], one), cast(list[Any], other)
            return len(both[0]) == len(both[1]) and all(map(_same, *both))
        case _:
            return one == other and isinstance(one, bool) == isinstance(other, bool)
