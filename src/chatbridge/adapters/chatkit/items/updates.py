"""What an item is after its updates, on its JSON: what a client shows that has seen them all."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, cast

Json = dict[str, Any]

CUT_OFF = "Thinking was cut off"


def updated(item: Mapping[str, Any], updates: Sequence[Mapping[str, Any]]) -> Json:
    """The item after these; an update that this version does not know, or that fits nothing in the
    item, changes nothing."""
    told = deepcopy(dict(item)) if updates else dict(item)
    for update in updates:
        try:
            _update(told, update)
        except (LookupError, TypeError, AttributeError):
            continue
    return told


def cut_off(item: Mapping[str, Any]) -> Json:
    """The item, of which nobody will tell an end, as the client is to leave it.

    A model's thoughts would look as if it still thought. Any other item stays as it was seen last.
    """
    match item:
        case {"workflow": {"type": "reasoning", **rest}} if not rest.get("summary"):
            folded = {"summary": {"title": CUT_OFF}, "expanded": False}
            return {**item, "workflow": {**item["workflow"], **folded}}
        case _:
            return {**item}


def _update(item: Json, update: Mapping[str, Any]) -> None:
    match update["type"]:
        case "widget.root.updated":
            item["widget"] = update["widget"]
        case "widget.component.updated":
            item["widget"] = _with_component(item["widget"], update)
        case "widget.streaming_text.value_delta":
            item["widget"] = _with_text(item["widget"], update)
        case "workflow.task.added":
            item["workflow"]["tasks"].insert(update["task_index"], update["task"])
        case "workflow.task.updated":
            item["workflow"]["tasks"][update["task_index"]] = update["task"]
        case "generated_image.updated":
            item["image"] = update["image"]
        case _:
            pass


def _with_component(node: Any, update: Mapping[str, Any]) -> Any:
    match node:
        case {"id": id} if id == update["component_id"]:
            return update["component"]
        case dict():
            parts = cast(Json, node)
            return {name: _with_component(part, update) for name, part in parts.items()}
        case list():
            return [_with_component(each, update) for each in cast(list[Any], node)]
        case _:
            return node


def _with_text(node: Any, update: Mapping[str, Any]) -> Any:
    match node:
        case {"id": id, "value": str(value)} if id == update["component_id"]:
            end = {"streaming": False} if update["done"] else {}
            return {**cast(Json, node), "value": value + update["delta"], **end}
        case dict():
            parts = cast(Json, node)
            return {name: _with_text(part, update) for name, part in parts.items()}
        case list():
            return [_with_text(each, update) for each in cast(list[Any], node)]
        case _:
            return node
