"""What a host's own server is given as its context, or an agent's tools besides: who asks."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from chatbridge.domain.model.asked import Asked
from chatbridge.ports.host_code import function_at

ContextOf = Callable[[Asked], Any]
"""A host's function; what it answers, or what that brings when it is awaited, is given."""


def plain_context(asked: Asked) -> dict[str, Any]:
    """What a server is given as its context where the host makes none: all of it, as a dict."""
    return asdict(asked)


def nothing_more(_: Asked) -> None:
    """A host adds nothing."""


def load_context(entry: str | None) -> ContextOf:
    """The function at `module:attribute` that makes a context. Raises ValueError."""
    return function_at("CHATBRIDGE_SERVER__CONTEXT", entry) if entry else plain_context
