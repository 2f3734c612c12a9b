"""What a host's own server is given as its context, or an agent's tools besides: who asks."""

import importlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from chatbridge.domain.model.asked import Asked

ContextOf = Callable[[Asked], Any]
"""A host's function; what it answers, or what that brings when it is awaited, is given."""


def plain_context(asked: Asked) -> dict[str, Any]:
    """What a server is given as its context where the host makes none: all of it, as a dict."""
    return asdict(asked)


def nothing_more(_: Asked) -> None:
    """A host adds nothing."""


def load_context(entry: str | None) -> ContextOf:
    """The function at `module:attribute` that makes a context. Raises ValueError."""
    if entry is None:
        return plain_context
    module, _, attribute = entry.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"CHATBRIDGE_SERVER__CONTEXT must read module:function, and {entry!r} can't be found."
        ) from error
    if not callable(found):
        raise ValueError(f"CHATBRIDGE_SERVER__CONTEXT names {entry}, which is no function.")
    return found
