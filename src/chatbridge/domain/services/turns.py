"""Who may have a turn begun, watched, stopped or taken over, here or on another replica."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import STOPPED
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import (
    ConversationId,
    MessageId,
    TurnId,
    UserId,
    new_turn_id,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Asking, OnBusy, OnDisconnect, Turn
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.domain.model.turn_report import TurnReport
from chatbridge.domain.services.answering import Answering
from chatbridge.domain.services.beginning import Beginning, nothing_to_look_at
from chatbridge.domain.services.copies import Copies
from chatbridge.domain.services.keeping import Keeper
from chatbridge.domain.services.questions import Questions
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.stale_turns import StaleTurns
from chatbridge.ports.agent_runner import AgentRunner
from chatbridge.ports.turn_journal import TurnJournal
from chatbridge.ports.turn_repository import Begun, TurnRepository, TurnRequest

_SEEN_SECONDS = 60.0
_PLAINLY = Asking()


class Turns:
    """All turns of this replica, and those of others that are watched here.

    `on_disconnect` says what becomes of a turn when its last viewer here has left; `on_busy` what
    a new message does where a turn is running: it is rejected, or interrupts that turn. `drain` is
    how many seconds running turns get to end by themselves when the application stops; `lease` is
    the store's, in seconds, and `patience` is how long a turn waits for a person. `tick` and
    `heartbeat` are the keeper's. `report` is told of each turn that ran here, when it is over.
    """

    def __init__(
        self,
        repository: TurnRepository,
        journal: TurnJournal,
        agent: AgentRunner,
        *,
        window: ContextWindow,
        tick: float = 0.05,
        heartbeat: float = 0.5,
        on_disconnect: OnDisconnect = "finish",
        on_busy: OnBusy = "reject",
        drain: float = 0.0,
        lease: float = 5.0,
        patience: float = 86_400.0,
        report: Callable[[TurnReport], None] = lambda _: None,
    ) -> None:
        self._repository = repository
        self._on_disconnect = on_disconnect
        self._drain = drain
        self._stale = StaleTurns(
            repository, lambda: self._answering.ours, awake=lease + _SEEN_SECONDS
        )
        self._copies = Copies(repository, self._stale)
        self._keeper = Keeper(journal, tick=tick, heartbeat=heartbeat)
        self._answering = Answering(
            repository,
            self._keeper,
            agent,
            self._copies,
            window=window,
            patience=patience,
            hurried=lambda: bool(self._stopping),
            report=report,
        )
        self._beginning = Beginning(self._answering, self._stale, self, on_busy)
        self.questions = Questions(repository, journal, self._answering, self._stale, self)
        self._stopping: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Turns can run as long as the context lasts; leaving it ends every one of them."""
        async with self._keeper.running():
            sweeping = asyncio.create_task(self._stale.sweep_on())
            try:
                yield
            finally:
                sweeping.cancel()
                await self.stop()
                self._stopping = None

    def require_open(self) -> None:
        """Raises Unavailable once this server is to stop: ask another, or ask again."""
        if self._stopping:
            raise refusals.stopping()

    async def stop(self) -> None:
        """Begin no more turns, give those that run `drain` seconds, then end them as interrupted.

        To be called as soon as the server stops: their viewers are connections that it waits for.
        """
        self._stopping = self._stopping or asyncio.create_task(self._end_all())
        await asyncio.wait({self._stopping})

    async def ask(
        self,
        user_id: UserId,
        message: Message,
        *,
        new: bool = False,
        asking: Asking = _PLAINLY,
    ) -> Recording:
        """Keep the user's message and begin to answer it; `new` makes its conversation first.

        A request of the same `asking.once` is answered with the turn that it began. Raises
        NotFound, Forbidden, Conflict, Invalid or Unavailable; then nothing was kept.
        """
        request = TurnRequest(
            user_id=user_id,
            conversation_id=message.conversation_id,
            turn_id=new_turn_id(),
            message=message,
            new=new,
            once=asking.once,
        )
        return await self._beginning.begin(request, asking)

    async def retry(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_id: MessageId,
        asking: Asking = _PLAINLY,
    ) -> Recording:
        """Answer a user's message again; the earlier answer stays until the new one is complete.

        Raises like `ask`.
        """
        request = TurnRequest(
            user_id=user_id,
            conversation_id=conversation_id,
            turn_id=new_turn_id(),
            retry_of=message_id,
            once=asking.once,
        )
        return await self._beginning.begin(request, asking)

    async def act(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        asking: Asking,
        *,
        about: MessageId | None = None,
        judge: Callable[[Begun], None] | None = None,
        look: Callable[[], Awaitable[None]] = nothing_to_look_at,
    ) -> Recording:
        """Begin a turn that answers no message: somebody has pressed a button, or filled in a form,
        of the entry that it is `about`.

        Raises like `ask`, and what `judge` raises, which sees what the turn begins with. Where it
        can't begin yet, `look` is awaited first: it raises the same, by what can be seen.
        """
        request = TurnRequest(
            user_id=user_id,
            conversation_id=conversation_id,
            turn_id=new_turn_id(),
            once=asking.once,
            about=about,
            judge=judge,
        )
        return await self._beginning.begin(request, asking, look)

    async def amend(
        self, user_id: UserId, conversation_id: ConversationId, events: Sequence[TurnEvent]
    ) -> bool:
        """Have the conversation's turn say this too, which runs here or waits; False where it is
        over, or about to be.

        Returns when it is kept. Raises Busy where it runs elsewhere.
        """
        if recording := self._answering.of(user_id, conversation_id):
            return await self._answering.amend(recording, events)
        return await self.questions.amend(user_id, conversation_id, events)

    async def watch(self, user_id: UserId, id: TurnId) -> Recording:
        """A turn that runs, here or elsewhere, or has ended within the last hour.

        Raises NotFound, Forbidden, or Conflict (`turn_ended`) where its events are gone.
        """
        if recording := self._answering.named(user_id, id):
            return recording
        return await self.shown(await self._repository.turn(user_id, id))

    async def running_in(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Recording | None:
        """The conversation's running turn, wherever it runs; None also for no conversation."""
        if recording := self._answering.of(user_id, conversation_id):
            return recording
        last = await self._repository.last(user_id, conversation_id)
        return await self.watch(user_id, last.id) if last and last.state == "running" else None

    async def seen(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Transcript, TurnId | None]:
        """What the conversation's running or waiting turn has said and changed, wherever it runs;
        and the id of the last turn, if it runs, or was interrupted and left half an answer.

        One that has lost its replica, or waits too long, is closed: what it said is among the
        messages then. Of the last turn the events are there to tell which. Nothing and None also
        for no conversation.
        """
        if recording := self._answering.of(user_id, conversation_id):
            return recording.shown, recording.turn.id
        last = await self._repository.last(user_id, conversation_id)
        if last and last.state in ("running", "waiting"):
            said = await self._copies.said_so_far(user_id, conversation_id, last.id)
            return said, last.id if last.state == "running" else None
        half = last is not None and last.state == "interrupted" and not last.retry
        return Transcript(conversation_id), last.id if last and half else None

    async def said_so_far(self, user_id: UserId, conversation_id: ConversationId) -> Transcript:
        """What the conversation's running or waiting turn has said and changed, like `seen`."""
        return (await self.seen(user_id, conversation_id))[0]

    def leave(self, recording: Recording) -> None:
        """A viewer has gone, in whatever way."""
        recording.remove_viewer()
        if not recording.viewers and self._on_disconnect == "cancel":
            recording.stop("cancelled")

    async def cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        """Stop the conversation's turn, whoever runs it, or withdraw what it asks of a person; what
        was shown is kept.

        False when none is running or waiting. Raises NotFound and Forbidden.
        """
        asked = await self._repository.ask_cancel(user_id, conversation_id)
        if recording := self._answering.of(user_id, conversation_id):
            recording.stop("cancelled")
        elif asked:
            await self.close_stale(user_id, conversation_id)
        else:
            return await self._stale.withdraw(user_id, conversation_id, STOPPED)
        return asked

    def abandon(self, user_id: UserId, conversation_id: ConversationId, why: TurnLost) -> None:
        """End a turn that may keep nothing more, and tell its viewers."""
        recording = self._answering.of(user_id, conversation_id)
        if recording and recording.state == "speaking":
            recording.lose(why)

    async def close_stale(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Where a turn has lost its replica, keep what it said so far as interrupted."""
        await self._stale.close(user_id, conversation_id)

    async def sweep(self) -> None:
        """Close every turn that has lost its replica."""
        await self._stale.sweep()

    async def shown(self, turn: Turn) -> Recording:
        """The turn, to be watched, wherever it runs or has run. Raises like `watch`."""
        if recording := self._answering.named(turn.conversation.user_id, turn.id):
            return recording
        self.require_open()
        return await self._copies.of(turn)

    async def _end_all(self) -> None:
        # whoever only watches here can go on elsewhere at once
        self._copies.close()
        await self._answering.end_all(self._drain)
        self._copies.close()
