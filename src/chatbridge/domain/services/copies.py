"""Turns that this replica shows and does not run: they run on another one, or have ended."""

import asyncio
import logging

from chatbridge.domain.model import refusals
from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.model.errors import NotFound, Unavailable
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import TurnEnded, TurnFailed
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import StaleTurns
from chatbridge.ports.turn_repository import Progress, TurnRepository

_log = logging.getLogger(__name__)

_READ_EVERY = 0.1
_READS_UNWATCHED = 20


class Copies:
    """Copied from the store for as long as somebody watches; all viewers of a turn share one."""

    def __init__(self, repository: TurnRepository, stale: StaleTurns) -> None:
        self._repository = repository
        self._stale = stale
        self._open: dict[tuple[UserId, TurnId], Recording] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def of(self, turn: Turn) -> Recording:
        """The turn as it is kept, and, while it runs, as it goes on.

        Raises NotFound when it is gone with its conversation, Conflict when its events are gone.
        """
        known = self._open.get((turn.conversation.user_id, turn.id))
        if known is None or known.rests:
            # one that rests may have been gone on with
            known = await self._opened(turn)
        if turn.subject:
            known.name_subject(turn.subject)
        return known

    # Shared only when it is there: whoever asks meanwhile is refused for the same reason.
    async def _opened(self, turn: Turn) -> Recording:
        recording = Recording(turn, copied=True)
        progress = await self._read(recording)
        if progress.state not in ("running", "waiting") and not progress.kept:
            raise refusals.turn_ended()
        known = self._open.setdefault(_key(recording), recording)
        if known.rests:
            known = self._open[_key(recording)] = recording
        if known is recording:
            self._go_on(recording, more=progress.more)
        return known

    async def said_so_far(
        self, user_id: UserId, conversation_id: ConversationId, id: TurnId
    ) -> Transcript:
        """What a turn has said and changed that runs elsewhere, or waits: nothing of one that has
        lost its replica, or waits too long, which is closed.
        """
        self._stale.seen()
        said, read, more = Transcript(conversation_id), 0, True
        while more:
            progress = await self._repository.progress(user_id, id, read)
            if progress.stale:
                await self._stale.close(user_id, conversation_id)
                return Transcript(conversation_id)
            said.take(progress.events)
            read, more = read + len(progress.events), progress.more
        return said

    def adopt(self, recording: Recording) -> None:
        """Show what others keep of a turn that was spoken here and was lost."""
        self._open[_key(recording)] = recording
        self._go_on(recording)

    def close(self) -> None:
        """Leave all viewers; they may go on elsewhere."""
        for task in self._tasks:
            task.cancel()

    def _go_on(self, recording: Recording, *, more: bool = False) -> None:
        task = asyncio.create_task(self._copy(recording, more))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _copy(self, recording: Recording, more: bool) -> None:
        unwatched = 0
        try:
            while unwatched < _READS_UNWATCHED:
                # what is there already is read without a pause, a part at a time
                await asyncio.sleep(0 if more else _READ_EVERY)
                unwatched = 0 if recording.viewers or more else unwatched + 1
                if recording.state == "copying":
                    more = await self._read_if_possible(recording)
        except Exception:
            with in_turn(recording.turn.conversation.id, recording.turn.id):
                _log.exception("a turn can't be shown any more")
        finally:
            self._close(recording)

    async def _read_if_possible(self, recording: Recording) -> bool:
        try:
            return (await self._read(recording)).more
        except Unavailable:
            pass  # it goes on when the store is back
        except NotFound:
            # one that has said nothing may have been withdrawn: who asks again is told
            if recording.kept:
                deleted = TurnFailed.because(refusals.conversation_deleted())
                recording.copy((deleted, TurnEnded(state="interrupted")))
            recording.end()
        return False

    async def _read(self, recording: Recording) -> Progress:
        turn = recording.turn
        user_id = turn.conversation.user_id
        progress = await self._repository.progress(user_id, turn.id, recording.kept)
        recording.copy(progress.events)
        self._stale.seen()
        if progress.stale:
            await self._stale.close(user_id, turn.conversation.id)
        elif progress.state != "running" and not progress.more:
            recording.end()
        return progress

    def _close(self, recording: Recording) -> None:
        if self._open.get(_key(recording)) is recording:
            del self._open[_key(recording)]
        if recording.state == "copying":
            recording.end()


def _key(recording: Recording) -> tuple[UserId, TurnId]:
    return recording.turn.conversation.user_id, recording.turn.id
