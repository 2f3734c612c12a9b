"""How long an answer is waited for, and how long it may be."""

from dataclasses import dataclass

FIRST_SECONDS = 120.0
IDLE_SECONDS = 30.0
MAX_SECONDS = 600.0
MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds without an event, before the model has brought anything (`first`) and after (`idle`).

    Comments that keep a connection open are no events. `max_seconds` and `max_characters` are for
    one answer, what it writes into tool calls included.
    """

    first: float = FIRST_SECONDS
    idle: float = IDLE_SECONDS
    max_seconds: float = MAX_SECONDS
    max_characters: int = MAX_CHARACTERS
