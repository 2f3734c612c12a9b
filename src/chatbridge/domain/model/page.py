"""One page of a long list, and where the next one begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, TypeVar

from chatbridge.domain.model.limits import MAX_LIMIT, MAX_PAGE
from chatbridge.domain.model.message import Message, fitting, storable
from chatbridge.domain.model.refusals import invalid_cursor, invalid_limit

Order = Literal["asc", "desc"]
T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """At most `limit` entries (1-100), after the cursor `after` that an earlier page gave.

    A page of messages may be shorter than asked for: it has an end in bytes too.
    """

    limit: int = 20
    after: str | None = None
    order: Order = "asc"

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise invalid_limit()
        if self.after is not None and not storable(self.after):
            raise invalid_cursor()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries and the cursor of the next page; None when there is no further entry."""

    items: tuple[T, ...]
    next: str | None = None


def page_of(messages: Sequence[Message], limit: int, further: str | None = None) -> Page[Message]:
    """As many of them as a page takes by number and by size; `further`: what follows the last."""
    page = fitting(messages[:limit], MAX_PAGE)
    return Page(page, page[-1].id if len(page) < len(messages) else further)


def activity_cursor(moment: datetime, id: str) -> str:
    """The cursor of an entry in a list that is ordered by a moment and then by id."""
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{microseconds}:{id}".encode()).decode().rstrip("=")


def read_activity_cursor(cursor: str) -> tuple[datetime, str]:
    """The moment and id that `activity_cursor` wrote. Raises Invalid for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        microseconds, colon, id = urlsafe_b64decode(padded).decode().partition(":")
        moment = _EPOCH + timedelta(microseconds=int(microseconds))
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error
    if not colon or not storable(id):
        raise invalid_cursor()
    return moment, id
