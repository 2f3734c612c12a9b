"""What every store promises of what a provider keeps of its conversations."""

from dataclasses import replace

import pytest

from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import Revised
from tests.contracts.steps import answers, begin, exchange, finish
from tests.contracts.store import ALICE, BOB, C1, Store, StoreContract, ask, message, said

ONE, OTHER = CounterpartId("conv_there_1"), CounterpartId("conv_there_2")


async def of(store: Store) -> tuple[str, int | None] | None:
    its = await store.counterparts.of(ALICE, C1)
    return its and (its.id, its.through)


async def left(store: Store) -> list[str]:
    return [its.id for its in await store.counterparts.left()]


async def held(store: Store, turns: int = 2) -> None:
    """A conversation of `turns` exchanges, all of which its counterpart holds."""
    for n in range(turns):
        await exchange(store, message(f"msg_{n}"), *answers(f"says_{n}"))
    await store.counterparts.give(ALICE, C1, ONE)
    await store.counterparts.hold(ALICE, ONE, 2 * turns)


class CounterpartRepositoryContract(StoreContract):
    async def test_a_conversation_has_the_one_that_it_was_given_last(self, store: Store) -> None:
        await begin(store, ask(new=True))
        assert await of(store) is None
        await store.counterparts.give(ALICE, C1, ONE)
        assert await of(store) == (ONE, None)
        await store.counterparts.give(ALICE, C1, OTHER)
        await store.counterparts.give(ALICE, C1, OTHER)
        assert (await of(store), await left(store)) == ((OTHER, None), [ONE])
        assert await store.counterparts.of(BOB, C1) is None

    async def test_what_it_holds_is_not_known_while_it_is_taken(self, store: Store) -> None:
        await held(store)
        taken = await store.counterparts.take(ALICE, C1)
        known = Counterpart(id=ONE, user_id=ALICE, conversation_id=C1, through=4)
        assert taken == known
        assert await store.counterparts.take(ALICE, C1) == replace(known, through=None)
        await store.counterparts.hold(ALICE, ONE, 6)
        assert await of(store) == (ONE, 6)
        assert await store.counterparts.take(BOB, C1) is None

    async def test_one_that_is_left_is_there_until_it_is_forgotten(self, store: Store) -> None:
        await held(store)
        await store.counterparts.forget(ALICE, ONE)
        assert await of(store) == (ONE, 4)
        await store.counterparts.part(BOB, ONE)
        await store.counterparts.part(ALICE, ONE)
        await store.counterparts.hold(ALICE, ONE, 4)
        assert (await of(store), await left(store)) == (None, [ONE])
        await store.counterparts.forget(ALICE, ONE)
        assert await left(store) == []

    async def test_one_is_left_when_its_conversation_is_deleted(self, store: Store) -> None:
        await held(store)
        await store.conversations.delete(ALICE, C1)
        assert (await of(store), await left(store)) == (None, [ONE])

    async def test_one_that_comes_too_late_for_its_conversation_is_left(self, store: Store) -> None:
        await store.counterparts.give(ALICE, C1, ONE)
        assert await left(store) == [ONE]

    async def test_those_that_are_left_come_by_pages(self, store: Store) -> None:
        names = [CounterpartId(f"conv_{n:03}") for n in range(101)]
        for name in names:
            await store.counterparts.give(ALICE, C1, name)
        first = await store.counterparts.left()
        second = await store.counterparts.left(first[-1])
        assert [its.id for its in (*first, *second)] == names
        assert len(first) == 100

    async def test_a_completed_retry_parts_it_where_it_holds_the_earlier_answer(
        self, store: Store
    ) -> None:
        await held(store)
        again = await begin(store, ask("turn_again", retry_of=MessageId("msg_1")))
        await finish(store, again, said("says_x", "no"), "failed")
        assert await of(store) == (ONE, 4)
        again = await begin(store, ask("turn_more", retry_of=MessageId("msg_1")))
        await finish(store, again, said("says_y", "yes"))
        assert (await of(store), await left(store)) == (None, [ONE])

    async def test_a_completed_retry_leaves_one_that_ends_before_it(self, store: Store) -> None:
        await held(store)
        await exchange(store, message("msg_2"), *answers("says_2"))
        again = await begin(store, ask("turn_again", retry_of=MessageId("msg_2")))
        await finish(store, again, said("says_y", "yes"))
        assert await of(store) == (ONE, 4)

    @pytest.mark.parametrize("changed", ["removed", "replaced", "added again"])
    @pytest.mark.parametrize("taken", [False, True])
    async def test_what_it_holds_is_changed_and_it_is_left(
        self, store: Store, changed: str, taken: bool
    ) -> None:
        await held(store)
        if taken:
            await store.counterparts.take(ALICE, C1)
        other = message("says_1", "another", role="assistant")
        changes = {
            "removed": Changes(removed=(MessageId("says_1"),)),
            "replaced": Changes(replaced=(other,)),
            "added again": Changes(),
        }[changed]
        added = (other,) if changed == "added again" else ()
        await store.conversations.change(ALICE, C1, changes, added)
        assert (await of(store), await left(store)) == (None, [ONE])

    async def test_what_is_added_or_changed_behind_it_leaves_it(self, store: Store) -> None:
        await held(store)
        note = message("note_1", "a note", role="assistant", kind="note")
        titled = Changes(revised=Revised(title="Milk"))
        await store.conversations.change(ALICE, C1, titled, (note,))
        gone = Changes(removed=(MessageId("note_1"), MessageId("nowhere")))
        await store.conversations.change(ALICE, C1, gone)
        assert await of(store) == (ONE, 4)
