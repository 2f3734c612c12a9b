"""What a person answers to a call that waits, where it belongs, and what it makes of the turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.tool_call import Decision
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    ToolCallAnswered,
    ToolCallFinished,
    TurnEvent,
    TurnWaiting,
)

REJECTED = "The person rejected this call, so it was not run."
EXPIRED = "Nobody has answered in time whether it may run, so it was not run."
WITHDRAWN = "The person went on with something else instead of an answer, so it was not run."
STOPPED = "The person stopped the answer, so it was not run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A call may be run, or not, for a `reason` in the person's words."""

    call_id: CallId
    decision: Decision
    reason: str = ""

    def given_before(self, events: Sequence[TurnEvent]) -> int | None:
        """How many of the turn's events came before this same answer; None where it is new.

        Raises Conflict (`not_waiting`) where the call was answered otherwise.
        """
        for number, event in enumerate(events):
            if isinstance(event, ToolCallAnswered) and event.call_id == self.call_id:
                if event.decision != self.decision:
                    raise refusals.not_waiting()
                return number
        return None

    def events(self, said: Transcript) -> tuple[TurnEvent, ...]:
        """What the turn says of it; at the end that it waits on, where more is asked.

        Raises Conflict (`not_waiting`) where the call is not asked.
        """
        waiting = said.calls_in("waiting")
        place = next((id for id, call in waiting if call.id == self.call_id), None)
        if place is None:
            raise refusals.not_waiting()
        now = datetime.now(UTC)
        # two who answer alike at the same moment must not be taken for one who asks again
        answered = ToolCallAnswered(
            message_id=place,
            call_id=self.call_id,
            decision=self.decision,
            at=now,
            id=uuid4().hex,
        )
        rejected = ToolCallFinished(
            message_id=place,
            call_id=self.call_id,
            state="rejected",
            output=f"{REJECTED} They said: {self.reason}" if self.reason else REJECTED,
            at=now,
        )
        ends = (rejected,) if self.decision == "rejected" else ()
        return (answered, *ends, *((TurnWaiting(),) if len(waiting) > 1 else ()))


def goes_on(events: Sequence[TurnEvent]) -> bool:
    """Whether the turn goes on after an answer that has made these of it."""
    return not isinstance(events[-1], TurnWaiting)


def withdrawn(said: Transcript, why: str) -> tuple[TurnEvent, ...]:
    """What is said of all that waits, answered or not, when the turn ends: none of it was run."""
    now = datetime.now(UTC)
    return tuple(
        ToolCallFinished(message_id=id, call_id=call.id, state="withdrawn", output=why, at=now)
        for id, call in said.calls_in("waiting", "approved")
    )
