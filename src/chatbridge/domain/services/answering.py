"""How a message is answered: the turn begins, the agent says, and the end is kept.

The story of one turn is told here from top to bottom. How what is said is kept meanwhile is in
`keeping`; what a viewer may see of it, and the states that it goes through, in `recording`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.conversation import title_from
from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.model.errors import (
    AgentFailed,
    ChatbridgeError,
    NotFound,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.turn import Asking, Ending, Turn, TurnState
from chatbridge.domain.model.turn_event import Titled, TurnEnded, TurnEvent, TurnFailed
from chatbridge.domain.model.turn_report import TurnReport
from chatbridge.domain.services.copies import Copies
from chatbridge.domain.services.keeping import Keeper
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import INTERRUPTED
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.turn_repository import Begun, Repeated, TurnRepository, TurnRequest

_log = logging.getLogger(__name__)

_FINISH_AGAIN_AFTER = 0.5
_FINISH_TRIES = 60
_STOP_SECONDS = 1.0
"""How long an agent that is told to stop is waited for; the turn ends then without it."""

_Place = tuple[UserId, ConversationId]


class Answering:
    """The turns that this replica runs, each in a task of its own and outside every request.

    `hurried` says whether this server is to stop and has no time for an outage of the store.
    `report` is told of each when it is over.
    """

    def __init__(
        self,
        repository: TurnRepository,
        keeper: Keeper,
        agent: AgentRunner,
        copies: Copies,
        *,
        window: ContextWindow,
        hurried: Callable[[], bool],
        report: Callable[[TurnReport], None],
    ) -> None:
        self._repository = repository
        self._keeper = keeper
        self._agent = agent
        self._copies = copies
        self._window = window
        self._hurried = hurried
        self._report = report
        self._recordings: dict[_Place, Recording] = {}
        self._ours: set[TurnId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, user_id: UserId, conversation_id: ConversationId) -> Recording | None:
        """The turn that runs here in the conversation."""
        return self._recordings.get((user_id, conversation_id))

    def named(self, user_id: UserId, id: TurnId) -> Recording | None:
        """The turn of this name, if it runs here."""
        mine = (r for (owner, _), r in self._recordings.items() if owner == user_id)
        return next((r for r in mine if r.turn.id == id), None)

    @property
    def ours(self) -> frozenset[TurnId]:
        """The turns that run here, those included that only begin or only have to be kept."""
        return frozenset(self._ours)

    async def begin(self, request: TurnRequest, asking: Asking) -> Recording | Repeated:
        """Keep the message and begin to answer it. Raises like the repository."""
        begun = await self._begun(request)
        if isinstance(begun, Repeated):
            return begun
        recording = Recording(begun.turn)
        if begun.turn.conversation.title is None and begun.turn.subject and not begun.turn.by_host:
            # nobody waits for it: it is kept with the first words
            recording.say(Titled(title=title_from(begun.turn.subject.content)))
        self._recordings[_place(begun.turn)] = recording
        self._keeper.open(recording)
        task = asyncio.create_task(self._answer(recording, begun, asking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return recording

    async def _begun(self, request: TurnRequest) -> Begun | Repeated:
        named = replace(
            request, model=self._agent.model_for(request.message), by_host=self._agent.by_host
        )
        # before the store knows of it: it may be late in saying so
        self._ours.add(request.turn_id)
        try:
            begun = await self._repository.begin(named, self._window.high, self._window.max_bytes)
        except BaseException:
            self._ours.discard(request.turn_id)
            raise
        if isinstance(begun, Repeated):
            self._ours.discard(request.turn_id)
        return begun

    async def end_all(self, drain: float) -> None:
        """Give the turns `drain` seconds to end by themselves, then end them as interrupted."""
        if self._tasks and drain:
            await asyncio.wait(self._tasks, timeout=drain)
        while self._tasks:
            for recording in tuple(self._recordings.values()):
                recording.stop("interrupted")
            await asyncio.wait(self._tasks)

    async def _answer(self, recording: Recording, begun: Begun, asking: Asking) -> None:
        began = monotonic()
        with in_turn(recording.turn.conversation.id, recording.turn.id):
            # never cancelled: only the speaking is, so that the end is always kept
            try:
                speaking = asyncio.create_task(self._speak(recording, begun, asking))
                await _until_spoken(recording, speaking)
                if recording.state == "speaking":
                    _close(recording, speaking)
                await self._keep_end(recording)
            except Exception:
                _log.exception("a turn could not be ended")
                self._let_go(recording, TurnLost("The end of the answer could not be kept."))
            finally:
                self._ours.discard(recording.turn.id)
                # another turn may have begun there since
                if self.of(*_place(recording.turn)) is recording:
                    del self._recordings[_place(recording.turn)]
                self._report(_reported(recording, self._agent.model, monotonic() - began))

    # --- say

    async def _speak(self, recording: Recording, begun: Begun, asking: Asking) -> None:
        request = AgentRequest(
            turn=recording.turn,
            # what fails here fails the turn, which then ends
            window=self._window.of(begun.newest, begun.counted),
            say=partial(self._say, recording),
            before_call=recording.until_kept,
            stopped=lambda: recording.stopped_as == "cancelled",
            asking=asking,
        )
        await self._agent.run(request)

    async def amend(self, recording: Recording, events: Sequence[TurnEvent]) -> bool:
        """Have a turn say this besides what its agent says; whether it is kept."""
        if recording.state != "speaking":
            return False
        for event in events:
            self._say(recording, event)
        return await recording.until_said_is_kept()

    def _say(self, recording: Recording, event: TurnEvent) -> None:
        # an agent that can't be stopped at once may still speak, and nobody listens
        if recording.state == "speaking":
            recording.say(event)
            self._keeper.wake(recording)

    # --- keep the end

    async def _keep_end(self, recording: Recording) -> None:
        try:
            if recording.state == "closing":
                ending = recording.ending
                if await self._finish(recording.turn, ending) == "completed":
                    self._agent.kept(recording.turn, ending)
                return recording.end()
            why = recording.lost or TurnLost("The answer is somebody else's now.")
        except (NotFound, TurnLost, Unavailable) as error:
            why = error
        return self._let_go(recording, why)

    async def _finish(self, turn: Turn, ending: Ending) -> TurnState:
        """Finish, through an outage of the store too, unless this server is to stop."""
        for _ in range(_FINISH_TRIES):
            try:
                return await self._repository.finish(turn, ending)
            except Unavailable:
                if self._hurried():
                    raise
                await asyncio.sleep(_FINISH_AGAIN_AFTER)
        return await self._repository.finish(turn, ending)

    def _let_go(self, recording: Recording, why: ChatbridgeError) -> None:
        """It is somebody else's now, or nobody's: show what they keep, or why there is no more."""
        if recording.state != "copying":
            recording.lose(why)
        gone = isinstance(why, NotFound) or why.code == "conversation_deleted"
        if not gone and not self._hurried():
            return self._copies.adopt(recording)
        recording.copy((TurnFailed.because(why), TurnEnded(state="interrupted")))
        return recording.end()


async def _until_spoken(recording: Recording, speaking: asyncio.Task[None]) -> None:
    hushed = asyncio.create_task(recording.until_hushed())
    await asyncio.wait({speaking, hushed}, return_when=asyncio.FIRST_COMPLETED)
    hushed.cancel()
    if speaking.done():
        return
    # once, so that the agent can tidy up in peace
    speaking.cancel()
    await asyncio.wait({speaking}, timeout=_STOP_SECONDS)
    if not speaking.done():
        _log.warning("the agent has not stopped yet")
        speaking.add_done_callback(_forget)


def _close(recording: Recording, speaking: asyncio.Task[None]) -> None:
    if not speaking.done() or speaking.cancelled():
        state = recording.stopped_as or "interrupted"
        why = (INTERRUPTED,) if state == "interrupted" else ()
        return recording.close(*why, TurnEnded(state=state))
    match speaking.exception():
        case None:
            return recording.close(TurnEnded(state="completed"))
        case TurnLost() as error:
            return recording.lose(error)
        case AgentFailed() as error:
            why = TurnFailed.because(error)
        case error:
            _log.error("the agent failed", exc_info=error)
            detail = "Something went wrong while answering."
            why = TurnFailed(code="agent_failed", detail=detail)
    return recording.close(why, TurnEnded(state="failed"))


def _reported(recording: Recording, model: str, seconds: float) -> TurnReport:
    transcript, lost = recording.shown, recording.lost
    last = recording.events[-1] if recording.events else None
    return TurnReport(
        turn=recording.turn,
        model=model,
        state=last.state if isinstance(last, TurnEnded) and not lost else "lost",
        code=lost.code if lost else transcript.code,
        seconds=seconds,
        usage=transcript.usage,
        tools=recording.tools,
    )


def _place(turn: Turn) -> _Place:
    return turn.conversation.user_id, turn.conversation.id


def _forget(speaking: asyncio.Task[None]) -> None:
    # nobody else asks how it ended
    if not speaking.cancelled():
        speaking.exception()
