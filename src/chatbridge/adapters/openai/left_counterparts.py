"""Counterparts that belong to no conversation any more, deleted at OpenAI until none is left."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from chatbridge.adapters.openai.conversations import Conversations
from chatbridge.adapters.openai.failure_line import failure_line
from chatbridge.domain.model.errors import Unavailable
from chatbridge.ports.counterpart_repository import CounterpartRepository

log = logging.getLogger(__name__)

_FIRST_SECONDS, _MOST_SECONDS = 5.0, 600.0


class LeftCounterparts:
    """Swept at the start, whenever one may have been left here, and until none is.

    Which are left is in the store; several replicas may delete the same, which does no harm. Where
    none are made any more (not `made`), it ends as soon as none is left.
    """

    def __init__(
        self,
        counterparts: CounterpartRepository,
        remote: Conversations | None,
        *,
        made: bool,
        first: float = _FIRST_SECONDS,
    ) -> None:
        self._counterparts = counterparts
        self._remote = remote
        self._made = made
        self._first = first
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """One may have been left."""
        self._woken.set()

    @asynccontextmanager
    async def swept(self) -> AsyncGenerator[None]:
        """For as long as the context lasts."""
        sweeping = self._remote and asyncio.create_task(self._sweep_on(self._remote))
        try:
            yield
        finally:
            if sweeping:
                sweeping.cancel()
                await asyncio.wait({sweeping})

    async def _sweep_on(self, remote: Conversations) -> None:
        again: float | None = None
        while True:
            self._woken.clear()
            if await self._sweep(remote, again or self._first):
                again = None
                if not self._made:
                    return
            else:
                again = min(2 * again if again else self._first, _MOST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(again):
                    await self._woken.wait()

    async def _sweep(self, remote: Conversations, again: float) -> bool:
        """Whether none is left."""
        failed = 0
        why: Exception | None = None
        try:
            left = await self._counterparts.left()
            while left:
                for each in left:
                    try:
                        await remote.delete(each.id)
                        await self._counterparts.forget(each.user_id, each.id)
                    except Unavailable:
                        raise
                    except Exception as error:
                        failed, why = failed + 1, error
                left = await self._counterparts.left(left[-1])
        except Unavailable:
            return False
        if why:
            log.warning(
                "counterpart_not_deleted: %d conversations at OpenAI that are deleted here, tried"
                " again in %d s: %s",
                failed,
                again,
                failure_line(why, words=False),
            )
        return not failed
