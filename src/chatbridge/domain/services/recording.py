"""What a turn has said, how much of it is kept, and how it is shown: the state of one turn here."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from chatbridge.domain.model.errors import ChatbridgeError, TurnLost
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Ending, Rest, Turn
from chatbridge.domain.model.turn_event import (
    EndState,
    Numbered,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnWaiting,
)
from chatbridge.domain.services.spoken import Spoken

RecordingState = Literal["speaking", "closing", "copying", "ended"]


class OutOfOrder(RuntimeError):
    """A recording was told something that its state does not allow."""


class Recording:
    """A turn that is spoken here, or copied from the store; a viewer sees no difference.

    Event n has the number n, counted from 1. It may be shown once it is kept. Words that follow
    each other in a message are one event, as long as nobody has begun to keep them. Each change
    has one who makes it:

        say     speaking -> speaking            Answering: the agent says one more thing
        seal    speaking -> speaking            Keeper: the words so far are to be kept
        keep    speaking -> speaking            Keeper: it is kept as far as here
        refuse  speaking -> closing             Keeper: what was said last can't be kept
        close   speaking -> closing             Answering: these are its last words
        reopen  closing -> speaking             Answering: it may not rest, as it was to
        lose    speaking, closing -> copying    whoever learns that the turn is no longer ours
        copy    copying -> copying              Copies: others have kept more of it
        end     closing, copying -> ended       Answering, Copies: nothing more will come

    One that rests until a person answers has ended as well: what is said then is in another one,
    which has what was `said` before.
    """

    def __init__(self, turn: Turn, *, copied: bool = False, said: Iterable[TurnEvent] = ()) -> None:
        self._turn = turn
        self._viewers = 0
        self._state: RecordingState = "copying" if copied else "speaking"
        self._spoken = Spoken(turn.conversation.id, said)
        self._ran: list[CallId] = []
        self._stopped_as: EndState | None = None
        self._lost: ChatbridgeError | None = None
        self._hushed = asyncio.Event()
        self._changed = asyncio.Event()

    @property
    def turn(self) -> Turn:
        """Which turn it is."""
        return self._turn

    @property
    def state(self) -> RecordingState:
        """Where it is, in the table above."""
        return self._state

    @property
    def stopped_as(self) -> EndState | None:
        """How it ends because somebody has stopped it."""
        return self._stopped_as

    @property
    def lost(self) -> ChatbridgeError | None:
        """Why it is no longer ours."""
        return self._lost

    @property
    def kept(self) -> int:
        """How many events are kept, and may be shown."""
        return self._spoken.kept

    @property
    def events(self) -> tuple[TurnEvent, ...]:
        """All events, kept or not; without the words that are not sealed yet."""
        return tuple(self._spoken.events)

    @property
    def tail(self) -> tuple[Numbered, ...]:
        """The events that are not kept yet."""
        return self._spoken.tail

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what was said last: a person for words, or a tool to run."""
        return self._spoken.is_awaited

    @property
    def shown(self) -> Transcript:
        """All that a reader may see of it, as messages."""
        return self._spoken.shown

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that ran, here or at the provider; a model may ask for others."""
        calls = (call for message in self.shown.messages for call in message.tool_calls)
        return tuple(call.name for call in calls if call.hosted or call.id in self._ran)

    @property
    def is_whole(self) -> bool:
        """Whether its last event is here: a server that stops may never get so far."""
        return isinstance(self._spoken.last, TurnEnded | TurnWaiting)

    @property
    def asks(self) -> bool:
        """Whether it has asked something of a person that is not answered."""
        return self._spoken.calls.waiting

    @property
    def rests(self) -> bool:
        """Whether what it said last is that it waits for a person."""
        return isinstance(self._spoken.last, TurnWaiting)

    def rest(self, seconds: float) -> Rest:
        """What is to be kept of a closing one that rests."""
        self._require("closing")
        said = self._spoken.folded()
        asked = (call.proposal for _, call in said.calls_in("waiting"))
        return Rest(
            seconds=seconds,
            tail=self.tail,
            ended=tuple(each.ended for each in asked if each and each.ended),
            title=said.title,
            usage=said.usage,
        )

    @property
    def ending(self) -> Ending:
        """What is to be kept of a closing one."""
        self._require("closing")
        last = self._spoken.last
        if not isinstance(last, TurnEnded):
            raise OutOfOrder("the last words of a turn say how it ended")
        said = self._spoken.folded()
        return Ending.of(said, last.state, self.tail)

    # --- say

    def say(self, event: TurnEvent) -> None:
        """Add an event."""
        self._require("speaking")
        self._spoken.say(event)

    def stop(self, stopped_as: EndState) -> None:
        """Somebody wants no more of it. Where a person does (`cancelled`), that is why it ends."""
        if self._state == "speaking":
            if self._stopped_as != "cancelled":
                self._stopped_as = stopped_as
            self._hushed.set()

    def close(self, *last_words: TurnEvent) -> None:
        """Nothing more is said but this, with TurnEnded or TurnWaiting at the end, for the store to
        keep."""
        self._require("speaking")
        for event in last_words:
            self._spoken.add(event)
        self._become("closing")

    def reopen(self) -> None:
        """It does not rest: what it said last was not kept, and others are its last words."""
        self._require("closing")
        if not self.rests:
            raise OutOfOrder("only a turn that rests can be gone on with")
        self._spoken.events.pop()
        self._become("speaking")

    async def until_hushed(self) -> None:
        """Wait until nobody wants to hear more: it was stopped, lost or refused."""
        await self._hushed.wait()

    # --- keep

    def seal(self) -> None:
        """What is said from now on is an event of its own: keeping all before it has begun."""
        self._require("speaking")
        self._spoken.seal()

    def keep(self, number: int) -> None:
        """Events up to `number` are kept for good."""
        self._require("speaking")
        self._spoken.kept = max(self._spoken.kept, number)
        self._tell()

    def refuse(self, why: ChatbridgeError) -> None:
        """The store can't keep what was said last: the turn fails, and what is kept stays."""
        self._require("speaking")
        self._spoken.forget_tail()
        self._spoken.add(TurnFailed.because(why))
        self._spoken.add(TurnEnded(state="failed"))
        self._become("closing")

    def lose(self, why: ChatbridgeError) -> None:
        """The turn is no longer ours. Nobody has seen what is not kept, and nobody may keep it."""
        self._require("speaking", "closing")
        self._lost = why
        self._spoken.forget_tail()
        self._become("copying")

    def copy(self, events: Iterable[TurnEvent]) -> None:
        """Add events that are kept already."""
        self._require("copying")
        for event in events:
            self._spoken.add(event)
        self._spoken.keep_all()
        self._tell()

    def end(self) -> None:
        """All that there is is kept."""
        self._require("closing", "copying")
        self._spoken.keep_all()
        self._become("ended")

    async def until_kept(self, call_id: CallId) -> None:
        """Wait until the start of this call is kept, so that its tool may run; of one that was
        approved, that the turn goes on. Raises TurnLost."""
        while self._state == "speaking":
            start = self._spoken.calls.start_of(call_id)
            if start is not None and start <= self.kept:
                self._ran.append(call_id)
                return
            await self._changed.wait()
        raise self._lost or TurnLost("The turn has ended before the call could be kept.")

    async def until_said_is_kept(self) -> bool:
        """Wait until all that was said so far is kept; False where it never will be."""
        number = len(self._spoken.events)
        while self.kept < number and self._state in ("speaking", "closing"):
            await self._changed.wait()
        return self.kept >= number and self._lost is None

    # --- show

    async def show(self, after: int = 0) -> AsyncGenerator[Numbered, None]:
        """The events from number `after` + 1 to the end, each as soon as it is kept.

        Reads by cursor: a slow or lost viewer slows nobody.
        """
        while await self.goes_on(after):
            while after < self.kept:
                after += 1
                yield after, self._spoken.events[after - 1]

    async def goes_on(self, after: int) -> bool:
        """Wait until more than `after` events may be shown; False where no more will."""
        while after >= self.kept:
            if self._state == "ended":
                return False
            await self._changed.wait()
        return True

    def shown_after(self, after: int, most: int) -> Sequence[TurnEvent]:
        """The events from number `after` + 1 that may be shown now, so many at most."""
        return self._spoken.events[after : min(self.kept, after + most)]

    @property
    def viewers(self) -> int:
        """How many are looking."""
        return self._viewers

    def add_viewer(self) -> None:
        """One more looks."""
        self._viewers += 1

    def remove_viewer(self) -> None:
        """One has gone, in whatever way."""
        self._viewers -= 1

    def name_subject(self, subject: Message) -> None:
        """What it answers: who asks again knows, who only watches does not."""
        self._turn = replace(self._turn, subject=subject)

    def _require(self, *states: RecordingState) -> None:
        if self._state not in states:
            raise OutOfOrder(f"a recording that is {self._state} is not {' or '.join(states)}")

    def _become(self, state: RecordingState) -> None:
        self._state = state
        self._hushed.set()
        self._tell()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
