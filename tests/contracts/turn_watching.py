"""What every TurnRepository promises to those who ask twice, and to those who only watch."""

import asyncio
from dataclasses import replace

import pytest

from chatbridge.domain.model.errors import Conflict, Forbidden, Invalid, NotFound
from chatbridge.domain.model.identifiers import ConversationId, TurnId
from chatbridge.domain.model.turn import Once
from chatbridge.domain.model.turn_event import TurnEnded, TurnEvent
from chatbridge.ports.turn_repository import Begun, LastTurn, Progress, Repeated, TurnRequest
from tests.contracts.steps import WINDOW, answered, begin, claim, finish, keep, messages_of, refused
from tests.contracts.store import ALICE, BOB, C1, Store, StoreContract, ask, said

ONCE = Once(key="key-1", digest="digest-1")


def once(request: TurnRequest, named: Once = ONCE) -> TurnRequest:
    return replace(request, once=named)


async def repeat(store: Store, request: TurnRequest) -> Repeated:
    repeated = await store.turns.begin(request, WINDOW.high)
    assert isinstance(repeated, Repeated)
    return repeated


class TurnWatchingContract(StoreContract):
    # --- asked twice

    async def test_a_request_of_the_same_key_is_answered_with_its_turn(self, store: Store) -> None:
        begun = await begin(store, once(ask(new=True)))
        repeated = await repeat(store, once(ask("turn_2")))
        assert repeated.turn == begun.turn
        assert await messages_of(store.conversations) == [begun.turn.subject]

    async def test_so_it_is_when_the_turn_has_ended(self, store: Store) -> None:
        begun = await begin(store, once(ask(new=True)))
        await finish(store, begun, said("says_1", "Hi"))
        await answered(store, "turn_2", new=False)
        repeated = await repeat(store, once(ask("turn_3")))
        assert (repeated.turn.id, repeated.turn.subject) == ("turn_1", begun.turn.subject)
        assert len(await messages_of(store.conversations)) == 4

    async def test_a_new_conversation_is_made_once_for_a_key(self, store: Store) -> None:
        requests = [
            once(ask(f"turn_{n}", conversation_id=ConversationId(f"conv_{n}"), new=True))
            for n in range(5)
        ]
        answers = await asyncio.gather(*(store.turns.begin(r, WINDOW.high) for r in requests))
        (begun,) = [a for a in answers if isinstance(a, Begun)]
        assert {a.turn.id for a in answers} == {begun.turn.id}
        assert {a.turn.conversation.id for a in answers} == {begun.turn.conversation.id}
        for request in requests:
            if request.conversation_id != begun.turn.conversation.id:
                with pytest.raises(NotFound):
                    await store.conversations.get(ALICE, request.conversation_id)

    async def test_five_of_the_same_key_at_once_are_one_turn(self, store: Store) -> None:
        await answered(store)
        requests = [once(ask(f"turn_{n}")) for n in range(2, 7)]
        answers = await asyncio.gather(*(store.turns.begin(r, WINDOW.high) for r in requests))
        assert len({a.turn.id for a in answers}) == 1
        assert sum(isinstance(a, Begun) for a in answers) == 1
        assert len(await messages_of(store.conversations)) == 3

    async def test_the_same_key_with_another_request_is_refused(self, store: Store) -> None:
        await begin(store, once(ask(new=True)))
        other = once(ask("turn_2"), Once(key="key-1", digest="digest-2"))
        await refused(store, other, Invalid, "idempotency_key_reused")
        elsewhere = ask("turn_3", conversation_id=ConversationId("conv_3"), new=True)
        await refused(store, replace(elsewhere, once=other.once), Invalid, "idempotency_key_reused")
        with pytest.raises(NotFound):
            await store.conversations.get(ALICE, ConversationId("conv_3"))

    async def test_a_key_is_its_owners_own(self, store: Store) -> None:
        await begin(store, once(ask(new=True)))
        await begin(store, once(ask(user_id=BOB, new=True)))

    async def test_a_refused_request_uses_no_key_up(self, store: Store) -> None:
        await refused(store, once(ask()), NotFound, "conversation_not_found")
        await begin(store, once(ask(new=True)))

    async def test_a_retry_is_repeated_too(self, store: Store) -> None:
        await answered(store)
        again = once(ask("turn_2", retry_of="turn_1_asks"))
        begun = await begin(store, again)
        repeated = await repeat(store, replace(again, turn_id=TurnId("turn_3")))
        assert repeated.turn == begun.turn

    async def test_what_was_asked_and_is_deleted_has_ended(self, store: Store) -> None:
        await answered(store)
        await finish(store, await begin(store, once(ask("turn_2"))), said("says_2", "Ho"))
        again = await begin(store, ask("turn_3", retry_of="turn_1_asks"))
        await finish(store, again, said("says_3", "Instead"))
        await refused(store, once(ask("turn_4")), Conflict, "turn_ended")

    # --- watched

    async def test_a_turn_is_found_by_its_owner(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        found = await store.turns.turn(ALICE, begun.turn.id)
        assert found == replace(begun.turn, subject=None)
        await finish(store, begun, said("says_1", "Hi"))
        assert (await store.turns.turn(ALICE, begun.turn.id)).id == begun.turn.id

    async def test_a_turn_is_somebody_elses_or_nobodys(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        with pytest.raises(Forbidden):
            await store.turns.turn(BOB, begun.turn.id)
        with pytest.raises(NotFound) as raised:
            await store.turns.turn(ALICE, TurnId("turn_nobodys"))
        assert raised.value.code == "turn_not_found"

    async def test_the_last_turn_of_a_conversation_is_known(self, store: Store) -> None:
        assert await store.turns.last(ALICE, C1) is None
        begun = await begin(store, ask(new=True))
        first = LastTurn(id=begun.turn.id, state="running", retry=False)
        assert await store.turns.last(ALICE, C1) == first
        assert await store.turns.last(BOB, C1) is None
        await finish(store, begun, said("says_1", "Hi"), "failed")
        assert await store.turns.last(ALICE, C1) == replace(first, state="failed")
        await answered(store, "turn_2", new=False)
        again = await begin(store, ask("turn_3", retry_of="turn_1_asks"))
        assert await store.turns.last(ALICE, C1) == LastTurn(
            id=again.turn.id, state="running", retry=True
        )

    async def test_progress_tells_the_durable_events_after_a_number(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        empty = Progress(state="running", stale=False, kept=False, events=())
        assert await store.turns.progress(ALICE, begun.turn.id) == empty
        events = said("says_1", "Hel", "lo", finished=False)
        await keep(store, begun.turn, *events)
        for after in range(5):
            assert await store.turns.progress(ALICE, begun.turn.id, after) == Progress(
                state="running", stale=False, kept=True, events=events[after:]
            )

    async def test_a_long_turn_is_told_in_parts_and_taken_over_whole(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events = said("says_1", *["word "] * 2_500, finished=False)
        await keep(store, begun.turn, *events)
        told: list[TurnEvent] = []
        more = True
        while more:
            progress = await store.turns.progress(ALICE, begun.turn.id, len(told))
            told += progress.events
            more = progress.more
        assert tuple(told) == events
        assert (await claim(store)).events == events

    async def test_progress_tells_the_end_and_its_events_together(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events = (*said("says_1", "Hi"), TurnEnded(state="completed"))
        await finish(store, begun, events)
        assert await store.turns.progress(ALICE, begun.turn.id, 3) == Progress(
            state="completed", stale=False, kept=True, events=events[3:]
        )

    async def test_progress_tells_that_a_lease_has_passed(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.abandon_running()
        assert (await store.turns.progress(ALICE, begun.turn.id)).stale
        await finish(store, await claim(store), (), "interrupted")
        progress = await store.turns.progress(ALICE, begun.turn.id)
        assert (progress.state, progress.stale) == ("interrupted", False)

    async def test_there_is_no_progress_of_a_turn_that_is_gone(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.conversations.delete(ALICE, C1)
        with pytest.raises(NotFound) as raised:
            await store.turns.progress(ALICE, begun.turn.id)
        assert raised.value.code == "turn_not_found"
