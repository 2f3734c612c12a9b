"""Bytes under names of ours, streamed both ways: what people attach, and what tools bring."""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How a browser sends bytes itself: a PUT to this address, with these headers."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class BlobStore(Protocol):
    """Names are lower-case letters, digits, `_` and `/`. Nothing is seen of a blob before it is
    whole. Every call raises Unavailable when the store is away; `kept` says for people where it is.
    """

    kept: str

    async def put(self, name: str, parts: AsyncIterable[bytes]) -> int:
        """Keep the bytes, in place of any under this name, and answer how many they were.

        What `parts` raises is raised, and nothing of it is kept; so it is where the call is
        cancelled.
        """
        ...

    async def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """The bytes, in parts of about 64 kB. Raises NotFound before the first."""
        ...

    async def size(self, name: str) -> int | None:
        """How many bytes are kept under it; None where there are none."""
        ...

    async def delete(self, name: str) -> None:
        """Remove it, and what a broken `put` of it has left; nothing where there is none."""
        ...

    def upload(self, name: str, *, size: int, media_type: str, seconds: int) -> Upload | None:
        """Where exactly so many bytes of this type may be put by whoever knows the address, and
        where nothing is yet; None where the store takes bytes from us alone."""
        ...
