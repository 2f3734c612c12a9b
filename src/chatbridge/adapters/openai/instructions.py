"""Instructions in another place than the endpoint refuses: another role's, or a person's text."""

from typing import Any, cast

from chatbridge.adapters.openai.request_places import Json

_ROLES = ("system", "developer")


def has_instructions(request: Json) -> bool:
    """Whether a request of either API instructs the model."""
    return bool(request.get("instructions")) or any(map(_instructs, _read(request)))


def instruct_in_input(request: Json) -> None:
    """Give those of the Responses API as the first message of its input."""
    _instruct_as(request, "system")


def instruct_as_developer(request: Json) -> None:
    """Give them as OpenAI's newer models want them."""
    _instruct_as(request, "developer")


def instruct_as_user(request: Json) -> None:
    """Put them before the text of the first user's message."""
    _instruct_as(request, "developer")
    items = _read(request)
    text = "\n\n".join(str(item["content"]) for item in items if _instructs(item))
    others = [item for item in items if not _instructs(item)]
    first = next((n for n, item in enumerate(others) if item.get("role") == "user"), None)
    if first is None:
        others.insert(0, {"role": "user", "content": text})
    else:
        others[first] = {**others[first], "content": _before(text, others[first].get("content"))}
    request[_place(request)] = others


def _instruct_as(request: Json, role: str) -> None:
    items = [{**item, "role": role} if _instructs(item) else item for item in _read(request)]
    if text := request.pop("instructions", None):
        items.insert(0, {"type": "message", "role": role, "content": text})
    request[_place(request)] = items


def _before(text: str, content: Any) -> Any:
    if not isinstance(content, list):
        return f"{text}\n\n{content or ''}"
    parts = cast(list[Json], content)
    of_responses = any(str(part.get("type")).startswith("input_") for part in parts)
    return [{"type": "input_text" if of_responses else "text", "text": text}, *parts]


def _place(request: Json) -> str:
    return "messages" if "messages" in request else "input"


def _read(request: Json) -> list[Json]:
    given: Any = request.get(_place(request))
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    listed = cast(list[Any], given) if isinstance(given, list) else []
    return [cast(Json, each) for each in listed if isinstance(each, dict)]


def _instructs(item: Json) -> bool:
    return item.get("role") in _ROLES
