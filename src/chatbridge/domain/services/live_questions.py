"""What a tool asks a person while its call goes on: the answer reaches it from any replica.

The question lives as long as the call, here; whoever is answered elsewhere leaves the answer in the
journal, from where it is told by the turn itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from uuid import uuid4

from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.question import Answers
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    ToolCallAnswered,
    ToolCallAsked,
    TurnEvent,
    TurnResumed,
)
from chatbridge.domain.services.recording import Recording
from chatbridge.ports.turn_journal import TurnJournal

_LOOK_EVERY = 0.2


async def answer_to(
    recording: Recording,
    asked: ToolCallAsked,
    journal: TurnJournal,
    say: Callable[[TurnEvent], None],
) -> Answers | None:
    """Ask, and wait until a person answers; None where they decline. Cancelled, the question is
    over. Raises TimeoutError where the turn is to end."""
    say(asked)
    answered: ToolCallAnswered | None = None
    number = len(recording.events)
    try:
        if await recording.until_said_is_kept():
            answered = await _posted(recording, number, journal)
    finally:
        say(answered or _expired(asked))
        say(TurnResumed())
    if answered is None:
        raise TimeoutError
    return answered.answers


def live_question(
    events: Sequence[TurnEvent], said: Transcript, call_id: CallId | None
) -> int | None:
    """The number of the event by which a call asks that goes on meanwhile, if this one does."""
    waiting = {call.id for _, call in said.calls_in("waiting") if call.form and call.form.live}
    asked = (
        number
        for number, event in enumerate(events, 1)
        if isinstance(event, ToolCallAsked) and event.call_id == call_id
    )
    return max(asked, default=None) if call_id in waiting else None


async def place_of(recording: Recording, after: int, answered: ToolCallAnswered) -> int | None:
    """How many events come before this one, once it is told; None where the turn ends without."""
    async with aclosing(recording.show(after)) as shown:
        async for number, event in shown:
            if isinstance(event, ToolCallAnswered) and event.id == answered.id:
                return number - 1
    return None


async def _posted(
    recording: Recording, number: int, journal: TurnJournal
) -> ToolCallAnswered | None:
    while recording.state == "speaking":
        with suppress(Unavailable):
            if answered := await journal.posted(recording.turn, number):
                return answered
        await asyncio.sleep(_LOOK_EVERY)
    return None


def _expired(asked: ToolCallAsked) -> ToolCallAnswered:
    return ToolCallAnswered(
        message_id=asked.message_id,
        call_id=asked.call_id,
        decision="expired",
        at=datetime.now(UTC),
        id=uuid4().hex,
        again=True,
    )
