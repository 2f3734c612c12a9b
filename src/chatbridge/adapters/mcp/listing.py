"""A tool server's list, kept for a while and served stale when the server is down."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chatbridge.adapters.mcp.exchange import OwnWords
from chatbridge.adapters.mcp.offered import Offered, OfferedList, OfferedTool
from chatbridge.domain.model.tool import OnBehalf

_log = logging.getLogger(__name__)

_MOST_LISTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingTimes:
    """In seconds: how long a list is fresh, how long listing may take, and for how long a server
    that could not be listed is left alone.
    """

    fresh: float = 10.0
    patience: float = 3.0
    rest: float = 5.0


@dataclass(slots=True)
class _Kept:
    """The list of those who are the same to the server."""

    listed: OfferedList = field(default_factory=OfferedList)
    good_until: float = float("-inf")
    doubted: bool = False
    away_since: datetime | None = None
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


class Listing:
    """One list for all users, or where each comes with a token of his own one for each of them.

    It is fetched for whoever asks first; others wait for the same fetch. Of the users' lists the
    500 that were last asked for are kept.
    """

    def __init__(
        self,
        offered: Offered,
        times: ListingTimes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._offered = offered
        self._times = times
        self._clock = clock
        self._kept: OrderedDict[str | None, _Kept] = OrderedDict()

    async def tools(self, on_behalf: OnBehalf) -> OfferedList:
        """The list, a stale one, or none: whatever goes wrong is logged and not raised."""
        kept = self._kept_for(on_behalf)
        async with kept.one_at_a_time:
            if kept.doubted or self._clock() >= kept.good_until:
                await self._fetch(kept, on_behalf)
            return kept.listed

    async def find(self, name: str, on_behalf: OnBehalf) -> OfferedTool | None:
        """The tool of that name in this user's list, as it was last seen."""
        kept = self._kept_for(on_behalf)
        listed = kept.listed if kept.listed.tools else await self.tools(on_behalf)
        return next((tool for tool in listed.tools if tool.name == name), None)

    def away_since(self, on_behalf: OnBehalf) -> datetime | None:
        """When the server could first not be listed; None when it last could."""
        return self._kept_for(on_behalf).away_since

    def instructions(self, on_behalf: OnBehalf) -> str:
        """What the server asks the model to heed, if it is trusted to."""
        return self._kept_for(on_behalf).listed.instructions

    def left_out(self) -> Iterator[tuple[str, str]]:
        """The names of tools that are not offered, and why, in the list that is everybody's."""
        if None in self._kept:
            yield from self._kept[None].listed.left_out.items()

    def doubt(self) -> None:
        """The lists may have changed: they are fetched before they are used again."""
        for kept in self._kept.values():
            kept.doubted = kept.away_since is None

    def _kept_for(self, on_behalf: OnBehalf) -> _Kept:
        credential = self._offered.source.credential(on_behalf)
        kept = self._kept.setdefault(credential, _Kept())
        self._kept.move_to_end(credential)
        while len(self._kept) > _MOST_LISTS:
            self._kept.popitem(last=False)
        return kept

    async def _fetch(self, kept: _Kept, on_behalf: OnBehalf) -> None:
        source = self._offered.source
        kept.doubted = False
        try:
            async with asyncio.timeout(source.patience or self._times.patience):
                kept.listed = await self._offered.tools(on_behalf)
        except Exception as error:
            reason = error.words if isinstance(error, OwnWords) else type(error).__name__
            _log.warning("tool server %s: not listed (%s)", source.name, reason)
            kept.good_until = self._clock() + self._times.rest
            kept.away_since = kept.away_since or datetime.now(UTC)
            kept.doubted = False
        else:
            kept.good_until = self._clock() + self._times.fresh
            kept.away_since = None
