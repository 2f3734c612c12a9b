"""A history whose calls are told in words, for templates that know users and assistants only."""

from collections.abc import Iterator
from typing import Any, cast

Json = dict[str, Any]

_USED = "I used {}({})."
_ANSWERED = "The tool {} answered:\n{}"


def has_calls(request: Json) -> bool:
    """Whether calls were made in what a request of either API has a model read."""
    return any(map(_is_of_a_call, _read(request)))


def tell_calls(request: Json) -> None:
    """Make each call a sentence of the assistant's, and what it brought one of the user's."""
    if "messages" in request:
        request["messages"] = [*_joined(_told(_read(request)), _text)]
    else:
        told = _joined(_told(_read(request)), _parts)
        request["input"] = [{"id": f"msg_told_{n}", **item} for n, item in enumerate(told)]


def _read(request: Json) -> list[Json]:
    given: Any = request.get("messages") or request.get("input")
    listed = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Json, each) for each in listed if isinstance(each, dict)]


def _is_of_a_call(item: Json) -> bool:
    kind = item.get("type")
    return (
        item.get("role") == "tool"
        or bool(item.get("tool_calls"))
        or kind in ("function_call", "function_call_output")
    )


def _told(items: list[Json]) -> Iterator[Json | tuple[str, str]]:
    """Items as they are, and who says what in place of those of calls."""
    names: dict[Any, str] = {}
    for item in items:
        calls = [item] if item.get("type") == "function_call" else item.get("tool_calls") or []
        for call in calls:
            names[call.get("call_id") or call.get("id")] = _function(call)["name"]
        if calls:
            said = [_said(item.get("content")), *map(_use, calls)]
            yield "assistant", "\n".join(filter(None, said))
        elif _is_of_a_call(item):
            name = names.get(item.get("call_id") or item.get("tool_call_id"), "")
            output = _said(item.get("output") or item.get("content"))
            yield "user", _ANSWERED.format(name, output)
        elif item.get("type") != "reasoning":
            yield item


def _use(call: Json) -> str:
    function = _function(call)
    return _USED.format(function["name"], function["arguments"])


def _function(call: Json) -> Json:
    return call.get("function") or call


def _said(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(
            str(part.get("text") or "(a picture)") for part in cast(list[Json], content)
        )
    return str(content or "")


def _joined(told: Iterator[Json | tuple[str, str]], form: Any) -> Iterator[Json]:
    """Messages, where what is told joins what the same one has said right before."""
    last: Json | None = None
    for each in told:
        if isinstance(each, tuple):
            role, text = each
            if last is not None and last.get("role") == role:
                last = {**last, **form(role, f"{_said(last.get('content'))}\n{text}")}
                continue
            each = {"role": role, **form(role, text)}
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _text(_: str, text: str) -> Json:
    return {"content": text}


def _parts(role: str, text: str) -> Json:
    if role == "user":
        return {"type": "message", "content": text}
    part: Json = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "status": "completed", "content": [part]}
