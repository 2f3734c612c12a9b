"""How a message is answered: the turn begins, the agent says, and the end is kept.

The story of one turn is told here from top to bottom. How what is said is kept meanwhile is in
`keeping`; what a viewer may see of it, and the states that it goes through, in `recording`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TypeVar

from chatbridge.domain.model.answer import STOPPED, standing_approval, withdrawn
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.conversation import title_of
from chatbridge.domain.model.correlation import in_turn
from chatbridge.domain.model.errors import (
    ChatbridgeError,
    NotFound,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.question import Answers
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Asking, Turn
from chatbridge.domain.model.turn_event import (
    Titled,
    ToolCallAsked,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnResumed,
)
from chatbridge.domain.model.turn_report import TurnReport
from chatbridge.domain.services.copies import Copies
from chatbridge.domain.services.keeping import Keeper
from chatbridge.domain.services.live_questions import answer_to
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.speaking import close, reported, until_spoken
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.turn_repository import Begun, Opened, Repeated, TurnRepository, TurnRequest

_log = logging.getLogger(__name__)

_FINISH_AGAIN_AFTER = 0.5
_FINISH_TRIES = 60
T = TypeVar("T")

_Place = tuple[UserId, ConversationId]


class Answering:
    """The turns that this replica runs, each in a task of its own and outside every request.

    `hurried` says whether this server is to stop and has no time for an outage of the store.
    A turn that asks something of a person waits `patience` seconds for an answer. `report` is told
    of each when it is over.
    """

    def __init__(
        self,
        repository: TurnRepository,
        keeper: Keeper,
        agent: AgentRunner,
        copies: Copies,
        *,
        window: ContextWindow,
        patience: float,
        hurried: Callable[[], bool],
        report: Callable[[TurnReport], None],
    ) -> None:
        self._repository = repository
        self._keeper = keeper
        self._agent = agent
        self._copies = copies
        self._window = window
        self._patience = patience
        self._hurried = hurried
        self._report = report
        self._recordings: dict[_Place, Recording] = {}
        self._ours: Counter[TurnId] = Counter()
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

    # One that rests may be gone on with before it is let go of here: it is counted.
    def _no_longer_ours(self, id: TurnId) -> None:
        self._ours[id] -= 1
        if not self._ours[id]:
            del self._ours[id]

    async def begin(self, request: TurnRequest, asking: Asking) -> Recording | Repeated:
        """Keep the message and begin to answer it. Raises like the repository."""
        begun = await self._begun(request)
        if isinstance(begun, Repeated):
            return begun
        recording = Recording(begun.turn)
        if begun.turn.conversation.title is None and begun.turn.subject and not begun.turn.by_host:
            # nobody waits for it: it is kept with the first words
            recording.say(Titled(title=title_of(begun.turn.subject)))
        self._start(recording, begun, asking)
        return recording

    async def go_on(
        self, opened: Opened, answered: tuple[TurnEvent, ...], asking: Asking
    ) -> Recording | None:
        """Keep the last answer to a turn that waits, and go on with it here.

        None where something was said or decided since it was `opened`. Raises like the repository.
        """
        self._ours[opened.turn.id] += 1
        try:
            said = Transcript(opened.turn.conversation.id, opened.events)
            begun = await self._repository.answer(
                opened,
                answered,
                standing=standing_approval(said, answered),
                newest=self._window.high,
                room=self._window.max_bytes,
            )
        except BaseException:
            self._no_longer_ours(opened.turn.id)
            raise
        if begun is None:
            self._no_longer_ours(opened.turn.id)
            return None
        recording = Recording(begun.turn, said=(*opened.events, *answered))
        # through the journal and its fence: what was approved waits for it
        recording.say(TurnResumed())
        self._start(recording, begun, asking)
        self._keeper.wake(recording)
        return recording

    def _start(self, recording: Recording, begun: Begun, asking: Asking) -> None:
        self._recordings[_place(begun.turn)] = recording
        self._keeper.open(recording)
        task = asyncio.create_task(self._answer(recording, begun, asking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begun(self, request: TurnRequest) -> Begun | Repeated:
        named = replace(
            request, model=self._agent.model_for(request.message), by_host=self._agent.by_host
        )
        # before the store knows of it: it may be late in saying so
        self._ours[request.turn_id] += 1
        try:
            begun = await self._repository.begin(named, self._window.high, self._window.max_bytes)
        except BaseException:
            self._no_longer_ours(request.turn_id)
            raise
        if isinstance(begun, Repeated):
            self._no_longer_ours(request.turn_id)
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
                await until_spoken(recording, speaking)
                if recording.state == "speaking":
                    close(recording, speaking)
                await self._keep_end(recording)
            except Exception:
                _log.exception("a turn could not be ended")
                self._let_go(recording, TurnLost("The end of the answer could not be kept."))
            finally:
                self._no_longer_ours(recording.turn.id)
                # another turn may have begun there since
                if self.of(*_place(recording.turn)) is recording:
                    del self._recordings[_place(recording.turn)]
                self._report(reported(recording, self._agent.model, monotonic() - began))

    # --- say

    async def _speak(self, recording: Recording, begun: Begun, asking: Asking) -> None:
        request = AgentRequest(
            turn=recording.turn,
            # what fails here fails the turn, which then ends
            window=self._window.of(begun.newest, begun.counted),
            say=partial(self._say, recording),
            before_call=recording.until_kept,
            ask=partial(self._ask, recording),
            stopped=lambda: recording.stopped_as == "cancelled",
            asking=asking,
            before=self._before(recording),
            about=begun.about,
            standing=begun.standing,
        )
        await self._agent.run(request)

    async def _ask(self, recording: Recording, asked: ToolCallAsked) -> Answers | None:
        return await answer_to(
            recording, asked, self._keeper.journal, partial(self._say, recording)
        )

    def _before(self, recording: Recording) -> Transcript | None:
        events = recording.events
        if not any(isinstance(event, TurnResumed) for event in events):
            return None
        return Transcript(recording.turn.conversation.id, events)

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
                await self._keep_last_words(recording)
                return recording.end()
            why = recording.lost or TurnLost("The answer is somebody else's now.")
        except (NotFound, TurnLost, Unavailable) as error:
            why = error
        return self._let_go(recording, why)

    async def _keep_last_words(self, recording: Recording) -> None:
        turn, repository = recording.turn, self._repository
        if recording.rests:
            rest = recording.rest(self._patience)
            if await self._kept_at_last(lambda: repository.wait(turn, rest)):
                return
            # a stop was asked for meanwhile
            recording.reopen()
            said = Transcript(turn.conversation.id, recording.events)
            recording.close(*withdrawn(said, STOPPED), TurnEnded(state="cancelled"))
        ending = recording.ending
        if await self._kept_at_last(lambda: repository.finish(turn, ending)) == "completed":
            self._agent.kept(turn, ending)

    async def _kept_at_last(self, keep: Callable[[], Awaitable[T]]) -> T:
        """Keep it through an outage of the store too, unless this server is to stop."""
        for _ in range(_FINISH_TRIES):
            try:
                return await keep()
            except Unavailable:
                if self._hurried():
                    raise
                await asyncio.sleep(_FINISH_AGAIN_AFTER)
        return await keep()

    def _let_go(self, recording: Recording, why: ChatbridgeError) -> None:
        """It is somebody else's now, or nobody's: show what they keep, or why there is no more."""
        if recording.state != "copying":
            recording.lose(why)
        gone = isinstance(why, NotFound) or why.code == "conversation_deleted"
        if not gone and not self._hurried():
            return self._copies.adopt(recording)
        recording.copy((TurnFailed.because(why), TurnEnded(state="interrupted")))
        return recording.end()


def _place(turn: Turn) -> _Place:
    return turn.conversation.user_id, turn.conversation.id
