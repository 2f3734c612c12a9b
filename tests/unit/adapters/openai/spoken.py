"""Input items of the Agents SDK in short: who says what, and what is called."""

from collections.abc import Iterable
from typing import Any

from agents import TResponseInputItem


def spoken(items: Iterable[TResponseInputItem]) -> list[tuple[str, str]]:
    """A pair for each: the role and the text, or `call` and its name, or `output` and its text."""
    return [_short(item) for item in items]


def _short(item: Any) -> tuple[str, str]:
    if item["type"] == "function_call":
        return "call", item["name"]
    if item["type"] == "function_call_output":
        return "output", item["output"]
    content = item["content"]
    whole = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return item["role"], whole
