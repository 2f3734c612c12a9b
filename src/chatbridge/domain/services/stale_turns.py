"""Turns that have lost their replica: closed by whoever meets them, and by a sweep."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from time import monotonic

from chatbridge.domain.model.answer import EXPIRED, withdrawn
from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.model.errors import NotFound, TurnLost, Unavailable
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Ending
from chatbridge.domain.model.turn_event import (
    EndState,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnWaiting,
)
from chatbridge.ports.turn_repository import Claimed, TurnRepository

_log = logging.getLogger(__name__)

_SWEEP_EVERY = 1.0

INTERRUPTED = TurnFailed(
    code="interrupted", detail="The answer was interrupted. What was said so far is kept."
)


def _last_words(claimed: Claimed, why: str) -> tuple[EndState, tuple[TurnEvent, ...]]:
    if claimed.events and isinstance(claimed.events[-1], TurnWaiting):
        said = Transcript(claimed.turn.conversation.id, claimed.events)
        return "cancelled", (*withdrawn(said, why), TurnEnded(state="cancelled"))
    return "interrupted", (INTERRUPTED, TurnEnded(state="interrupted"))


class StaleTurns:
    """Nothing is run again by itself: what a lost turn has said is kept, as interrupted.

    The sweep rests unless a turn was seen in the last `awake` seconds: a database that nobody
    uses may sleep. Whoever reads a conversation closes its stale turn without waiting for it.

    `ours` are the turns that run here. Where the event loop stood still, or the machine did, their
    leases have passed and nobody is gone: they are never closed from here.
    """

    def __init__(
        self, repository: TurnRepository, ours: Callable[[], Collection[TurnId]], *, awake: float
    ) -> None:
        self._repository = repository
        self._ours = ours
        self._awake = awake
        self._awake_until = 0.0
        self._seen = asyncio.Event()

    def seen(self) -> None:
        """There is a turn, so there may be one to close soon."""
        self._awake_until = monotonic() + self._awake
        self._seen.set()

    async def close(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Where a turn has lost its replica, keep what it said so far as interrupted; where it has
        waited too long for a person, as cancelled."""
        await self._close(user_id, conversation_id, EXPIRED, waiting=False)

    async def withdraw(self, user_id: UserId, conversation_id: ConversationId, why: str) -> bool:
        """Where a turn waits for a person, it waits no more: what it asked for was not run. False
        where none waits."""
        return await self._close(user_id, conversation_id, why, waiting=True)

    async def _close(
        self, user_id: UserId, conversation_id: ConversationId, why: str, *, waiting: bool
    ) -> bool:
        claimed = await self._repository.claim_stale(
            user_id, conversation_id, self._ours(), waiting=waiting
        )
        if claimed is None:
            return False
        state, last_words = _last_words(claimed, why)
        tail = tuple(enumerate(last_words, len(claimed.events) + 1))
        said = Transcript(conversation_id, (*claimed.events, *last_words))
        with in_turn(conversation_id, claimed.turn.id):
            with suppress(NotFound, TurnLost):
                await self._repository.finish(claimed.turn, Ending.of(said, state, tail))
            _log.info("a turn that nobody went on with was closed as %s", state)
        return True

    async def sweep(self) -> None:
        """Close every turn that has lost its replica."""
        for user_id, conversation_id in await self._repository.stale():
            self.seen()
            await self.close(user_id, conversation_id)

    async def sweep_on(self) -> None:
        """Sweep again and again while turns are seen, and rest while none are."""
        while True:
            await self._seen.wait()
            self._seen.clear()
            while monotonic() < self._awake_until:
                await asyncio.sleep(_SWEEP_EVERY)
                try:
                    await self.sweep()
                except Unavailable:
                    self.seen()
                except Exception:
                    _log.exception("a sweep for turns that have lost their replica failed")
