"""What others have said, where it is worth a line of the log only for who wants their words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """As an argument of a log line it leaves the whole line out, unless words are let through."""

    said: str

    def __str__(self) -> str:
        return "..."
