"""What every TurnJournal promises."""

from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.turn_event import (
    TextDelta,
    Titled,
    ToolCallAnswered,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
)
from chatbridge.ports.turn_journal import Entry
from tests.contracts.steps import begin, claim, ending, entry, finish, keep, messages_of
from tests.contracts.store import ALICE, BOB, C1, NOON, Store, StoreContract, ask, call, said

HI = said("says_1", "Hi")


def answered(id: str) -> ToolCallAnswered:
    """A person has answered what a call asks that goes on."""
    return ToolCallAnswered(
        message_id=MessageId("tools_1"),
        call_id=CallId("call_1"),
        decision="given",
        at=NOON,
        id=id,
        answers={"size": ("L",)},
        again=True,
    )


class TurnJournalContract(StoreContract):
    async def test_what_is_said_is_kept(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        assert await keep(store, begun.turn, *HI) == "kept"
        assert await store.kept_events(begun.turn) == list(HI)

    async def test_events_are_kept_in_order_and_once(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await keep(store, begun.turn, *HI[:2])
        await keep(store, begun.turn, Titled(title="Not instead"), HI[2], after=1)
        assert await store.kept_events(begun.turn) == list(HI)

    async def test_every_kind_of_event_comes_back_whole(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events: tuple[TurnEvent, ...] = (
            *said("says_1", "Grüße 👋🏽 ", "\n\t\\ \"'"),
            ToolCallStarted(message_id=MessageId("tools_1"), call=call("call_1", "running")),
            ToolCallFinished(
                message_id=MessageId("tools_1"),
                call_id=CallId("call_1"),
                state="failed",
                output="",
                at=NOON.replace(microsecond=123456),
            ),
            Titled(title="Ü"),
            TurnFailed(code="agent_failed", detail="The model is away."),
            TurnEnded(state="failed"),
        )
        await keep(store, begun.turn, *events)
        assert await store.kept_events(begun.turn) == list(events)

    async def test_the_lease_of_a_quiet_turn_is_renewed(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.abandon_running()
        assert await keep(store, begun.turn) == "kept"
        assert await store.turns.stale() == ()

    async def test_of_two_answers_to_a_running_call_one_is_left_and_nobody_else_reads_it(
        self, store: Store
    ) -> None:
        begun = await begin(store, ask(new=True))
        turn = begun.turn
        await keep(store, turn, *HI)
        given, other = (answered(id) for id in ("one", "two"))
        assert await store.journal.posted(turn, 2) is None
        assert await store.journal.post(turn, 2, given)
        assert not await store.journal.post(turn, 2, other)
        assert await store.journal.post(turn, 3, other)
        assert await store.journal.posted(turn, 2) == given
        opened = await store.turns.opened(turn.conversation.user_id, turn.conversation.id)
        assert opened.events == HI
        await finish(store, begun, (*HI, TurnEnded(state="completed")))
        assert not await store.journal.post(turn, 4, other)

    async def test_many_turns_are_kept_at_once_and_answered_in_order(self, store: Store) -> None:
        turns = [
            (await begin(store, ask(f"turn_{n}", conversation_id=f"conv_{n}", new=True))).turn
            for n in range(5)
        ]
        await store.conversations.delete(ALICE, turns[2].conversation.id)
        await store.turns.ask_cancel(ALICE, turns[3].conversation.id)
        outcomes = await store.journal.keep(
            [entry(turn, Titled(title=turn.id)) for turn in reversed(turns)]
        )
        assert list(outcomes) == ["kept", "stop_asked", "gone", "kept", "kept"]
        for turn in (*turns[:2], *turns[3:]):
            assert await store.kept_events(turn) == [Titled(title=turn.id)]

    async def test_nothing_to_keep_is_no_mistake(self, store: Store) -> None:
        assert list(await store.journal.keep([])) == []

    # --- losing a turn

    async def test_a_turn_that_was_taken_over_keeps_nothing_more(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await claim(store)
        assert await keep(store, begun.turn, *HI) == "taken_over"
        assert await store.kept_events(begun.turn) == []

    async def test_a_turn_that_has_ended_keeps_nothing_more(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await finish(store, begun, ())
        assert await keep(store, begun.turn, *HI) == "taken_over"
        assert await store.kept_events(begun.turn) == []

    async def test_a_turn_is_gone_with_its_conversation(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.conversations.delete(ALICE, C1)
        assert await keep(store, begun.turn, *HI) == "gone"

    async def test_the_new_holder_writes_where_the_old_one_may_not(self, store: Store) -> None:
        old = (await begin(store, ask(new=True))).turn
        new = (await claim(store)).turn
        late, last = entry(old, *HI), entry(new, TurnEnded(state="interrupted"))
        assert list(await store.journal.keep([late, last])) == ["taken_over", "kept"]
        assert await store.kept_events(new) == [TurnEnded(state="interrupted")]

    # --- stop

    async def test_a_turn_that_is_asked_to_stop_can_still_speak(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.ask_cancel(ALICE, C1)
        assert await keep(store, begun.turn, *HI) == "stop_asked"
        assert await keep(store, begun.turn, TurnEnded(state="cancelled"), after=3) == "stop_asked"
        assert len(await store.kept_events(begun.turn)) == 4

    # --- the end

    async def test_finish_carries_what_was_not_kept_while_it_ran(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events = (
            *said("says_1", "Hel", finished=False),
            TextDelta(message_id=MessageId("says_1"), text="lo"),
            TurnEnded(state="cancelled"),
        )
        await keep(store, begun.turn, *events[:2])
        end = ending(begun.turn, events, "cancelled", kept=2)
        assert await store.turns.finish(begun.turn, end) == "cancelled"
        assert await store.kept_events(begun.turn) == list(events)
        _, kept = await messages_of(store.conversations)
        assert (kept.kind, kept.content) == ("partial", "Hello")

    async def test_finish_may_repeat_what_was_kept_while_it_ran(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await keep(store, begun.turn, *HI)
        assert await finish(store, begun, HI) == "completed"
        assert await store.kept_events(begun.turn) == list(HI)

    # --- owners

    async def test_two_owners_may_use_the_same_ids(self, store: Store) -> None:
        alices = (await begin(store, ask(new=True))).turn
        bobs = (await begin(store, ask(user_id=BOB, new=True))).turn
        await store.turns.ask_cancel(BOB, C1)
        entries: list[Entry] = [
            entry(alices, Titled(title="Alice's")),
            entry(bobs, Titled(title="Bob's")),
        ]
        assert list(await store.journal.keep(entries)) == ["kept", "stop_asked"]
        assert await store.kept_events(alices) == [Titled(title="Alice's")]
        assert await store.kept_events(bobs) == [Titled(title="Bob's")]
