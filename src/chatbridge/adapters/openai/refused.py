"""What of a request an endpoint has refused by its name, so that it can be asked without it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Json = dict[str, Any]
Path = tuple[str, ...]

# Without these it would be another request, or none.
_NEEDED = {
    "model",
    "messages",
    "input",
    "instructions",
    "tools",
    "response_format",
    "text",
    "prompt",
}
_NEEDED_WITHIN = {
    "role",
    "content",
    "type",
    "name",
    "function",
    "parameters",
    "arguments",
    "id",
    "call_id",
    "tool_calls",
    "tool_call_id",
    "output",
    "text",
}
_REFUSES = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|support|permitted|allowed|forbidden|extra|unexpected|"
    r"invalid|additional propert|no such|cannot find|can't find|not.{0,12}valid|disallow|refuse",
    re.I,
)
_WORD = re.compile(r"[A-Za-z_][\w]*(?:(?:\.|\[|\]\.?)+\w+)*\]?")
_QUOTED = re.compile(r"['\"`]([\w.\[\] -]{1,120})['\"`]")
_AT_THE_END = re.compile(r"(?:supplied|parameters?|arguments?|fields?|names?|keys?)\s*:\s*(\w+)")
_TOOL_PLACE = re.compile(r"(?:function_declarations|tools)[.\[]+(\d+)")
_ITS_WORDS = {"message", "msg", "detail", "error", "reason", "description", "error_description"}
_SCHEMA = re.compile(
    r"schema|parameter|declaration|propert|definition|invalid (?:function|tool)", re.I
)
# the model's own call was refused, not the tool that was offered
_ABOUT_A_CALL = re.compile(
    r"tool_use_failed|did not match|failed_generation|call validation|generated", re.I
)
_EVERY = "*"


@dataclass(slots=True)
class Refused:
    """What one endpoint refuses of the requests for one model; nothing of it is sent again.

    `paths` are names within a request, with `*` for each of a list; `tools` whole tools as JSON, so
    that one whose schema changes is offered again.
    """

    paths: set[Path] = field(default_factory=set[Path])
    tools: set[str] = field(default_factory=set[str])

    def learn(self, refusal: Any, request: Json) -> list[str]:
        """Take in a refusal of the request; answers what is newly known to be refused."""
        paths = {p for p in _paths(refusal, request) if p not in self.paths}
        self.paths |= paths
        if paths:
            return [".".join(path) for path in sorted(paths)]
        tool = _tool(refusal, request)
        if tool is None or json.dumps(tool) in self.tools:
            return []
        self.tools.add(json.dumps(tool))
        return [f"the tool {_name(tool)}"]

    def leave_out(self, request: Json) -> None:
        """Take what is refused out of the request."""
        offered = _tools(request)
        if self.tools and offered:
            request["tools"] = [tool for tool in offered if json.dumps(tool) not in self.tools]
        if offered and not request.get("tools"):
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                request.pop(name, None)
        for path in self.paths:
            _remove(request, path)


def _paths(refusal: Any, request: Json) -> Iterator[Path]:
    """The places in the request that the refusal names and that it can do without."""
    for named in _named(refusal):
        path = _found(request, named)
        if path and _can_go(request, path):
            yield path


def _named(refusal: Any) -> Iterator[list[str]]:
    """The names in a refusal as steps: by its fields, or else by its words."""
    objects = [*_objects(refusal)]
    fields = [_steps(each.get("loc") or each.get("param")) for each in objects]
    yield from (steps for steps in fields if steps)
    for text in _texts(refusal):
        if not _REFUSES.search(text):
            continue
        places = [_steps(place) for place in _QUOTED.findall(text)]
        words = [w for w in _WORD.findall(text) if "_" in w or "[" in w or "." in w]
        places += [_steps(word) for word in (*words, *_AT_THE_END.findall(text))]
        yield from places
        # Unknown name "strict" at 'tools[0].function'
        yield from ([*at, *name] for at in places for name in places if len(at) > 1 > len(name) - 1)


def _steps(named: Any) -> list[str]:
    if isinstance(named, list):
        return [str(step) for step in cast(list[Any], named)]
    return re.findall(r"[\w-]+", named) if isinstance(named, str) else []


def _found(request: Json, steps: list[str]) -> Path | None:
    """Where in the request these steps lead; steps that it does not have are passed over."""
    at: Any = request
    path: list[str] = []
    for step in steps:
        if isinstance(at, dict) and step in at:
            at = cast(Json, at)[step]
            path.append(step)
        elif isinstance(at, list) and step.isdecimal() and int(step) < len(cast(list[Any], at)):
            at = cast(list[Any], at)[int(step)]
            path.append(_EVERY)
    if path and path[-1] == steps[-1]:
        return tuple(path)
    return None if len(steps) > 1 else _within_tools(request, steps[-1:])


# A name alone may be one of a tool's.
def _within_tools(request: Json, steps: list[str]) -> Path | None:
    for tool in _tools(request):
        for path in (("tools", _EVERY), ("tools", _EVERY, "function")):
            at: Any = tool.get("function") if len(path) > 2 else tool
            if steps and isinstance(at, dict) and steps[0] in at:
                return (*path, steps[0])
    return None


def _can_go(request: Json, path: Path) -> bool:
    if "parameters" in path[:-1]:
        return False
    if len(path) == 1:
        return path[0] not in _NEEDED
    return path[-1] != _EVERY and (path[-1] not in _NEEDED_WITHIN or _is_null(request, path))


# An empty content may go, though content may not.
def _is_null(request: Json, path: Path) -> bool:
    return path[-1] == "content" and any(at.get(path[-1], "") is None for at in _at(request, path))


def _at(request: Json, path: Path) -> list[Json]:
    """The objects that have the last step of the path."""
    reached: list[Any] = [request]
    for step in path[:-1]:
        reached = [more for at in reached for more in _further(at, step)]
    return [cast(Json, at) for at in reached if isinstance(at, dict) and path[-1] in at]


def _further(at: Any, step: str) -> list[Any]:
    if isinstance(at, list):
        return cast(list[Any], at) if step == _EVERY else []
    return [cast(Json, at)[step]] if isinstance(at, dict) and step in at else []


def _remove(request: Json, path: Path) -> None:
    for at in _at(request, path):
        if path[-1] != "content" or at["content"] is None:
            del at[path[-1]]


def _tool(refusal: Any, request: Json) -> Json | None:
    """The one tool that the refusal is about, by its place or by its name."""
    tools = _tools(request)
    places = [".".join(_steps(o.get("loc") or o.get("param"))) for o in _objects(refusal)]
    texts = [*_texts(refusal)]
    for text in (*places, *texts):
        found = [int(place) for place in _TOOL_PLACE.findall(text)]
        if found and found[-1] < len(tools):
            return tools[found[-1]]
    if _ABOUT_A_CALL.search(json.dumps(refusal)):
        return None
    quoted = {name for text in texts if _SCHEMA.search(text) for name in _QUOTED.findall(text)}
    return next((tool for tool in tools if _name(tool) in quoted), None)


def names_of_tools(request: Json) -> set[str]:
    """What the tools of a request are called."""
    return {_name(tool) for tool in _tools(request)}


def _tools(request: Json) -> list[Json]:
    given: Any = request.get("tools")
    listed = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Json, tool) for tool in listed if isinstance(tool, dict)]


def _name(tool: Json) -> str:
    function: Any = tool.get("function")
    return str((cast(Json, function) if isinstance(function, dict) else tool).get("name") or "")


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, Mapping):
        yield cast(Json, value)
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = cast(Mapping[str, Any], value).values()
    elif isinstance(value, list):
        inner = cast(list[Any], value)
    for each in inner:
        yield from _objects(each)


# What the endpoint says itself: it may repeat beside it what a person or a model has said.
def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in _objects(value):
        yield from (
            text for key, text in each.items() if key in _ITS_WORDS and isinstance(text, str)
        )
