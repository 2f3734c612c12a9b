"""What every TurnRepository promises of turns that wait for a person."""

import asyncio
from itertools import permutations

import pytest

from chatbridge.domain.model.answer import Answer
from chatbridge.domain.model.errors import Conflict, Forbidden, NotFound, TurnLost, TurnWaits
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Changes, Rest
from chatbridge.domain.model.turn_event import (
    Revised,
    ToolCallAsked,
    ToolCallStarted,
    TurnEvent,
    TurnWaiting,
)
from chatbridge.domain.model.usage import Usage
from chatbridge.ports.turn_repository import Begun, Claimed, LastTurn, Opened
from tests.contracts.steps import WINDOW, begin, finish, keep, messages_of
from tests.contracts.store import ALICE, BOB, C1, Store, StoreContract, ask, call, said

STEP = MessageId("step_1")
A_DAY = 86_400.0


def asked(*ids: str) -> tuple[TurnEvent, ...]:
    """A step whose calls all wait."""
    started = (ToolCallStarted(message_id=STEP, call=call(id, "waiting")) for id in ids)
    asks = (ToolCallAsked(message_id=STEP, call_id=CallId(id), asks="approval") for id in ids)
    return (*started, *asks, TurnWaiting())


def approval(events: tuple[TurnEvent, ...], id: str = "call_1") -> tuple[TurnEvent, ...]:
    return Answer(call_id=CallId(id), decision="approved").events(Transcript(C1, events))


async def waiting(
    store: Store,
    *ids: str,
    seconds: float = A_DAY,
    title: str | None = None,
    place: ConversationId = C1,
) -> Begun:
    """A turn that waits."""
    begun = await begin(store, ask(f"turn_in_{place}", new=True, conversation_id=place))
    tail = tuple(enumerate(asked(*(ids or ("call_1",))), 1))
    usage = Usage(input_tokens=3, output_tokens=2)
    rest = Rest(seconds=seconds, tail=tail, title=title, usage=usage)
    assert await store.turns.wait(begun.turn, rest)
    return begun


async def _goes_on(store: Store, opened: Opened) -> str:
    try:
        begun = await store.turns.answer(opened, approval(opened.events))
    except Conflict as error:
        return error.code
    return "goes on" if begun else "changed"


async def _closes(store: Store, place: ConversationId) -> str:
    claimed = await store.turns.claim_stale(ALICE, place, waiting=True)
    if claimed is None:
        return "nothing waits"
    return "closed" if await finish(store, claimed, (), "cancelled") == "cancelled" else "lost"


async def _asks(store: Store, place: ConversationId, n: int) -> str:
    """As a message does: what waits is closed, and it begins, or meets who goes on."""
    for _ in range(2):
        try:
            await store.turns.begin(ask(f"turn_next_{n}", conversation_id=place), WINDOW.high)
        except TurnWaits:
            if (closed := await _closes(store, place)) == "closed":
                return closed
        except Conflict as error:
            return error.code
        else:
            return "begun"
    return "met somebody"


async def _all_at_once(
    store: Store, n: int, order: tuple[int, ...], *, in_time: bool = True
) -> bool:
    """Whether somebody won. Of two, never; of none, where a store that was silent for too long was
    asked again: it is taken then, and whoever took it does not know.
    """
    place = ConversationId(f"conv_race_{n}")
    begun = await waiting(store, seconds=A_DAY if in_time else 0.0, place=place)
    opened = await store.turns.opened(ALICE, place)
    everybody = [
        _goes_on(store, opened),
        _goes_on(store, opened),
        _closes(store, place),
        _asks(store, place, n),
    ]
    done = await asyncio.gather(*(everybody[who] for who in order))
    won = [each for each in done if each in ("goes on", "closed")]
    assert len(won) <= 1
    assert in_time or "goes on" not in won, "nobody answers too late"
    progress = await store.turns.progress(ALICE, begun.turn.id)
    assert progress.state == ("cancelled" if won == ["closed"] else "running")
    return bool(won)


