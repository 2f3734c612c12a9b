"""What a person answers to a call that waits, where it belongs, and what it makes of the turn."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.call_ends import unanswered
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.tool_call import Asks, CallState, Decision, ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    ToolCallAnswered,
    ToolCallAsked,
    ToolCallFinished,
    TurnEvent,
    TurnWaiting,
)

REJECTED = "The person rejected this call, so it was not run."
SKIPPED = "The person has skipped the questions."
NO_OUTPUT = "The page never said what came of it: it may have done its work, or not."
EXPIRED = "Nobody has answered in time"
WITHDRAWN = "The person went on with something else instead of an answer"
STOPPED = "The person stopped the answer"

_ONE_BY_ONE = "This tool is approved call by call: approve this one alone."

_FITS: Mapping[Asks, tuple[str, tuple[Decision, ...]]] = {
    "approval": ("approve or reject it", ("approved", "rejected")),
    "client": ("give the `output` of the page's tool", ("given",)),
    "answers": ("give `answers` to its questions, or skip them", ("given", "skipped")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A call may be run, or not, for a `reason` in the person's words; or what it asked for.

    That is the `output` of the page's tool, as JSON, or `answers` by the ids of the questions.
    `call_id` or `message_id` names the call; with neither it is the first that the page was to run.
    Where a call asks several times, `round` says which of its forms is answered. `key` is the
    sender's own name for the answer. `stands`: so may every further call of the tool, in this
    conversation.
    """

    decision: Decision
    call_id: CallId | None = None
    message_id: MessageId | None = None
    reason: str = ""
    output: str | None = None
    answers: Mapping[str, Sequence[str]] | None = None
    round: int | None = None
    key: str | None = None
    stands: bool = False

    def given_before(self, said: Transcript, events: Sequence[TurnEvent]) -> int | None:
        """How many of the turn's events came before this same answer; None where it is new.

        Raises Conflict (`not_waiting`) where the call was answered otherwise, and Invalid
        (`idempotency_key_reused`).
        """
        calls = {call.id: call for message in said.messages for call in message.tool_calls}
        answered = [(n, e) for n, e in enumerate(events) if isinstance(e, ToolCallAnswered)]
        for number, event in answered:
            if self.key and event.key == self.key:
                if not self._is(event, _as_it_asked(calls[event.call_id], events[:number])):
                    raise refusals.key_reused()
                return number
        place = self._place(said)
        if place and self.decision in _FITS[place[1].asks or "approval"][1]:
            return None
        mine = [(n, e) for n, e in answered if self._means(e.message_id, calls[e.call_id])]
        for number, event in reversed(mine):
            if self._is(event, _as_it_asked(calls[event.call_id], events[:number])):
                return number
        if mine and place is None:
            raise refusals.not_waiting()
        return None

    def events(self, said: Transcript) -> tuple[TurnEvent, ...]:
        """What the turn says of it; at the end that it waits on, where more is asked.

        Raises Conflict (`not_waiting`) where the call is not asked, and Invalid (`wrong_answer`)
        where it asks for something else.
        """
        place = self._place(said)
        if place is None:
            raise refusals.not_waiting()
        message_id, call = place
        decision, answers = self._read(call)
        now = datetime.now(UTC)
        # two who answer alike at the same moment must not be taken for one who asks again
        answered = ToolCallAnswered(
            message_id=message_id,
            call_id=call.id,
            decision=decision,
            at=now,
            id=uuid4().hex,
            key=self.key,
            answers=answers,
            stands=self.stands,
            again=call.goes_on_with_answers,
        )
        ends = () if answered.lets_it_run else (self._end(message_id, call, now),)
        waits = (TurnWaiting(),) if len(said.calls_in("waiting")) > 1 else ()
        return (answered, *ends, *waits)

    def _end(self, message_id: MessageId, call: ToolCall, now: datetime) -> ToolCallFinished:
        state, output = self._outcome(call)
        return ToolCallFinished(
            message_id=message_id, call_id=call.id, state=state, output=output, at=now
        )

    def _outcome(self, call: ToolCall) -> tuple[CallState, str]:
        match self._read(call):
            case "given", answers if call.form:
                return "succeeded", _told(call.form, answers or {})
            case "given", _:
                return "succeeded", self.output or ""
            case "skipped", _:
                return "rejected", SKIPPED
            case _:
                told = f"{REJECTED} They said: {self.reason}" if self.reason else REJECTED
                return "rejected", told

    def _read(self, call: ToolCall) -> tuple[Decision, Answers | None]:
        """What it is to this call. Raises Invalid (`wrong_answer`) where it is none to it."""
        wanted, fitting = _FITS[call.asks or "approval"]
        brought = self.answers if call.asks == "answers" else self.output
        if self.decision not in fitting or (self.decision == "given" and brought is None):
            raise refusals.wrong_answer(f"The call asks for something else: {wanted}.")
        if self.stands and not (call.proposal and call.proposal.may_stand):
            raise refusals.wrong_answer(_ONE_BY_ONE)
        if self.decision != "given" or call.form is None:
            return self.decision, None
        answers = call.form.read(self.answers or {})
        # what is left of a tool server's form may have its defaults
        given = answers or call.goes_on_with_answers
        return ("given", answers) if given else ("skipped", None)

    def _place(self, said: Transcript) -> tuple[MessageId, ToolCall] | None:
        waiting = said.calls_in("waiting")
        mine = ((id, call) for id, call in waiting if self._means(id, call))
        return next(((id, call) for id, call in mine if self._is_of(call.form)), None)

    def _is_of(self, form: Form | None) -> bool:
        return self.round is None or (form is not None and form.round == self.round)

    def _means(self, message_id: MessageId, call: ToolCall) -> bool:
        if self.call_id:
            return call.id == self.call_id
        if self.message_id:
            return message_id == self.message_id and call.asks == "answers"
        return call.asks == "client"

    def _is(self, event: ToolCallAnswered, call: ToolCall) -> bool:
        """Whether what was answered to the call is this."""
        if not self._means(event.message_id, call) or not self._is_of(call.form):
            return False
        try:
            decision, answers = self._read(call)
        except Invalid:
            return False
        said = (event.decision, event.answers, event.stands)
        same = (decision, answers, self.stands) == said
        return same and (self.output is None or self.output == call.output)


