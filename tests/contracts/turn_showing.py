"""What every store promises of what turns show, and of what they change that was there before."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatbridge.domain.model import refusals
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import Busy, Conflict, Forbidden, Invalid, NotFound
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Changes, Once, Rest
from chatbridge.domain.model.turn_event import (
    Changed,
    EndState,
    Removed,
    Revised,
    Shown,
    Told,
    TurnEvent,
)
from chatbridge.ports.turn_repository import Begun, Repeated, TurnRequest
from tests.contracts.steps import (
    NOT_COMPLETED,
    WINDOW,
    answered,
    begin,
    ending,
    finish,
    keep,
    messages_of,
    refused,
    snapshot,
)
from tests.contracts.store import ALICE, BOB, C1, NOON, Store, StoreContract, ask, message, said

WIDGET = {"type": "widget", "widget": {"z": 1.0, "a": [None, {"ü": 25}]}}


def press(turn: str = "turn_2", **fields: Any) -> TurnRequest:
    """Somebody has pressed a button: a turn without a message."""
    return TurnRequest(user_id=ALICE, conversation_id=C1, turn_id=TurnId(turn), **fields)


def shown(id: str = "w_1", how: Any = "done", **fields: Any) -> Shown:
    given: dict[str, Any] = {"kind": "shown", "content": "", "payload": WIDGET, **fields}
    return Shown(message_id=MessageId(id), at=NOON, how=how, **given)


def removed(id: str) -> Removed:
    return Removed(message_id=MessageId(id), earlier=True)


async def answered_with(store: Store, *events: TurnEvent, turn: str = "turn_1") -> None:
    begun = await begin(store, ask(turn, new=turn == "turn_1"))
    await finish(store, begun, events)


async def notes_too(store: Store) -> list[Message]:
    request = PageRequest(limit=100)
    return list((await store.conversations.messages(ALICE, C1, request, notes=True)).items)


async def counted(store: Store) -> int:
    """How many messages count in the window, and nothing else has begun or ended meanwhile."""
    begun = await begin(store, press("turn_counts"))
    await finish(store, begun, ())
    return begun.counted


def ids(messages: Sequence[Message]) -> list[str]:
    return [m.id for m in messages]


class TurnShowingContract(StoreContract):
    async def test_what_was_shown_is_kept_in_its_place_and_as_it_came(self, store: Store) -> None:
        as_if = shown("u_1", kind="text", role="user", content="I clicked", payload={"p": 1})
        events = (*said("says_1", "Pick:"), shown("w_1", "added"), shown("w_1"), as_if)
        await answered_with(store, *events)
        _, says, widget, clicked = await messages_of(store.conversations)
        assert (says.id, widget.id, clicked.id) == ("says_1", "w_1", "u_1")
        assert (widget.kind, widget.payload, widget.created_at) == ("shown", WIDGET, NOON)
        assert list(widget.payload or ()) == ["type", "widget"], "in the order in which it came"
        assert (clicked.role, clicked.kind, clicked.content) == ("user", "text", "I clicked")
        assert await counted(store) == 3

    async def test_what_was_cut_off_is_kept_with_what_had_changed_in_it(self, store: Store) -> None:
        update = {"type": "widget.root.updated", "n": 1}
        change = Changed(message_id=MessageId("w_1"), payload=update)
        begun = await begin(store, ask(new=True))
        await finish(store, begun, (shown("w_1", "added"), change), "interrupted")
        *_, widget = await messages_of(store.conversations)
        assert widget.payload == {**WIDGET, "updates": [update]}

    async def test_a_note_is_read_by_who_asks_for_it_alone(self, store: Store) -> None:
        await answered_with(store, shown("n_1", "kept", kind="note", content="<SEAT/>"))
        assert ids(await messages_of(store.conversations)) == ["turn_1_asks"]
        assert ids(await notes_too(store)) == ["turn_1_asks", "n_1"]
        assert (await store.conversations.message(ALICE, C1, MessageId("n_1"))).content == "<SEAT/>"
        assert ids((await begin(store, ask("turn_2"))).newest) == [
            "turn_1_asks",
            "n_1",
            "turn_2_asks",
        ]

    async def test_what_is_told_is_in_the_journal_alone(self, store: Store) -> None:
        told = Told(payload={"type": "client_effect", "data": {"n": None}})
        begun = await begin(store, ask(new=True))
        await finish(store, begun, (told,))
        assert await store.kept_events(begun.turn) == [told]
        assert ids(await messages_of(store.conversations)) == ["turn_1_asks"]

    # --- what was there before

    @pytest.mark.parametrize("state", ["completed", *NOT_COMPLETED])
    async def test_a_turn_changes_entries_of_earlier_ones(
        self, store: Store, state: EndState
    ) -> None:
        await answered_with(store, shown("w_1"), *said("says_1", "Hi"), *said("says_2", "Ho"))
        begun = await begin(store, press())
        new = shown("w_1", "replaced", payload={"b": 1}, content="one", earlier=True)
        odd = shown("says_2", "replaced", kind="shown", payload={"c": 1}, earlier=True)
        gone = shown("nowhere", "replaced", earlier=True)
        events = (new, odd, gone, removed("says_1"), removed("nowhere"), *said("says_3", "Done"))
        await finish(store, begun, events, state)
        asked, widget, other, last = await messages_of(store.conversations)
        assert ids([asked, widget, other, last]) == ["turn_1_asks", "w_1", "says_2", "says_3"]
        assert (widget.payload, widget.content, widget.position) == ({"b": 1}, "one", 2)
        assert await counted(store) == 2

    async def test_a_failed_retry_has_changed_nothing(self, store: Store) -> None:
        await answered_with(store, shown("w_1"))
        before = await messages_of(store.conversations)
        begun = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
        new = shown("w_1", "replaced", payload={}, earlier=True)
        revised = Revised(title="Changed", status="closed", metadata={"m": 1})
        await finish(store, begun, (new, removed("turn_1_asks"), revised), "failed")
        assert await messages_of(store.conversations) == before
        kept = await store.conversations.get(ALICE, C1)
        assert (kept.title, kept.status, kept.metadata) == (None, "active", {})

    async def test_a_completed_retry_changes_what_is_still_there(self, store: Store) -> None:
        await answered_with(store, shown("w_1"))
        await answered_with(store, *said("says_2", "Hi"), turn="turn_2")
        begun = await begin(store, ask("turn_3", retry_of="turn_2_asks"))
        new = shown("w_1", "replaced", payload={"b": 1}, earlier=True)
        await finish(store, begun, (new, removed("says_2"), *said("says_3", "Ho")))
        _, widget, _, last = await messages_of(store.conversations)
        assert (widget.payload, last.id) == ({"b": 1}, "says_3")
        assert await counted(store) == 3

    async def test_a_turn_revises_its_conversation(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        one = Revised(title="One", metadata={"a": None})
        await finish(store, begun, (one, Revised(title="Two", status="locked", status_reason="x")))
        kept = await store.conversations.get(ALICE, C1)
        assert (kept.title, kept.status, kept.status_reason) == ("Two", "locked", "x")
        assert kept.metadata == {"a": None}
        await refused(store, ask("turn_2"), Conflict, "conversation_closed")
        await refused(store, press("turn_3"), Conflict, "conversation_closed")

    async def test_a_status_is_lifted_with_its_reason(self, store: Store) -> None:
        closed = Revised(status="closed", status_reason="Enough.")
        await answered_with(store, closed, Revised(title="T"), Revised(status="active"))
        kept = await store.conversations.get(ALICE, C1)
        assert (kept.title, kept.status, kept.status_reason) == ("T", "active", None)

    # --- a turn without a message

    async def test_a_turn_without_a_message_reads_up_to_the_last(self, store: Store) -> None:
        await answered(store)
        request = press(by_host=True)
        begun = await begin(store, request)
        assert (begun.turn.subject, begun.turn.retry, begun.turn.by_host) == (None, False, True)
        assert (ids(begun.newest), begun.counted) == (["turn_1_asks", "turn_1_says"], 2)
        assert await begin(store, request) == begun
        assert (await store.turns.turn(ALICE, begun.turn.id)).by_host
        await finish(store, begun, said("says_2", "Done"))
        assert [m.position for m in await messages_of(store.conversations)] == [1, 2, 3]

    async def test_a_turn_without_a_message_is_refused_as_any(self, store: Store) -> None:
        await refused(store, press(), NotFound, "conversation_not_found")
        await answered(store)
        await refused(store, replace(press(), user_id=BOB), Forbidden, "forbidden")
        await begin(store, press())
        await refused(store, press("turn_3"), Busy, "turn_running")

    async def test_two_requests_of_one_key_are_one_turn(self, store: Store) -> None:
        await answered(store)
        once = Once(key="k", digest="d")
        begun = await begin(store, press(once=once, by_host=True))
        again = await store.turns.begin(press("turn_3", once=once), WINDOW.high)
        assert isinstance(again, Repeated)
        assert (again.turn.id, again.turn.subject, again.turn.by_host) == ("turn_2", None, True)
        await finish(store, begun, ())
        again = await store.turns.begin(press("turn_3", once=once), WINDOW.high)
        assert isinstance(again, Repeated)
        other = Once(key="k", digest="e")
        await refused(store, press("turn_3", once=other), Invalid, "idempotency_key_reused")

    @pytest.mark.parametrize("room", [1, MAX_PAGE])
    async def test_the_entry_that_is_acted_on_is_answered_however_old_it_is(
        self, store: Store, room: int
    ) -> None:
        await answered_with(store, shown("w_1"))
        for n in range(2, 5):
            await answered_with(store, shown(f"w_{n}"), *said(f"says_{n}"), turn=f"turn_{n}")
        for n, (about, newest) in enumerate((("w_1", 2), ("w_4", 2), ("w_0", 2), ("w_1", 100))):
            seen: list[Begun] = []
            request = press(f"press_{n}", about=MessageId(about), judge=seen.append)
            begun = await store.turns.begin(request, newest, room)
            assert isinstance(begun, Begun)
            plain = await self._newest(store, begun, newest, room)
            assert (seen, ids(begun.newest)) == ([begun], plain)
            assert (begun.about and begun.about.id) == (None if about == "w_0" else about)
            assert begun.about is None or begun.about.payload == WIDGET

    async def _newest(self, store: Store, begun: Begun, newest: int, room: int) -> list[str]:
        """What a turn begins with that is about nothing."""
        await finish(store, begun, ())
        other = await store.turns.begin(press(f"{begun.turn.id}_plain"), newest, room)
        assert isinstance(other, Begun)
        await finish(store, other, ())
        return ids(other.newest)

    async def test_a_turn_that_is_judged_unfit_has_never_begun(self, store: Store) -> None:
        await answered_with(store, shown("w_1"))
        once = Once(key="k", digest="d")
        before = await snapshot(store)
        last = await store.turns.last(ALICE, C1)

        def refuse(begun: Begun) -> None:
            assert begun.about is not None
            raise refusals.action_not_offered()

        about = MessageId("w_1")
        request = press(about=about, judge=refuse, once=once)
        await refused(store, request, Conflict, "action_not_offered")
        assert await snapshot(store) == before
        assert await store.turns.last(ALICE, C1) == last
        with pytest.raises(NotFound):
            await store.turns.turn(ALICE, request.turn_id)
        # the key is free, and so is the name
        begun = await begin(store, press(once=once, about=about))
        assert begun.turn.id == request.turn_id

    async def test_a_turn_begins_where_nothing_is_left_to_read(self, store: Store) -> None:
        await answered_with(store, shown("w_1"))
        await finish(store, await begin(store, press()), (removed("turn_1_asks"),))
        begun = await begin(store, press("turn_3"))
        assert (ids(begun.newest), begun.counted) == (["w_1"], 0)
        await finish(store, begun, (removed("w_1"),))
        begun = await begin(store, press("turn_4"))
        assert (begun.newest, begun.counted) == ((), 0)
        assert await begin(store, press("turn_4")) == begun

    # --- outside of a turn

    async def test_a_conversation_is_changed_outside_of_a_turn(self, store: Store) -> None:
        await answered_with(store, shown("w_1"), *said("says_1", "Hi"))
        new = message("w_1", kind="shown", role="assistant", payload={"b": 1})
        late = [message("n_1", kind="note", role="assistant"), message("x_1", role="assistant")]
        revised = Revised(title="T", metadata={"m": [1]}, pictures=[])
        changes = Changes(replaced=(new,), removed=(MessageId("says_1"),), revised=revised)
        before = await store.conversations.get(ALICE, C1)
        await store.conversations.change(ALICE, C1, changes, late)
        _, widget, note, last = await notes_too(store)
        assert (widget.payload, widget.position, note.id, last.id) == ({"b": 1}, 2, "n_1", "x_1")
        after = await store.conversations.get(ALICE, C1)
        assert (after.title, after.metadata, after.status) == ("T", {"m": [1]}, "active")
        assert after.updated_at > before.updated_at
        assert (before.pictures, after.pictures) == (None, [])
        assert await counted(store) == 2
        # whoever takes a turn up knows it
        begun = await begin(store, ask("turn_2"))
        opened = await store.turns.opened(ALICE, C1)
        await store.turns.wait(begun.turn, Rest(seconds=60, tail=()))
        claimed = await store.turns.claim_stale(ALICE, C1, waiting=True)
        assert claimed
        named = await store.turns.turn(ALICE, begun.turn.id)
        turns = (begun.turn, opened.turn, claimed.turn, named)
        assert [turn.conversation.pictures for turn in turns] == [[], [], [], []]

    @pytest.mark.parametrize("rests", [False, True])
    async def test_an_open_turn_says_what_was_revised_beside_it_and_its_end_keeps_that(
        self, store: Store, rests: bool
    ) -> None:
        own = Revised(title="The turn's", agent="B", pictures=["a.example"])
        begun = await begin(store, ask(new=True))
        turn = begun.turn
        assert await keep(store, turn, own) == "kept"
        await store.conversations.rename(ALICE, C1, "Mine")
        locked = Revised(status="locked", status_reason="Audit")
        await store.conversations.change(ALICE, C1, Changes(revised=locked))
        told = await keep(store, turn)
        assert isinstance(told, Revised)
        assert told.id
        both = Revised(title="Mine", status="locked", status_reason="Audit", id=told.id)
        assert told == both
        assert await keep(store, turn) == told
        await keep(store, turn, told, after=1)
        assert await store.kept_events(turn) == [own, told]
        # what is said is told no more, and what is changed next comes alone
        active = Revised(status="active")
        await store.conversations.change(ALICE, C1, Changes(revised=active))
        later = await keep(store, turn)
        assert isinstance(later, Revised)
        assert later == replace(active, id=later.id)
        assert later.id != told.id
        events = own, told
        if rests:
            await store.turns.wait(turn, Rest(seconds=60, tail=()))
            await store.conversations.rename(ALICE, C1, "Last")
            claimed = await store.turns.claim_stale(ALICE, C1, waiting=True)
            assert claimed
            turn = claimed.turn
        await store.turns.finish(turn, ending(turn, events, kept=2))
        kept = await store.conversations.get(ALICE, C1)
        title = "Last" if rests else "Mine"
        assert (kept.title, kept.status, kept.status_reason) == (title, "active", None)
        assert (kept.agent, kept.pictures) == ("B", ["a.example"])

    async def test_what_a_turn_revises_after_it_was_told_stays(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.conversations.rename(ALICE, C1, "Mine")
        told = await keep(store, begun.turn)
        assert isinstance(told, Revised)
        await finish(store, begun, (told, Revised(title="The turn's")))
        assert (await store.conversations.get(ALICE, C1)).title == "The turn's"

    async def test_what_is_added_twice_is_there_once(self, store: Store) -> None:
        await answered(store)
        for content in ("one", "two"):
            late = [message("x_1", content, role="assistant")]
            await store.conversations.change(ALICE, C1, Changes(), late)
        *_, last = await messages_of(store.conversations)
        assert (last.id, last.content, await counted(store)) == ("x_1", "two", 3)

    async def test_what_is_not_ours_is_not_changed(self, store: Store) -> None:
        await answered(store)
        changes = Changes(revised=Revised(title="Mine"))
        with pytest.raises(Forbidden):
            await store.conversations.change(BOB, C1, changes)
        with pytest.raises(NotFound):
            await store.conversations.change(ALICE, ConversationId("conv_2"), changes)
        for owner, error in ((BOB, Forbidden), (ALICE, NotFound)):
            with pytest.raises(error):
                await store.conversations.message(owner, C1, MessageId("nowhere"))
        kept: Conversation = await store.conversations.get(ALICE, C1)
        assert kept.title is None

    async def test_who_goes_on_is_remembered_but_for_a_retry_that_fails(self, store: Store) -> None:
        await answered_with(store, *said("says_1"), Revised(agent="B"))
        begun = await begin(store, ask("turn_2"))
        assert begun.turn.conversation.agent == "B"
        await finish(store, begun, said("says_2"))
        again = TurnRequest(
            user_id=ALICE,
            conversation_id=C1,
            turn_id=TurnId("turn_3"),
            retry_of=MessageId("turn_2_asks"),
        )
        await finish(store, await begin(store, again), (Revised(agent="C"),), "failed")
        assert (await store.conversations.get(ALICE, C1)).agent == "B"
