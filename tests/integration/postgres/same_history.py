"""One random history, lived through by the memory store and by Postgres side by side."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Changes, Ending, Once
from chatbridge.domain.model.turn_event import EndState
from chatbridge.ports.turn_repository import Begun, TurnRequest
from tests.contracts.steps import ending
from tests.contracts.store import Store, ask, conversation
from tests.integration.postgres.histories import (
    FIRST,
    REST,
    SAID,
    Place,
    Speech,
    Spoken,
    changes,
    comparable,
    ends,
    entries,
    journaled,
    limits,
    message_ids,
    onces,
    orders,
    outcome,
    owners,
    places,
    sorted_places,
    speeches,
    texts,
)
from tests.integration.postgres.stores import postgres_replica
from tests.postgres import delete_all_rows
from tests.unit.adapters.memory.stores import memory_replica

LEASE = 600.0
"""Seconds: no lease passes unless a rule says so."""

WINDOW = ContextWindow(low=2, high=4)

Pair = tuple[Any, Any]


class SameHistory(RuleBasedStateMachine):
    """Every step asks both stores the same; the answers and what is then kept must agree."""

    turns = Bundle("turns")
    cursors = Bundle("cursors")

    def __init__(self, runner: asyncio.Runner, engine: AsyncEngine) -> None:
        super().__init__()
        self._runner = runner
        self._stores = (memory_replica()(LEASE), postgres_replica(engine)(LEASE))
        self._touched: Place = FIRST
        self._begun = 0
        self._said = 0
        self._shown = 0
        runner.run(delete_all_rows(engine))

    def both(self, act: Callable[..., Awaitable[Any]], *pairs: Pair) -> Pair:
        """What both answer, each asked with its own member of the pairs; it must agree."""
        memory, postgres = (
            self._runner.run(outcome(act(store, *own)))
            for store, *own in zip(self._stores, *pairs, strict=True)
        )
        said, expected = comparable(postgres), comparable(memory)
        assert said == expected, f"Postgres: {said}\nmemory: {expected}"
        return memory, postgres

    # --- conversations

    @initialize()
    def two_owners_have_one_each(self) -> None:
        self.create(FIRST, 0, None, open=True)
        self.create(REST[-1], 0, None, open=True)

    @rule(
        place=st.sampled_from([FIRST, *REST]),
        minute=st.integers(0, 1),
        title=st.none() | texts,
        open=st.sampled_from([True, True, False]),
    )
    def create(self, place: Place, minute: int, title: str | None, open: bool) -> None:
        owner, id = self._touched = place
        status = "active" if open else "locked"
        kept = conversation(id, user_id=owner, minute=minute, title=title, status=status)
        self.both(lambda s: s.seed(kept))

    @rule(place=places, title=texts)
    def rename(self, place: Place, title: str) -> None:
        self._touched = place
        self.both(lambda s: s.conversations.rename(*place, title))

    @rule(place=st.sampled_from([FIRST, *REST * 3]))
    def delete(self, place: Place) -> None:
        self._touched = place
        self.both(lambda s: s.conversations.delete(*place))

    @rule(target=cursors, owner=owners, limit=limits, order=orders)
    def list_conversations(self, owner: UserId, limit: int, order: Any) -> Any:
        request = PageRequest(limit=limit, order=order)
        return self._next_of(self.both(lambda s: s.conversations.list(owner, request)))

    @rule(target=cursors, owner=owners, limit=limits, order=orders, after=cursors)
    def list_further(self, owner: UserId, limit: int, order: Any, after: Pair) -> Any:
        def follow(store: Store, cursor: str) -> Awaitable[Any]:
            request = PageRequest(limit=limit, order=order, after=cursor)
            return store.conversations.list(owner, request)

        return self._next_of(self.both(follow, after))

    def _next_of(self, pages: Pair) -> Any:
        return (pages[0].next, pages[1].next) if pages[0].next else multiple()

    # --- messages

    @rule(
        place=places,
        limit=limits,
        order=orders,
        after=st.none() | message_ids,
        notes=st.booleans(),
    )
    def messages(
        self, place: Place, limit: int, order: Any, after: MessageId | None, notes: bool
    ) -> None:
        request = PageRequest(limit=limit, order=order, after=after)
        self.both(lambda s: s.conversations.messages(*place, request, notes=notes))

    @rule(place=places, changes=changes(), added=st.lists(entries(), max_size=2))
    def change(self, place: Place, changes: Changes, added: list[Message]) -> None:
        """What is another one outside of a turn, or while one runs."""
        self._touched = place
        late = tuple(self._entry(place[1], each) for each in added)
        there = tuple(replace(each, conversation_id=place[1]) for each in changes.replaced)
        self.both(lambda s: s.conversations.change(*place, replace(changes, replaced=there), late))

    @rule(place=places, id=message_ids)
    def message(self, place: Place, id: MessageId) -> None:
        self.both(lambda s: s.conversations.message(*place, id))

    @rule(
        place=places,
        ids=st.lists(message_ids, max_size=3),
        kind=st.sampled_from(["positive", "negative", None]),
    )
    def save_feedback(self, place: Place, ids: Any, kind: FeedbackKind | None) -> None:
        self._touched = place
        self.both(lambda s: s.conversations.save_feedback(*place, ids, kind))

    # --- turns

    @rule(
        target=turns, place=places, new=st.sampled_from([True, True, False]), text=texts, once=onces
    )
    def begin(self, place: Place, new: bool, text: str, once: Once | None) -> Any:
        return self._begin(place, text, once=once, new=new)

    @rule(target=turns, place=places, speech=speeches, state=ends)
    def answer(self, place: Place, speech: Speech, state: EndState) -> Any:
        return self._answered(self._begin(place, "hello", new=True), speech, state)

    @rule(target=turns, place=places, entries=st.lists(entries(), max_size=3), state=ends)
    def show(self, place: Place, entries: list[Message], state: EndState) -> Any:
        """A turn that ends with messages of any kind."""
        turn = self._begin(place, "show me", new=True)
        if isinstance(turn, tuple):
            request, *both = turn
            kept = tuple(self._entry(request.conversation_id, each) for each in entries)
            end = Ending(state=state, messages=kept)
            self.both(lambda s, own: s.turns.finish(own.turn, end), tuple(both))
        return turn

    def _entry(self, id: ConversationId, entry: Message) -> Message:
        kept = replace(entry, id=MessageId(f"msg_{self._shown}"), conversation_id=id)
        self._shown += 1
        return kept

    @rule(target=turns, place=places, speech=speeches, state=ends, once=onces)
    def act(self, place: Place, speech: Speech, state: EndState, once: Once | None) -> Any:
        """A turn without a message: somebody has pressed a button."""
        # what is asked otherwise has another digest
        once = once and replace(once, digest=f"pressed {once.digest}")
        return self._answered(self._begin(place, once=once, pressed=True), speech, state)

    @rule(target=turns, place=places, of=message_ids)
    def retry(self, place: Place, of: MessageId) -> Any:
        return self._begin(place, retry_of=of)

    @rule(target=turns, turn=turns, speech=speeches, state=ends)
    def answer_again(self, turn: Any, speech: Speech, state: EndState) -> Any:
        request, *_ = turn
        place = request.user_id, request.conversation_id
        of = request.retry_of or (request.message.id if request.message else SAID[0])
        return self._answered(self._begin(place, retry_of=of), speech, state)

    def _answered(self, turn: Any, speech: Speech, state: EndState) -> Any:
        if isinstance(turn, tuple):
            self.say(turn, speech, durably=False)
            self.finish(turn, state)
        return turn

    def _begin(
        self,
        place: Place,
        text: str = "",
        once: Once | None = None,
        pressed: bool = False,
        **how: Any,
    ) -> Any:
        owner, id = self._touched = place
        request = ask(f"turn_{self._begun}", text, user_id=owner, conversation_id=id, **how)
        request = replace(request, once=once, by_host=pressed)
        request = replace(request, message=None) if pressed else request
        begun = self.both(lambda s: s.turns.begin(request, WINDOW.high))
        if not isinstance(begun[0], Begun):
            return multiple()
        self._begun += 1
        return request, *(Spoken(each.turn, []) for each in begun)

    @rule(turn=turns)
    def begin_the_same_again(self, turn: tuple[TurnRequest, Spoken, Spoken]) -> None:
        request, *_ = turn
        self._touched = request.user_id, request.conversation_id
        self.both(lambda s: s.turns.begin(request, WINDOW.high))

    @rule(turn=turns, speech=speeches, durably=st.booleans())
    def say(self, turn: Any, speech: Speech, durably: bool) -> None:
        """Said in the turn, and with `durably` written by the journal."""
        _, *both = turn
        self._said += 1
        events = speech.events(f"says_{self._said}")
        for spoken in both:
            spoken.events += events
        if durably:
            self.both(journaled, tuple(both))
            self._compare_events(both)

    @rule(turn=turns, state=ends)
    def finish(self, turn: Any, state: EndState) -> None:
        _, *both = turn
        where = both[0].turn.conversation
        self._touched = where.user_id, where.id
        self.both(
            lambda s, own: s.turns.finish(
                own.turn, ending(own.turn, own.events, state, kept=own.kept)
            ),
            tuple(both),
        )
        self._compare_events(both)

    @rule(target=turns, turn=turns)
    def claim_stale(self, turn: Any) -> Any:
        request, *_ = turn
        place = self._touched = request.user_id, request.conversation_id
        claimed = self.both(lambda s: s.turns.claim_stale(*place))
        if claimed[0] is None:
            return multiple()
        return request, *(Spoken(c.turn, list(c.events), len(c.events)) for c in claimed)

    @rule(target=turns, turn=turns, claim=st.booleans())
    def lose_the_server(self, turn: Any, claim: bool) -> Any:
        """Every lease passes; with `claim`, somebody comes to this turn's conversation."""
        self.both(lambda s: s.turns.abandon_running())
        self.both(lambda s: sorted_places(s.turns.stale()))
        return self.claim_stale(turn) if claim else multiple()

    @rule(turn=turns, by=owners, after=st.integers(0, 3))
    def look_at(self, turn: Any, by: UserId, after: int) -> None:
        request, *_ = turn
        self.both(lambda s: s.turns.turn(by, request.turn_id))
        self.both(lambda s: s.turns.progress(by, request.turn_id, after))

    @rule(place=places)
    def ask_cancel(self, place: Place) -> None:
        self.both(lambda s: s.turns.ask_cancel(*place))

    # --- what is kept

    @invariant()
    def the_same_is_kept(self) -> None:
        self._compare(self._touched)

    def teardown(self) -> None:
        for place in (FIRST, *REST):
            self._compare(place)

    def _compare_events(self, both: list[Spoken]) -> None:
        self.both(lambda s, own: s.kept_events(own.turn), tuple(both))

    def _compare(self, place: Place) -> None:
        whole = PageRequest(limit=100, order="desc")
        self.both(lambda s: s.conversations.get(*place))
        self.both(lambda s: s.conversations.list(place[0], whole))
        self.both(lambda s: s.conversations.messages(*place, whole, notes=True))
        self.both(lambda s: s.verdicts(*place))
        self.both(lambda s: s.turns.last(*place))
