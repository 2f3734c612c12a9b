"""What turns ask of a person, and how an answer lets them go on, wherever it is given."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import cast

from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import Answer, goes_on, standing_approval
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import ToolCallAnswered, TurnEvent, TurnWaiting
from chatbridge.domain.services.answering import Answering
from chatbridge.domain.services.beginning import Desk
from chatbridge.domain.services.live_questions import live_question, place_of
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import StaleTurns
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import Opened, TurnRepository

_PATIENCE_SECONDS = 3.0
"""How long an answer waits for a turn that is about to rest, or to be closed."""

_LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn that was answered, and how many of its events came before the answer."""

    recording: Recording
    after: int


class Questions:
    """An answer is kept if nothing was said since the turn was looked at: of two, one counts."""

    def __init__(
        self,
        repository: TurnRepository,
        journal: TurnJournal,
        answering: Answering,
        stale: StaleTurns,
        desk: Desk,
    ) -> None:
        self._repository, self._journal, self._answering = repository, journal, answering
        self._stale, self._desk = stale, desk

    async def answer(
        self, user_id: UserId, conversation_id: ConversationId, answer: Answer, asking: Asking
    ) -> Answered:
        """Answer what the conversation's turn asks; it goes on here once all of that is answered.

        The same answer again is answered alike, and nothing more is done. Raises NotFound,
        Forbidden, Conflict, Invalid or Unavailable; then nothing was kept.
        """
        give_up = monotonic() + _PATIENCE_SECONDS
        while True:
            self._desk.require_open()
            opened = await self._repository.opened(user_id, conversation_id)
            said = Transcript(conversation_id, opened.events)
            after = answer.given_before(said, opened.events)
            if after is not None:
                return Answered(await self._desk.shown(opened.turn), after)
            if opened.stale:
                await self._stale.close(user_id, conversation_id)
                raise refusals.question_expired()
            if opened.state not in ("running", "waiting"):
                raise refusals.not_waiting()
            if answered := await self._kept(opened, said, answer, asking):
                return answered
            if monotonic() > give_up:
                raise refusals.turn_running()
            await asyncio.sleep(_LOOK_EVERY)

    async def amend(
        self, user_id: UserId, conversation_id: ConversationId, events: Sequence[TurnEvent]
    ) -> bool:
        """Have the turn that waits say this too, and wait on; False where it waits no more.

        Raises Busy where it runs.
        """
        opened = await self._repository.opened(user_id, conversation_id)
        if opened.state == "running" and not opened.stale:
            raise refusals.turn_running()
        if opened.state != "waiting" or opened.stale:
            return False
        return await self._repository.answer(opened, (*events, TurnWaiting())) is not None

    async def _kept(
        self, opened: Opened, said: Transcript, answer: Answer, asking: Asking
    ) -> Answered | None:
        if opened.state == "waiting":
            return await self._answer(opened, said, answer, asking)
        number = live_question(opened.events, said, answer.call_id)
        return await self._leave(opened, number, said, answer) if number else None

    async def _leave(
        self, opened: Opened, number: int, said: Transcript, answer: Answer
    ) -> Answered | None:
        """Leave it to whoever runs the turn, and see it told. None where the turn has ended."""
        answered = cast(ToolCallAnswered, answer.events(said)[0])
        await self._journal.post(opened.turn, number, answered)
        counts = await self._journal.posted(opened.turn, number)
        if counts and not _same(counts, answered):
            raise refusals.not_waiting()
        recording = await self._desk.shown(opened.turn)
        recording.add_viewer()
        try:
            after = counts and await place_of(recording, len(opened.events), counts)
        finally:
            recording.remove_viewer()
        return Answered(recording, after) if after else None

    async def _answer(
        self, opened: Opened, said: Transcript, answer: Answer, asking: Asking
    ) -> Answered | None:
        events, after = answer.events(said), len(opened.events)
        if goes_on(events):
            recording = await self._answering.go_on(opened, events, asking)
            self._stale.seen()
            return recording and Answered(recording, after)
        standing = standing_approval(said, events)
        if await self._repository.answer(opened, events, standing=standing) is None:
            return None
        return Answered(await self._desk.shown(opened.turn), after)


def _same(one: ToolCallAnswered, another: ToolCallAnswered) -> bool:
    return (one.decision, one.answers) == (another.decision, another.answers)
