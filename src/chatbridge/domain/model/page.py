"""One page of a long list, and where the next one begins."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from chatbridge.domain.model.errors import Invalid

Order = Literal["asc", "desc"]
T = TypeVar("T")

MAX_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """At most `limit` entries (1-100), after the cursor `after` that an earlier page gave."""

    limit: int = 20
    after: str | None = None
    order: Order = "asc"

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise Invalid(f"limit must be from 1 to {MAX_LIMIT}.", code="invalid_limit")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries and the cursor of the next page; None when there is no further entry."""

    items: tuple[T, ...]
    next: str | None = None


def invalid_cursor() -> Invalid:
    """What a repository raises for a cursor that it never gave out."""
    return Invalid("`after` must be a cursor from an earlier page.", code="invalid_cursor")
