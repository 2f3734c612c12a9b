"""Turns that this replica shows and does not run: they run on another one, or have ended."""

import asyncio
import logging

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import NotFound, Unavailable
from chatbridge.domain.model.identifiers import TurnId, UserId
from chatbridge.domain.model.turn import Recording, Turn
from chatbridge.domain.model.turn_event import TurnEnded, TurnFailed
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.stale_turns import StaleTurns
from chatbridge.ports.turn_repository import Progress, TurnRepository

_log = logging.getLogger(__name__)

_READ_EVERY = 0.1
_READS_UNWATCHED = 20

DELETED = TurnFailed(code="conversation_deleted", detail="The conversation was deleted.")


class Copies:
    """Copied from the store for as long as somebody watches; all viewers of a turn share one."""

    def __init__(self, repository: TurnRepository, stale: StaleTurns) -> None:
        self._repository = repository
        self._stale = stale
        self._open: dict[tuple[UserId, TurnId], LiveTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def of(self, turn: Turn) -> LiveTurn:
        """The turn as it is kept, and, while it runs, as it goes on.

        Raises NotFound when it is gone with its conversation, Conflict when its events are gone.
        """
        live = LiveTurn(Recording(turn))
        known = self._open.setdefault(_key(live), live)
        if known is not live:
            if turn.subject:
                known.recording.turn = turn
            return known
        try:
            progress = await self._read(live)
            if progress.state != "running" and not progress.kept:
                raise refusals.turn_ended()
        except BaseException:
            self._close(live)
            raise
        self._go_on(live)
        return live

    def adopt(self, live: LiveTurn) -> None:
        """Show what others keep of a turn that was spoken here and was lost."""
        self._open[_key(live)] = live
        self._go_on(live)

    def close(self) -> None:
        """Leave all viewers; they may go on elsewhere."""
        for task in self._tasks:
            task.cancel()

    def _go_on(self, live: LiveTurn) -> None:
        task = asyncio.create_task(self._copy(live))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _copy(self, live: LiveTurn) -> None:
        unwatched = 0
        try:
            while unwatched < _READS_UNWATCHED:
                await asyncio.sleep(_READ_EVERY)
                unwatched = 0 if live.viewers else unwatched + 1
                if not live.recording.ended:
                    await self._read_if_possible(live)
        except Exception:
            _log.exception("turn %s: can't be shown any more", live.turn.id)
        finally:
            self._close(live)

    async def _read_if_possible(self, live: LiveTurn) -> None:
        try:
            await self._read(live)
        except Unavailable:
            return  # it goes on when the store is back
        except NotFound:
            live.recording.copy((DELETED, TurnEnded(state="interrupted")))
            live.recording.end()

    async def _read(self, live: LiveTurn) -> Progress:
        recording, turn = live.recording, live.turn
        user_id = turn.conversation.user_id
        progress = await self._repository.progress(user_id, turn.id, recording.durable)
        recording.copy(progress.events)
        self._stale.seen()
        if progress.stale:
            await self._stale.close(user_id, turn.conversation.id)
        elif progress.state != "running":
            recording.end()
        return progress

    def _close(self, live: LiveTurn) -> None:
        if self._open.get(_key(live)) is live:
            del self._open[_key(live)]
        live.recording.end()


def _key(live: LiveTurn) -> tuple[UserId, TurnId]:
    return live.turn.conversation.user_id, live.turn.id
