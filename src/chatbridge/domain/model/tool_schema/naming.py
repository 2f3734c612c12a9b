"""Names of arguments that every endpoint permits, and the way back to the tool's own."""

import copy
import re
from collections.abc import Container, Mapping
from itertools import count
from typing import Any, cast

from chatbridge.domain.model.tool_schema.parts import Schema, schemas_in

_LONGEST = 64
_PERMITTED = re.compile(rf"[a-zA-Z0-9_.-]{{1,{_LONGEST}}}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_.-]")
_VALUES = ("default", "examples", "enum")


def renamed(schema: Schema) -> tuple[Schema, dict[str, str]]:
    """A fitted schema whose properties have permitted names at every depth.

    And the tool's own names by those that stand for them, for `restored`.
    """
    names = {name for part in schemas_in(schema) for name in part.get("properties", {})}
    odd = sorted(name for name in names if not _PERMITTED.fullmatch(name))
    if not odd:
        return schema, {}
    shown: dict[str, str] = {}
    for name in odd:
        shown[name] = _free_name(name, {*names, *shown.values()})
    copied = copy.deepcopy(schema)
    for part in schemas_in(copied):
        _rename(part, shown)
    return copied, {new: name for name, new in shown.items()}


def restored(arguments: Any, own: Mapping[str, str]) -> Any:
    """The arguments under the tool's own names."""
    if not own:
        return arguments
    if isinstance(arguments, Mapping):
        named = cast(Mapping[str, Any], arguments)
        return {own.get(name, name): restored(value, own) for name, value in named.items()}
    if isinstance(arguments, list):
        return [restored(value, own) for value in cast(list[Any], arguments)]
    return arguments


def _rename(part: Schema, shown: Mapping[str, str]) -> None:
    for word in ("properties", "dependentSchemas", "dependentRequired"):
        if word in part:
            part[word] = {shown.get(name, name): each for name, each in part[word].items()}
    if "required" in part:
        part["required"] = [shown.get(name, name) for name in part["required"]]
    for name, others in part.get("dependentRequired", {}).items():
        part["dependentRequired"][name] = [shown.get(other, other) for other in others]
    # what it says of names was said of the tool's own
    part.pop("propertyNames", None)
    for word in _VALUES:
        if word in part:
            part[word] = restored(part[word], shown)


def _free_name(name: str, taken: Container[str]) -> str:
    plain = _FORBIDDEN.sub("_", name)[:_LONGEST] or "_"
    numbered = (f"{plain[: _LONGEST - len(end)]}{end}" for n in count(2) if (end := f"_{n}"))
    return plain if plain not in taken else next(each for each in numbered if each not in taken)