def _as_it_asked(call: ToolCall, events: Sequence[TurnEvent]) -> ToolCall:
    """The call as it was after these: it may have asked for something else since."""
    for event in reversed(events):
        if isinstance(event, ToolCallAsked) and event.call_id == call.id:
            return replace(call, asks=event.asks, form=event.form)
    return call


def _told(form: Form, answers: Answers) -> str:
    """The answers as a model reads them: each with the words of its question."""
    told = [
        {"question": each.words, "answer": _plain(each.said(answers.get(each.id, ())))}
        for each in form.questions
    ]
    return json.dumps(told, ensure_ascii=False)


def _plain(said: list[str]) -> str | list[str] | None:
    return said if len(said) > 1 else next(iter(said), None)


def standing_approval(said: Transcript, answered: Sequence[TurnEvent]) -> StandingApproval | None:
    """What stands approved after an answer that has made these events of what was `said`."""
    answer = answered[0]
    if not isinstance(answer, ToolCallAnswered) or not answer.stands:
        return None
    asked = next(call for _, call in said.calls_in("waiting") if call.id == answer.call_id)
    return StandingApproval(
        id=ApprovalId(f"appr_{answer.id}"),
        source=asked.source,
        tool=asked.name,
        fingerprint=asked.proposal.fingerprint if asked.proposal else "",
        created_at=answer.at,
    )


def goes_on(events: Sequence[TurnEvent]) -> bool:
    """Whether the turn goes on after an answer that has made these of it."""
    return not isinstance(events[-1], TurnWaiting)


def withdrawn(said: Transcript, why: str) -> tuple[TurnEvent, ...]:
    """What is said of all that waits, answered or not, when the turn ends: none of it was run, but
    for what a page may have run without saying so."""
    now = datetime.now(UTC)
    return tuple(
        ToolCallFinished(
            message_id=id,
            call_id=call.id,
            state=unanswered(call),
            output=_because(call, why),
            at=now,
        )
        for id, call in said.calls_in("waiting", "approved")
    )


def _because(call: ToolCall, why: str) -> str:
    match call.asks:
        case "client":
            return NO_OUTPUT
        case "answers":
            return f"{why}, so there are no answers."
        case _:
            return f"{why}, so it was not run."
