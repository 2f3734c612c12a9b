"""A source that the assistant names for what it says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A web page, or a file where there is no `url`; a file's title is its name.

    `index` is the place in the message's text behind which the source is named, in characters.
    """

    title: str
    url: str | None = None
    index: int | None = None
