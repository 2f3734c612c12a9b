"""How one turn is spoken, and how its end is kept."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from chatbridge.domain.model.conversation import title_from
from chatbridge.domain.model.errors import (
    AgentFailed,
    ChatbridgeError,
    NotFound,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.model.turn_event import EndState, Titled, TurnEnded, TurnEvent, TurnFailed
from chatbridge.domain.services.copies import Copies
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.stale_turns import INTERRUPTED
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import Begun, TurnRepository

_log = logging.getLogger(__name__)

_FINISH_AGAIN_AFTER = 0.5
_FINISH_TRIES = 60
_STOP_SECONDS = 1.0
"""How long an agent that is told to stop is waited for; the turn ends then without it."""

_NOT_KEPT = TurnFailed(
    code="not_kept", detail="A part of the answer can't be kept, so it was stopped there."
)


class Answering:
    """One turn from its first word to its kept end.

    Never cancelled itself: only the speaking is, so that the end is always kept. `hurried` says
    whether this server is to stop and has no time for an outage of the store.
    """

    def __init__(
        self,
        live: LiveTurn,
        repository: TurnRepository,
        journal: TurnJournal,
        copies: Copies,
        hurried: Callable[[], bool],
    ) -> None:
        self._live = live
        self._recording = live.recording
        self._repository = repository
        self._journal = journal
        self._copies = copies
        self._hurried = hurried
        self._silent = False

    async def run(self, agent: AgentRunner, begun: Begun) -> None:
        """Speak and end."""
        speaking = asyncio.create_task(self._speak(agent, begun))
        await self._until_spoken(speaking)
        try:
            await self._end(self._outcome(speaking))
        except Exception:
            _log.exception("turn %s: could not be ended", self._live.turn.id)
            self._let_go(TurnLost("The end of the answer could not be kept."))

    async def _until_spoken(self, speaking: asyncio.Task[None]) -> None:
        stopping = asyncio.create_task(self._live.stopping.wait())
        await asyncio.wait({speaking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not speaking.done():
            # once, so that the agent can tidy up in peace
            speaking.cancel()
            await asyncio.wait({speaking}, timeout=_STOP_SECONDS)
        self._silent = True
        if not speaking.done():
            _log.warning("turn %s: the agent has not stopped yet", self._live.turn.id)
            speaking.add_done_callback(_forget)

    async def _speak(self, agent: AgentRunner, begun: Begun) -> None:
        conversation = begun.turn.conversation
        if conversation.title is None and begun.turn.subject:
            self._say(Titled(title=title_from(begun.turn.subject.content)))
        request = AgentRequest(
            window=begun.window,
            on_behalf=OnBehalf(
                user_id=conversation.user_id,
                conversation_id=conversation.id,
                turn_id=begun.turn.id,
            ),
            before_call=self._durable,
        )
        async with aclosing(agent.run(request)) as events:
            async for event in events:
                self._say(event)

    def _say(self, event: TurnEvent) -> None:
        if not self._silent:
            self._recording.say(event)
            self._journal.wake()

    async def _durable(self, call_id: CallId) -> None:
        await self._live.until(lambda r: bool(r.lost) or r.refused or r.is_durable(call_id))
        if self._recording.lost:
            raise self._recording.lost
        if self._recording.refused:
            raise TurnLost(_NOT_KEPT.detail)

    def _outcome(self, speaking: asyncio.Task[None]) -> EndState:
        if self._recording.refused:
            self._recording.forget_tail()
            self._recording.say(_NOT_KEPT)
            return "failed"
        if not speaking.done() or speaking.cancelled():
            return "cancelled" if self._recording.cancel_asked else "interrupted"
        match speaking.exception():
            case None:
                return "completed"
            case AgentFailed() as error:
                self._recording.say(TurnFailed(code=error.code, detail=error.detail))
            case TurnLost() as error:
                self._recording.lost = self._recording.lost or error
            case error:
                _log.error("turn %s: the agent failed", self._live.turn.id, exc_info=error)
                detail = "Something went wrong while answering."
                self._recording.say(TurnFailed(code="agent_failed", detail=detail))
        return "failed"

    async def _end(self, state: EndState) -> None:
        recording = self._recording
        self._journal.close(recording)
        if recording.lost:
            return self._let_go(recording.lost)
        if state == "interrupted":
            recording.say(INTERRUPTED)
        recording.say(TurnEnded(state=state))
        try:
            await self._finish(state)
        except (NotFound, TurnLost, Unavailable) as error:
            return self._let_go(error)
        recording.durable_to(len(recording.events))
        recording.end()
        return None

    async def _finish(self, state: EndState) -> None:
        """Finish, through an outage of the store too, unless this server is to stop."""
        messages = self._recording.transcript.closed()
        for _ in range(_FINISH_TRIES):
            try:
                await self._repository.finish(self._recording, state, messages)
                return
            except Unavailable:
                if self._hurried():
                    raise
                await asyncio.sleep(_FINISH_AGAIN_AFTER)
        await self._repository.finish(self._recording, state, messages)

    def _let_go(self, why: ChatbridgeError) -> None:
        """It is somebody else's now, or nobody's: show what they keep, or why there is no more."""
        self._recording.forget_tail()
        gone = isinstance(why, NotFound) or why.code == "conversation_deleted"
        if not gone and not self._hurried():
            return self._copies.adopt(self._live)
        last = TurnFailed(code=why.code, detail=why.detail)
        self._recording.copy((last, TurnEnded(state="interrupted")))
        self._recording.end()
        return None


def _forget(speaking: asyncio.Task[None]) -> None:
    # nobody else asks how it ended
    if not speaking.cancelled():
        speaking.exception()
