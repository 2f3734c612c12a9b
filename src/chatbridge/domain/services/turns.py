"""How a turn lives: begin, run in our own task, be cancelled, finish, be taken over."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.conversation import title_from
from chatbridge.domain.model.errors import (
    AgentFailed,
    ChatbridgeError,
    NotFound,
    StaleTurn,
    TurnLost,
    Unavailable,
)
from chatbridge.domain.model.identifiers import (
    CallId,
    ConversationId,
    MessageId,
    UserId,
    new_turn_id,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool import OnBehalf
from chatbridge.domain.model.turn import OnDisconnect, Recording
from chatbridge.domain.model.turn_event import EndState, Titled, TurnEnded, TurnEvent, TurnFailed
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import Begun, TurnRepository, TurnRequest

_log = logging.getLogger(__name__)

_FINISH_AGAIN_AFTER = 0.5
_FINISH_TRIES = 60

_INTERRUPTED = TurnFailed(
    code="interrupted", detail="The answer was interrupted. What was said so far is kept."
)


class Turns:
    """All turns of this replica. Knows no surface and no vendor.

    `on_disconnect` says what becomes of a turn when its last viewer has left; `drain` is how many
    seconds running turns get to end by themselves when the application stops.
    """

    def __init__(
        self,
        repository: TurnRepository,
        journal: TurnJournal,
        agent: AgentRunner,
        *,
        window: ContextWindow,
        on_disconnect: OnDisconnect = "finish",
        drain: float = 0.0,
    ) -> None:
        self._repository = repository
        self._journal = journal
        self._agent = agent
        self._window = window
        self._on_disconnect = on_disconnect
        self._drain = drain
        self._live: dict[tuple[UserId, ConversationId], LiveTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Turns can run as long as the context lasts; leaving it ends every one of them."""
        async with self._journal.running():
            try:
                yield
            finally:
                await self.stop()
                self._stopping = None

    async def stop(self) -> None:
        """Begin no more turns, give those that run `drain` seconds, then end them as interrupted.

        To be called as soon as the server stops: their viewers are connections that it waits for.
        """
        self._stopping = self._stopping or asyncio.create_task(self._end_all())
        await asyncio.wait({self._stopping})

    async def ask(self, user_id: UserId, message: Message, *, new: bool = False) -> LiveTurn:
        """Keep the user's message and begin to answer it; `new` makes its conversation first.

        Raises NotFound, Forbidden, Conflict or Unavailable; then nothing was kept.
        """
        return await self._begin(
            TurnRequest(
                user_id=user_id,
                conversation_id=message.conversation_id,
                turn_id=new_turn_id(),
                message=message,
                new=new,
            )
        )

    async def retry(
        self, user_id: UserId, conversation_id: ConversationId, message_id: MessageId
    ) -> LiveTurn:
        """Answer a user's message again; the earlier answer stays until the new one is complete.

        Raises like `ask`, and Invalid where the message is not a user's.
        """
        return await self._begin(
            TurnRequest(
                user_id=user_id,
                conversation_id=conversation_id,
                turn_id=new_turn_id(),
                retry_of=message_id,
            )
        )

    def leave(self, live: LiveTurn) -> None:
        """A viewer has gone, in whatever way."""
        live.viewers -= 1
        if not live.viewers and self._on_disconnect == "cancel" and not live.recording.ended:
            live.recording.ask_cancel()

    async def cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        """Stop the conversation's turn, whoever runs it; what was shown is kept.

        False when none is running. Raises NotFound and Forbidden.
        """
        asked = await self._repository.ask_cancel(user_id, conversation_id)
        if live := self._live.get((user_id, conversation_id)):
            live.recording.ask_cancel()
        elif asked:
            await self.close_stale(user_id, conversation_id)
        return asked

    def abandon(self, user_id: UserId, conversation_id: ConversationId, why: TurnLost) -> None:
        """End a turn that may keep nothing more, and tell its viewers."""
        if live := self._live.get((user_id, conversation_id)):
            self._journal.close(live.recording)
            live.recording.lose(why)

    async def close_stale(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Where a turn has lost its replica, keep what it said so far as interrupted."""
        recording = await self._repository.claim_stale(user_id, conversation_id)
        if recording is None:
            return
        recording.say(_INTERRUPTED)
        recording.say(TurnEnded(state="interrupted"))
        with suppress(NotFound, TurnLost):
            await self._repository.finish(recording, "interrupted", recording.transcript.closed())
        _log.info("turn %s: taken over and closed as interrupted", recording.turn.id)

    async def sweep(self) -> None:
        """Close every turn that has lost its replica."""
        for user_id, conversation_id in await self._repository.stale():
            await self.close_stale(user_id, conversation_id)

    async def _begin(self, request: TurnRequest) -> LiveTurn:
        if self._stopping:
            raise Unavailable("This server is stopping; ask again.", code="stopping")
        try:
            begun = await self._repository.begin(request, self._window)
        except StaleTurn:
            await self.close_stale(request.user_id, request.conversation_id)
            begun = await self._repository.begin(request, self._window)
        live = LiveTurn(Recording(begun.turn))
        self._live[request.user_id, request.conversation_id] = live
        self._journal.open(live.recording)
        live.speaking = asyncio.create_task(self._speak(live, begun))
        task = asyncio.create_task(self._run(live, live.speaking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return live

    async def _run(self, live: LiveTurn, speaking: asyncio.Task[None]) -> None:
        """Never cancelled itself: only the speaking is, so that the end is always kept."""
        await asyncio.wait({speaking})
        try:
            await self._end(live, self._outcome(live, speaking))
        except Exception:
            _log.exception("turn %s: could not be ended", live.turn.id)
            self._tell_lost(live, TurnLost("The end of the answer could not be kept."))
        finally:
            key = (live.turn.conversation.user_id, live.turn.conversation.id)
            if self._live.get(key) is live:
                del self._live[key]

    async def _speak(self, live: LiveTurn, begun: Begun) -> None:
        conversation = begun.turn.conversation
        if conversation.title is None and begun.turn.subject:
            self._say(live, Titled(title=title_from(begun.turn.subject.content)))
        request = AgentRequest(
            window=begun.window,
            on_behalf=OnBehalf(
                user_id=conversation.user_id,
                conversation_id=conversation.id,
                turn_id=begun.turn.id,
            ),
            before_call=lambda call_id: self._durable(live, call_id),
        )
        async with aclosing(self._agent.run(request)) as events:
            async for event in events:
                self._say(live, event)

    def _say(self, live: LiveTurn, event: TurnEvent) -> None:
        live.recording.say(event)
        self._journal.wake()

    async def _durable(self, live: LiveTurn, call_id: CallId) -> None:
        await live.until(lambda r: r.lost is not None or r.is_durable(call_id))
        if live.recording.lost:
            raise live.recording.lost

    def _outcome(self, live: LiveTurn, speaking: asyncio.Task[None]) -> EndState:
        if speaking.cancelled():
            return "cancelled" if live.recording.cancel_asked else "interrupted"
        match speaking.exception():
            case None:
                return "completed"
            case AgentFailed() as error:
                live.recording.say(TurnFailed(code=error.code, detail=error.detail))
            case TurnLost() as error:
                live.recording.lost = live.recording.lost or error
            case error:
                _log.error("turn %s: the agent failed", live.turn.id, exc_info=error)
                detail = "Something went wrong while answering."
                live.recording.say(TurnFailed(code="agent_failed", detail=detail))
        return "failed"

    async def _end(self, live: LiveTurn, state: EndState) -> None:
        recording = live.recording
        self._journal.close(recording)
        if recording.lost:
            return self._tell_lost(live, recording.lost)
        if state == "interrupted":
            recording.say(_INTERRUPTED)
        recording.say(TurnEnded(state=state))
        try:
            await self._finish(recording, state)
        except (NotFound, TurnLost, Unavailable) as error:
            return self._tell_lost(live, error)
        recording.durable_to(len(recording.events))
        recording.end()
        return None

    async def _finish(self, recording: Recording, state: EndState) -> None:
        """Finish, through an outage of the database too, unless this server is to stop."""
        messages = recording.transcript.closed()
        for _ in range(_FINISH_TRIES):
            try:
                await self._repository.finish(recording, state, messages)
                return
            except Unavailable:
                if self._stopping:
                    raise
                await asyncio.sleep(_FINISH_AGAIN_AFTER)
        await self._repository.finish(recording, state, messages)

    def _tell_lost(self, live: LiveTurn, why: ChatbridgeError) -> None:
        recording = live.recording
        recording.forget_tail()
        recording.say(TurnFailed(code=why.code, detail=why.detail))
        recording.say(TurnEnded(state="interrupted"))
        recording.durable_to(len(recording.events))
        recording.end()

    async def _end_all(self) -> None:
        if self._tasks and self._drain:
            await asyncio.wait(self._tasks, timeout=self._drain)
        while self._tasks:
            for live in tuple(self._live.values()):
                live.stop()
            await asyncio.wait(self._tasks)