class TurnWaitingContract(StoreContract):
    async def test_a_turn_rests_with_all_that_it_said(self, store: Store) -> None:
        begun = await waiting(store, title="Milk")
        opened = await store.turns.opened(ALICE, C1)
        assert (opened.turn.id, opened.turn.epoch, opened.state, opened.stale) == (
            begun.turn.id,
            1,
            "waiting",
            False,
        )
        assert opened.events == asked("call_1")
        assert (await store.conversations.get(ALICE, C1)).title == "Milk"
        last = await store.turns.last(ALICE, C1)
        assert last == LastTurn(id=begun.turn.id, state="waiting", retry=False)
        progress = await store.turns.progress(ALICE, begun.turn.id)
        assert (progress.state, progress.stale) == ("waiting", False)
        assert await messages_of(store.conversations) == [begun.turn.subject]
        assert await store.turns.stale() == ()

    async def test_those_that_wait_are_listed_as_long_as_they_can_be_answered(
        self, store: Store
    ) -> None:
        async def waits() -> list[ConversationId]:
            page = await store.conversations.list(ALICE, PageRequest(), waiting=True)
            return [conversation.id for conversation in page.items]

        assert await waits() == []
        elsewhere = ConversationId("conv_elsewhere")
        await begin(store, ask("turn_2", new=True, conversation_id=elsewhere))
        await waiting(store)
        page = await store.conversations.list(BOB, PageRequest(), waiting=True)
        assert (await waits(), page.items) == ([C1], ())
        every = (await store.conversations.list(ALICE, PageRequest())).items
        assert {each.id: each.waits for each in every} == {C1: True, elsewhere: False}
        opened = await store.turns.opened(ALICE, C1)
        await store.turns.answer(opened, approval(opened.events))
        assert await waits() == []

    async def test_one_that_waits_too_long_is_listed_no_more(self, store: Store) -> None:
        await waiting(store, seconds=-1)
        page = await store.conversations.list(ALICE, PageRequest(), waiting=True)
        assert page.items == ()

    async def test_who_has_let_it_rest_keeps_nothing_more_of_it(self, store: Store) -> None:
        begun = await waiting(store, seconds=1.0)
        assert await keep(store, begun.turn, TurnWaiting(), after=9) == "taken_over"
        assert (await store.turns.opened(ALICE, C1)).events == asked("call_1")

    async def test_it_rests_once_and_only_for_who_holds_it(self, store: Store) -> None:
        begun = await waiting(store)
        rest = Rest(seconds=A_DAY, tail=tuple(enumerate(asked("call_1"), 1)))
        assert await store.turns.wait(begun.turn, rest)
        opened = await store.turns.opened(ALICE, C1)
        await store.turns.answer(opened, approval(opened.events))
        with pytest.raises(TurnLost):
            await store.turns.wait(begun.turn, rest)

    async def test_a_stop_that_was_asked_for_keeps_it_from_resting(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        assert await store.turns.ask_cancel(ALICE, C1)
        assert not await store.turns.wait(begun.turn, Rest(seconds=A_DAY, tail=()))
        assert (await store.turns.opened(ALICE, C1)).state == "running"

    async def test_the_last_answer_lets_it_run_under_the_next_epoch(self, store: Store) -> None:
        begun = await waiting(store, "call_1", "call_2")
        opened = await store.turns.opened(ALICE, C1)
        partly = approval(opened.events)
        first = await store.turns.answer(opened, partly)
        assert first is not None
        assert first.turn.epoch == 1
        opened = await store.turns.opened(ALICE, C1)
        assert (opened.state, opened.events[-len(partly) :]) == ("waiting", partly)
        whole = approval(opened.events, "call_2")
        gone_on = await store.turns.answer(opened, whole, newest=WINDOW.high)
        assert gone_on is not None
        assert (gone_on.turn.epoch, gone_on.turn.subject) == (2, begun.turn.subject)
        assert (gone_on.newest, gone_on.counted) == (begun.newest, begun.counted)
        assert await keep(store, begun.turn) == "taken_over"
        assert await keep(store, gone_on.turn) == "kept"
        assert await finish(store, gone_on, said("says_1", "Done.")) == "completed"

    async def test_of_answers_at_once_one_is_kept(self, store: Store) -> None:
        await waiting(store)
        opened = await store.turns.opened(ALICE, C1)
        answers = [approval(opened.events) for _ in range(5)]
        kept = await asyncio.gather(*(store.turns.answer(opened, each) for each in answers))
        assert len([each for each in kept if each is not None]) == 1

    async def test_of_all_who_come_at_once_one_wins(self, store: Store) -> None:
        """Two answers, a message and somebody who takes it over, in all orders, in time or late."""
        orders = [*permutations(range(4))]
        races = [_all_at_once(store, n, who) for n, who in enumerate(orders)]
        late = enumerate(orders[:16], 100)
        races += [_all_at_once(store, n, who, in_time=False) for n, who in late]
        # not all at once: a pool has fewer connections
        won = [await asyncio.gather(*races[first : first + 4]) for first in range(0, 40, 4)]
        assert sum(map(sum, won)) > 30

    async def test_nothing_is_answered_too_late_or_in_a_locked_conversation(
        self, store: Store
    ) -> None:
        await waiting(store, seconds=0.0)
        opened = await store.turns.opened(ALICE, C1)
        assert opened.stale
        with pytest.raises(Conflict) as late:
            await store.turns.answer(opened, approval(opened.events))
        assert late.value.code == "question_expired"
        locked = Changes(revised=Revised(status="locked"))
        await store.conversations.change(ALICE, C1, locked)
        with pytest.raises(Conflict) as closed:
            await store.turns.answer(opened, approval(opened.events))
        assert closed.value.code == "conversation_closed"

    async def test_whoever_begins_meets_it_and_may_take_it_over(self, store: Store) -> None:
        begun = await waiting(store)
        with pytest.raises(TurnWaits):
            await store.turns.begin(ask("turn_2"), WINDOW.high)
        assert await store.turns.claim_stale(ALICE, C1) is None
        opened = await store.turns.opened(ALICE, C1)
        claims = [store.turns.claim_stale(ALICE, C1, waiting=True) for _ in range(3)]
        claimed = [each for each in await asyncio.gather(*claims) if each is not None]
        assert claimed == [Claimed(turn=claimed[0].turn, events=asked("call_1"))]
        assert claimed[0].turn.epoch == begun.turn.epoch + 1
        assert await store.turns.answer(opened, approval(opened.events)) is None
        await finish(store, claimed[0], (), "cancelled")
        with pytest.raises(TurnLost):
            await store.turns.wait(begun.turn, Rest(seconds=A_DAY, tail=()))
        await store.turns.begin(ask("turn_2"), WINDOW.high)

    async def test_one_that_nobody_answered_is_stale(self, store: Store) -> None:
        begun = await waiting(store, seconds=0.0)
        assert await store.turns.stale() == ((ALICE, C1),)
        assert (await store.turns.progress(ALICE, begun.turn.id)).stale
        claimed = await store.turns.claim_stale(ALICE, C1)
        assert claimed is not None
        assert claimed.events == asked("call_1")
        assert await store.turns.stale() == ()

    async def test_it_outlives_a_start_that_abandons_what_runs(self, store: Store) -> None:
        await waiting(store)
        await store.turns.abandon_running()
        assert not (await store.turns.opened(ALICE, C1)).stale

    async def test_only_its_owner_opens_it(self, store: Store) -> None:
        await waiting(store)
        with pytest.raises(Forbidden):
            await store.turns.opened(BOB, C1)
        with pytest.raises(NotFound):
            await store.turns.opened(ALICE, ConversationId("conv_none"))

    async def test_a_deleted_conversation_has_nothing_to_answer(self, store: Store) -> None:
        begun = await waiting(store)
        opened = await store.turns.opened(ALICE, C1)
        await store.conversations.delete(ALICE, C1)
        with pytest.raises(NotFound):
            await store.turns.answer(opened, approval(opened.events))
        with pytest.raises(NotFound):
            await store.turns.wait(begun.turn, Rest(seconds=A_DAY, tail=()))
