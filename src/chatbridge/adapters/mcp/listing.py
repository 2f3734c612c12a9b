"""A tool server's list, kept for a while and served stale when the server is down."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mcp_types import Tool

from chatbridge.adapters.mcp.exchange import Source
from chatbridge.domain.model.tool import OnBehalf

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingTimes:
    """In seconds: how long a list is fresh, how long listing may take, and for how long a server
    that could not be listed is left alone.
    """

    fresh: float = 10.0
    patience: float = 3.0
    rest: float = 5.0


class Listing:
    """One list for all users, fetched for whoever asks first; others wait for the same fetch."""

    def __init__(
        self,
        source: Source,
        times: ListingTimes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._times = times
        self._clock = clock
        self._tools: tuple[Tool, ...] = ()
        self._good_until = float("-inf")
        self._doubted = False
        self._away_since: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        """The list, a stale one, or none: whatever goes wrong is logged and not raised."""
        async with self._one_at_a_time:
            if self._doubted or self._clock() >= self._good_until:
                await self._fetch(on_behalf)
            return self._tools

    @property
    def away_since(self) -> datetime | None:
        """When the server could first not be listed; None when it last could."""
        return self._away_since

    def doubt(self) -> None:
        """The list may have changed: it is fetched before it is used again."""
        self._doubted = self._away_since is None

    async def _fetch(self, on_behalf: OnBehalf) -> None:
        patience = self._source.patience or self._times.patience
        self._doubted = False
        try:
            async with asyncio.timeout(patience):
                self._tools = tuple(await self._source.tools(on_behalf))
        except Exception as error:
            _log.warning("tool server %s: not listed (%r)", self._source.name, error)
            self._good_until = self._clock() + self._times.rest
            self._away_since = self._away_since or datetime.now(UTC)
            self._doubted = False
        else:
            self._good_until = self._clock() + self._times.fresh
            self._away_since = None
