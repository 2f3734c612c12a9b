"""The text in a content, whatever shape an endpoint gives it."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from chatbridge.adapters.openai.thinking import Said

_NAMES = (
    "thinking",
    "reasoning",
    "text",
    "output_text",
    "content",
    "summary",
    "value",
    "refusal",
    "parts",
)


def texts(content: Any) -> Iterator[Said]:
    """The texts of a content: one text, or a list of parts, some of which may be thinking."""
    if isinstance(content, str):
        yield Said("answer", content)
    elif isinstance(content, list):
        for part in cast(list[Any], content):
            yield from texts(part)
    elif isinstance(content, Mapping):
        part = cast(Mapping[str, Any], content)
        kind = str(part.get("type") or "text").lower()
        thinks = any(word in kind for word in ("think", "reason", "thought"))
        if thinks or part.get("thought") is True:
            yield Said("thinking", plain(part))
        elif "tool" not in kind:
            yield from texts(next((part[name] for name in _NAMES if part.get(name)), None))
    elif content is not None:
        yield Said("answer", plain(content))


def answer_in(content: Any) -> str:
    """The texts of a content that are no thinking."""
    return "".join(said.text for said in texts(content) if said.kind == "answer")


def plain(value: Any) -> str:
    """All the text in it."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "".join(plain(each) for each in cast(list[Any], value))
    if isinstance(value, Mapping):
        told = cast(Mapping[str, Any], value)
        return next((plain(told[name]) for name in _NAMES if told.get(name)), "")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
