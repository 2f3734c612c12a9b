"""A history whose calls are told in words, for who does not take them as they were made."""

from collections.abc import Callable, Iterator
from typing import Any, cast

Json = dict[str, Any]

THOUGHT = "reasoning_content"
_USED = "I used {}({})."
_ANSWERED = "The tool {} answered:\n{}"


def has_calls(request: Json) -> bool:
    """Whether calls were made in what a request of either API has a model read."""
    return any(map(_is_of_a_call, _read(request)))


def lacks_thoughts(request: Json) -> bool:
    """Whether there are messages that call, and do not say what was thought before."""
    return any(map(_is_unthought, _read(request)))


def give_empty_thoughts(request: Json) -> None:
    """Say of each of these messages that nothing was thought."""
    for message in filter(_is_unthought, _read(request)):
        message[THOUGHT] = message.get(THOUGHT) or ""


def tell_calls_without_thoughts(request: Json) -> None:
    """Tell of these in words; the calls of the running turn have their thoughts, and stay."""
    tell_calls(request, _is_unthought)


def tell_calls(request: Json, told_of: Callable[[Json], bool] = bool) -> None:
    """Make each call a sentence of the assistant's, and what it brought one of the user's."""
    if "messages" in request:
        request["messages"] = [*_joined(_told(_read(request), told_of), _text)]
    else:
        told = _joined(_told(_read(request), told_of), _parts)
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


def _is_unthought(item: Json) -> bool:
    return bool(item.get("tool_calls")) and not item.get(THOUGHT)


def _told(items: list[Json], told_of: Callable[[Json], bool]) -> Iterator[Json | tuple[str, str]]:
    """Items as they are, and who says what in place of those of calls that are told of."""
    names: dict[Any, str] = {}
    kept: set[Any] = set()
    for item in items:
        calls = [item] if item.get("type") == "function_call" else item.get("tool_calls") or []
        of = item.get("call_id") or item.get("tool_call_id")
        stays = bool(calls) and not told_of(item)
        for call in calls:
            id = call.get("call_id") or call.get("id")
            kept |= {id} if stays else set()
            names[id] = _function(call)["name"]
        if stays or of in kept:
            yield item
        elif calls:
            said = [_said(item.get("content")), *map(_use, calls)]
            yield "assistant", "\n".join(filter(None, said))
        elif _is_of_a_call(item):
            output = _said(item.get("output") or item.get("content"))
            yield "user", _ANSWERED.format(names.get(of, ""), output)
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
