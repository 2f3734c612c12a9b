"""What a message chooses of what it may: who answers it, and the tool to begin with."""

from collections.abc import Callable
from dataclasses import dataclass

from chatbridge.domain.model.message import Message


@dataclass(frozen=True, slots=True)
class Choice:
    """Names as they are offered to people; None: as it is set."""

    model: str | None = None
    tool: str | None = None


Chosen = Callable[[Message], Choice]


def nothing_chosen(_: Message) -> Choice:
    """A message chooses nothing."""
    return Choice()
