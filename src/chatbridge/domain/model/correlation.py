"""For which request and turn something is done: what log lines name, and tool servers are told."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from chatbridge.domain.model.identifiers import ConversationId, TurnId

REQUEST_KEY = "chatbridge/request-id"
"""Names the request to tool servers: what is logged here and there can be found together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """What is known of it; a turn outlives the request that has begun it, and keeps its id."""

    request_id: str | None = None
    conversation_id: ConversationId | None = None
    turn_id: TurnId | None = None


_NOBODYS = Correlation()
_correlation: ContextVar[Correlation] = ContextVar("correlation", default=_NOBODYS)


def correlation() -> Correlation:
    """That of whatever asks."""
    return _correlation.get()


@contextmanager
def in_request(request_id: str) -> Generator[None]:
    """What is done inside, and in tasks that begin there, is done for this request."""
    reset = _correlation.set(replace(_correlation.get(), request_id=request_id))
    try:
        yield
    finally:
        _correlation.reset(reset)


@contextmanager
def in_turn(conversation_id: ConversationId, turn_id: TurnId) -> Generator[None]:
    """The same for this turn."""
    named = replace(_correlation.get(), conversation_id=conversation_id, turn_id=turn_id)
    reset = _correlation.set(named)
    try:
        yield
    finally:
        _correlation.reset(reset)
