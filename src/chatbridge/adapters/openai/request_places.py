"""Places in a request: names that lead to something, with `*` for each of a list."""

import re
from collections.abc import Iterator
from typing import Any, cast

Json = dict[str, Any]
Path = tuple[str, ...]

EVERY = "*"
_ALSO = {
    "parallel_tool_calls": r"parallel (?:function|tool)[ -]?call(?:s|ing)|single tool[ -]?calls?",
    "stream": r"streaming|\u6d41\u5f0f",
}

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


def all_paths(request: Any, at: Path = ()) -> Iterator[Path]:
    """Each place in a request, but for those in schemas."""
    if isinstance(request, list):
        for each in cast(list[Any], request):
            yield from all_paths(each, (*at, EVERY))
    elif isinstance(request, dict):
        for name, value in cast(Json, request).items():
            yield (*at, name)
            if name not in ("parameters", "schema", "metadata", "content"):
                yield from all_paths(value, (*at, name))


def found(request: Json, steps: list[str]) -> Path | None:
    """Where in the request these steps lead; steps that it does not have are passed over."""
    at: Any = request
    path: list[str] = []
    last = False
    for step in steps:
        last = True
        if isinstance(at, dict) and (name := _key(cast(Json, at), step)):
            at = cast(Json, at)[name]
            path.append(name)
        elif isinstance(at, list) and step.isdecimal() and int(step) < len(cast(list[Any], at)):
            at = cast(list[Any], at)[int(step)]
            path.append(EVERY)
        else:
            last = False
    if path and last:
        return tuple(path)
    of_a_tool = len(steps) == 1 or path == ["tools", EVERY]
    return _within_tools(request, steps[-1]) if of_a_tool else None


def _key(at: Json, step: str) -> str | None:
    """The key that is meant, in whatever case it is written."""
    plain = _plain(step)
    return step if step in at else next((key for key in at if _plain(key) == plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[_-]", "", name.lower())


# A name alone may be one of a tool's.
def _within_tools(request: Json, step: str) -> Path | None:
    for tool in tools_of(request):
        for path in (("tools", EVERY), ("tools", EVERY, "function")):
            at: Any = tool.get("function") if len(path) > 2 else tool
            if isinstance(at, dict) and (name := _key(cast(Json, at), step)):
                return (*path, name)
    return None


def things_at(request: Json, path: Path) -> list[Json]:
    """The objects that have the last step of the path."""
    reached: list[Any] = [request]
    for step in path[:-1]:
        reached = [more for at in reached for more in _further(at, step)]
    return [cast(Json, at) for at in reached if isinstance(at, dict) and path[-1] in at]


def _further(at: Any, step: str) -> list[Any]:
    if isinstance(at, list):
        return cast(list[Any], at) if step == EVERY else []
    return [cast(Json, at)[step]] if isinstance(at, dict) and step in at else []


def remove(request: Json, path: Path) -> None:
    """Take out what stands there, and what is left of its holder says nothing more."""
    for at in things_at(request, path):
        if path[-1] != "content" or at["content"] is None:
            del at[path[-1]]
    holder = path[:-1]
    held = bool(holder) and holder[-1] not in _NEEDED | _NEEDED_WITHIN | {EVERY}
    if held and any(not at[holder[-1]] for at in things_at(request, holder)):
        remove(request, holder)


def can_go(request: Json, path: Path) -> bool:
    """Whether the request is the same without it."""
    if "parameters" in path[:-1]:
        return False
    if len(path) == 1:
        return path[0] not in _NEEDED
    if path == ("input", EVERY, "id"):  # a call and its output have a `call_id`
        return True
    return path[-1] != EVERY and (path[-1] not in _NEEDED_WITHIN or _is_null(request, path))


# An empty content may go, though content may not.
def _is_null(request: Json, path: Path) -> bool:
    return path[-1] == "content" and any(
        at.get(path[-1], "") is None for at in things_at(request, path)
    )


def without_content(request: Json) -> list[Json]:
    """The messages that have no content, or nothing in its place."""
    given: Any = request.get("messages")
    listed = cast(list[Any], given) if isinstance(given, list) else []
    messages = [cast(Json, each) for each in listed if isinstance(each, dict)]
    return [message for message in messages if message.get("content") is None]


def give_empty_contents(request: Json) -> None:
    """Give each of them an empty text."""
    for message in without_content(request):
        message["content"] = ""


# A name of several words, however it is written: `streamOptions`, "parallel tool calls".
def spelt(name: str) -> re.Pattern[str]:
    """Where it is meant in a sentence."""
    words = "[ _-]?".join(map(re.escape, name.split("_"))) if "_" in name else "(?!)"
    words = rf"(?:{words}|{_ALSO[name]})" if name in _ALSO else words
    return re.compile(rf"(?<![\w.-]){words}(?!\w)", re.I | re.A)


def tools_of(request: Json) -> list[Json]:
    """The tools that a request offers."""
    given: Any = request.get("tools")
    listed = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Json, tool) for tool in listed if isinstance(tool, dict)]


def name_of(tool: Json) -> str:
    """What a tool is called, by either API."""
    function: Any = tool.get("function")
    return str((cast(Json, function) if isinstance(function, dict) else tool).get("name") or "")
