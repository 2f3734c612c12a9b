"""How a turn begins where another one stands in its way: one that runs, is lost, or waits."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import WITHDRAWN
from chatbridge.domain.model.errors import Busy, StaleTurn, TurnWaits
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn import Asking, OnBusy, Turn
from chatbridge.domain.services.answering import Answering
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import StaleTurns
from chatbridge.ports.turn_repository import Repeated, TurnRequest

_INTERRUPT_SECONDS = 3.0
_INTERRUPT_EVERY = 0.1


async def nothing_to_look_at() -> None:
    """What is asked may be answered whatever is there."""


class Desk(Protocol):
    """Where turns are asked for."""

    def require_open(self) -> None: ...
    async def cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool: ...
    async def shown(self, turn: Turn) -> Recording: ...


class Beginning:
    """`on_busy` says what becomes of a running turn; one that is lost is closed, and one that waits
    for a person waits no more: whoever goes on with something else has answered."""

    def __init__(
        self, answering: Answering, stale: StaleTurns, desk: Desk, on_busy: OnBusy
    ) -> None:
        self._answering, self._stale, self._desk = answering, stale, desk
        self._on_busy: OnBusy = on_busy

    async def begin(
        self,
        request: TurnRequest,
        asking: Asking,
        look: Callable[[], Awaitable[None]] = nothing_to_look_at,
    ) -> Recording:
        """Begin it, or find what an earlier request of the same key has begun.

        `look` is awaited before anything is done about what stands in its way, and raises what is
        the better reason to refuse it.
        """
        give_up = monotonic() + _INTERRUPT_SECONDS
        while True:
            self._desk.require_open()
            try:
                return await self._begin(request, asking, look)
            except Busy:
                await look()
                if (asking.on_busy or self._on_busy) == "reject" or monotonic() > give_up:
                    raise
            await self._desk.cancel(request.user_id, request.conversation_id)
            await asyncio.sleep(_INTERRUPT_EVERY)

    async def _begin(
        self, request: TurnRequest, asking: Asking, look: Callable[[], Awaitable[None]]
    ) -> Recording:
        where = (request.user_id, request.conversation_id)
        try:
            begun = await self._answering.begin(request, asking)
        except StaleTurn:
            await self._stale.close(*where)
            begun = await self._begin_again(request, asking)
        except TurnWaits:
            await look()
            await self._stale.withdraw(*where, WITHDRAWN)
            begun = await self._begin_again(request, asking)
        if isinstance(begun, Repeated):
            return await self._desk.shown(begun.turn)
        self._stale.seen()
        return begun

    async def _begin_again(self, request: TurnRequest, asking: Asking) -> Recording | Repeated:
        try:
            return await self._answering.begin(request, asking)
        except (StaleTurn, TurnWaits):
            # it runs here, and its lease is about to be renewed; or it waits once more
            raise refusals.turn_running() from None
