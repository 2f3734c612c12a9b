"""A random history in which turns also wait for a person, and are answered or withdrawn."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import multiple, rule

from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.identifiers import CallId, MessageId, UserId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.question import Form, Question
from chatbridge.domain.model.tool_call import Asks, Decision, ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Rest
from chatbridge.domain.model.turn_event import (
    ToolCallAsked,
    ToolCallStarted,
    TurnEvent,
    TurnWaiting,
)
from chatbridge.ports.turn_repository import Begun, Opened, TurnRequest
from tests.contracts.store import ask, call
from tests.integration.postgres.histories import Place, Speech, Spoken, owners, places, speeches
from tests.integration.postgres.same_history import LEASE, WINDOW, SameHistory

patience = st.sampled_from([LEASE, LEASE, -1.0])
decisions: st.SearchStrategy[Decision] = st.sampled_from(["approved", "rejected"])
kinds: st.SearchStrategy[tuple[Asks, ...]] = st.lists(
    st.sampled_from(["approval", "client", "answers"]), min_size=1, max_size=2
).map(tuple)
FORM = Form(questions=(Question(id="q1", words="Why?"),))


class WaitingHistory(SameHistory):
    """The same, and what it asks of a person."""

    turns = SameHistory.turns

    @rule(
        target=turns,
        place=places,
        speech=speeches,
        calls=kinds,
        seconds=patience,
        then=st.none() | decisions,
    )
    def ask_person(
        self,
        place: Place,
        speech: Speech,
        calls: tuple[Asks, ...],
        seconds: float,
        then: Decision | None,
    ) -> Any:
        """A turn that waits as soon as it has said something; `then` somebody may answer."""
        turn = self._begin(place, "may I?", new=True)
        if not isinstance(turn, tuple):
            return multiple()
        self.say(turn, speech, durably=False)
        self.wait(turn, calls, seconds)
        gone_on = self.answer(place, then, twice=len(calls) > 1) if then else multiple()
        return turn if gone_on == multiple() else gone_on

    @rule(target=turns, turn=turns, calls=kinds, seconds=patience)
    def wait(self, turn: Any, calls: tuple[Asks, ...], seconds: float) -> Any:
        _, *both = turn
        self._said += 1
        asked = _asked(MessageId(f"waits_{self._said}"), calls)
        where = both[0].turn.conversation
        self._touched = where.user_id, where.id

        def tail(own: Spoken) -> Any:
            return tuple(enumerate((*own.events[own.kept :], *asked), own.kept + 1))

        self.both(
            lambda s, own: s.turns.wait(own.turn, Rest(seconds=seconds, tail=tail(own))),
            tuple(both),
        )
        self._compare_events(both)
        return turn

    @rule(target=turns, place=places, decision=decisions, twice=st.booleans())
    def answer(self, place: Place, decision: Decision, twice: bool) -> Any:
        """By whoever has read it; with `twice` somebody else has answered since."""
        self._touched = place
        opened = self.both(lambda s: s.turns.opened(*place))
        if not isinstance(opened[0], Opened) or opened[0].state != "waiting":
            return multiple()
        said = Transcript(place[1], opened[0].events)
        (_, asked), *_ = said.calls_in("waiting")
        given, late = (_answer(asked, decision).events(said) for _ in range(2))
        begun = self.both(lambda s, own: s.turns.answer(own, given, newest=WINDOW.high), opened)
        if twice:
            self.both(lambda s, own: s.turns.answer(own, late, newest=WINDOW.high), opened)
        if not isinstance(begun[0], Begun) or begun[0].turn.epoch == opened[0].turn.epoch:
            return multiple()
        events = [*opened[0].events, *given]
        return _held(place, *(Spoken(b.turn, [*events], len(events)) for b in begun))

    @rule(target=turns, place=places)
    def withdraw(self, place: Place) -> Any:
        """Somebody goes on with something else."""
        self._touched = place
        claimed = self.both(lambda s: s.turns.claim_stale(*place, waiting=True))
        if claimed[0] is None:
            return multiple()
        return _held(place, *(Spoken(c.turn, list(c.events), len(c.events)) for c in claimed))

    @rule(place=places, by=owners)
    def look_at_what_waits(self, place: Place, by: UserId) -> None:
        whole = PageRequest(limit=100, order="desc")
        self.both(lambda s: s.conversations.list(by, whole, waiting=True))
        self.both(lambda s: s.turns.opened(by, place[1]))


def _answer(asked: ToolCall, decision: Decision) -> Answer:
    """What it asks for; of one that is no approval, `rejected` skips the questions."""
    match asked.asks, decision:
        case "client", _:
            return Answer(call_id=asked.id, decision="given", output='{"done": true}')
        case "answers", "rejected":
            return Answer(call_id=asked.id, decision="skipped")
        case "answers", _:
            return Answer(call_id=asked.id, decision="given", answers={"q1": ["because"]})
        case _:
            return Answer(call_id=asked.id, decision=decision)


def _asked(step: MessageId, calls: tuple[Asks, ...]) -> tuple[TurnEvent, ...]:
    asked = [(CallId(f"{step}_call_{n}"), kind) for n, kind in enumerate(calls)]
    started = (ToolCallStarted(message_id=step, call=call(id, "waiting")) for id, _ in asked)
    forms = {"answers": FORM}
    asks = (
        ToolCallAsked(message_id=step, call_id=id, asks=kind, form=forms.get(kind))
        for id, kind in asked
    )
    return (*started, *asks, TurnWaiting())


def _held(place: Place, *both: Spoken) -> tuple[TurnRequest, *tuple[Spoken, ...]]:
    owner, id = place
    return ask(both[0].turn.id, user_id=owner, conversation_id=id), *both
