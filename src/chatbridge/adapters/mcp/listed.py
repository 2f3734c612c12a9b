"""A server's list of tools, read for what can be offered of it, whatever form it has."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mcp_types import Tool

from chatbridge.domain.model.tool import DESCRIBED_BY

Json = Any

_HINTS = "chatbridge/hints"
_OWN = "chatbridge/schema"
"""Where in a schema that MCP's types take the server's own is."""
_COMPLETE: Mapping[str, Json] = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
_SCHEMAS = ("inputSchema", "input_schema", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTool:
    """A tool as its server describes it; of its schema nothing is known.

    `hints` are MCP's annotations: what its server says of what a call does. `described_by` is the
    name of a tool that says it in words of each call.
    """

    name: str
    description: str
    schema: Json
    hints: Mapping[str, Json] = field(default_factory=dict[str, Json])
    described_by: str = ""


def readable_list(result: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, str]]:
    """The list in the form that MCP's types take, and what can't be: why, by names.

    A mistake in what is not used costs nothing, and one in a schema is mended where all are.
    """
    left_out: dict[str, str] = {}
    tools: list[Json] = []
    for tool in map(_unwrapped, _tools(result.get("tools") or result.get("content"))):
        if isinstance(tool, dict) and isinstance(cast(Json, tool).get("name"), str):
            tools.append(_readable(cast(dict[str, Json], tool)))
        else:
            left_out[_label(tool)] = "it has no name that is a text"
    cursor = result.get("nextCursor")
    more = {} if cursor is None else {"nextCursor": _words(cursor)}
    return {**_COMPLETE, **more, "tools": tools}, left_out


def listed(tools: Iterable[Tool]) -> Iterator[ListedTool]:
    """The tools of a readable list."""
    for tool in tools:
        own = tool.input_schema.get(_OWN)
        hints: Json = tool.input_schema.get(_HINTS)
        yield ListedTool(
            name=tool.name,
            description=tool.description or "",
            schema=own,
            hints=hints,
            described_by=str(tool.input_schema.get(DESCRIBED_BY, "")),
        )


def _tools(given: Json) -> list[Json]:
    if isinstance(given, dict):
        named = cast(dict[str, Json], given)
        return [{"name": n, **tool} for n, tool in named.items() if isinstance(tool, dict)]
    return cast(list[Json], given) if isinstance(given, list) else []


def _unwrapped(tool: Json) -> Json:
    """The function of a tool that is described as OpenAI does."""
    match tool:
        case {"function": {"name": str(_)} as function}:
            return function
        case _:
            return tool


def _readable(tool: Mapping[str, Json]) -> dict[str, Json]:
    own: Json = next((tool[key] for key in _SCHEMAS if tool.get(key)), dict[str, Json]())
    if isinstance(own, str):
        own = _parsed(own)
    hints = tool.get("annotations")
    told: dict[str, Json] = {_OWN: own, _HINTS: hints if isinstance(hints, dict) else {}}
    meta = tool.get("_meta")
    if isinstance(meta, dict) and isinstance(name := cast(Json, meta).get(DESCRIBED_BY), str):
        told[DESCRIBED_BY] = name
    return {
        "name": tool["name"],
        "description": _words(tool.get("description")) or _words(tool.get("title")),
        "inputSchema": {**_for_the_client(own), "type": "object", **told},
    }


def _parsed(schema: str) -> Json:
    try:
        return json.loads(schema)
    except (ValueError, RecursionError):
        return schema


# The client reads in it which arguments a header repeats.
def _for_the_client(own: Json) -> dict[str, Json]:
    if not isinstance(own, dict):
        return {}
    kept = {k: v for k, v in cast(dict[str, Json], own).items() if k not in ("$schema", "required")}
    named: Json = kept.pop("properties", None)
    if isinstance(named, dict):
        found = cast(dict[str, Json], named).items()
        kept["properties"] = {k: v for k, v in found if isinstance(v, dict | bool)}
    return kept


def _words(given: Json) -> str:
    match given:
        case None:
            return ""
        case str():
            return given
        case list():
            return "\n".join(map(_words, cast(list[Json], given)))
        case _:
            return json.dumps(given, ensure_ascii=False)


def _label(tool: Json) -> str:
    return str(cast(Json, tool).get("name") if isinstance(tool, dict) else tool)[:100]
