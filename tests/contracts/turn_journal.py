"""What every TurnJournal promises."""

import asyncio
from dataclasses import replace

import pytest

from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.turn import Recording
from chatbridge.domain.model.turn_event import (
    TextDelta,
    Titled,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
)
from tests.contracts.steps import claim, lost, messages_of, opened, say, until
from tests.contracts.store import ALICE, BOB, C1, NOON, Store, StoreContract, call, said


class TurnJournalContract(StoreContract):
    async def test_what_is_said_becomes_durable(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            await say(store, recording, *said("says_1", "Hi"))
        assert await store.kept_events(recording.turn) == list(said("says_1", "Hi"))

    async def test_what_was_said_before_the_context_becomes_durable_in_it(
        self, store: Store
    ) -> None:
        recording = await opened(store)
        for event in said("says_1", "Hi"):
            recording.say(event)
        store.journal.wake()
        async with store.journal.running():
            await until(recording, lambda: recording.durable == 3)

    async def test_nothing_is_durable_before_it_is_kept(self, store: Store) -> None:
        recording = await opened(store)
        seen: list[tuple[int, int]] = []
        async with store.journal.running():
            for n in range(20):
                recording.say(Titled(title=f"Title {n}"))
                store.journal.wake()
                await asyncio.sleep(0.002)
                durable = recording.durable
                seen.append((durable, len(await store.kept_events(recording.turn))))
            await until(recording, lambda: recording.durable == 20)
        assert all(durable <= kept for durable, kept in seen)

    async def test_events_are_kept_in_order_and_once(self, store: Store) -> None:
        recording = await opened(store)
        recording.say(said("says_1")[0])
        async with store.journal.running():
            for n in range(50):
                recording.say(TextDelta(message_id=MessageId("says_1"), text=f"{n} "))
                store.journal.wake()
                await asyncio.sleep(0.001)
            await until(recording, lambda: recording.durable == 51)
        assert await store.kept_events(recording.turn) == recording.events

    async def test_every_kind_of_event_comes_back_whole(self, store: Store) -> None:
        recording = await opened(store)
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
        async with store.journal.running():
            await say(store, recording, *events)
        assert await store.kept_events(recording.turn) == list(events)

    async def test_a_call_is_known_to_be_durable(self, store: Store) -> None:
        recording = await opened(store)
        start = ToolCallStarted(message_id=MessageId("tools_1"), call=call("call_1", "running"))
        recording.say(start)
        assert not recording.is_durable("call_1")
        async with store.journal.running():
            store.journal.wake()
            await until(recording, lambda: recording.is_durable("call_1"))

    async def test_a_heartbeat_writes_what_nobody_announced(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            recording.say(Titled(title="Quiet"))
            await until(recording, lambda: recording.durable == 1)

    async def test_the_lease_of_a_quiet_turn_is_kept(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            await store.turns.abandon_running()
            await store.turns.ask_cancel(ALICE, C1)
            await until(recording, lambda: recording.cancel_asked)
            assert await store.turns.stale() == ()

    async def test_outside_its_context_it_writes_nothing(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            await say(store, recording, *said("says_1", "Hi"))
        recording.say(Titled(title="Late"))
        store.journal.wake()
        await asyncio.sleep(0.15)
        assert recording.durable == 3

    async def test_it_can_run_again(self, store: Store) -> None:
        recording = await opened(store)
        for n in range(3):
            async with store.journal.running():
                await say(store, recording, Titled(title=f"Title {n}"))
        assert len(await store.kept_events(recording.turn)) == 3

    async def test_leaving_takes_its_task_along(self, store: Store) -> None:
        before = asyncio.all_tasks()
        await opened(store)
        async with store.journal.running():
            store.journal.wake()
            await asyncio.sleep(0.02)
        assert asyncio.all_tasks() <= before

    async def test_leaving_by_an_error_lets_the_error_through(self, store: Store) -> None:
        before = asyncio.all_tasks()
        with pytest.raises(LookupError, match="the caller's own"):
            async with store.journal.running():
                raise LookupError("the caller's own")
        assert asyncio.all_tasks() <= before

    # --- losing a turn

    async def test_a_turn_that_was_taken_over_is_lost(self, store: Store) -> None:
        recording = await opened(store)
        await claim(store)
        async with store.journal.running():
            await lost(store, recording, "turn_lost")
        assert recording.durable == 0
        assert await store.kept_events(recording.turn) == []

    async def test_a_turn_that_has_ended_elsewhere_is_lost(self, store: Store) -> None:
        recording = await opened(store)
        twin = Recording(recording.turn)
        await store.turns.finish(twin, "completed", ())
        async with store.journal.running():
            await lost(store, recording, "turn_lost")
        assert await store.kept_events(recording.turn) == []

    async def test_a_turn_is_lost_with_its_conversation(self, store: Store) -> None:
        recording = await opened(store)
        await store.conversations.delete(ALICE, C1)
        async with store.journal.running():
            await lost(store, recording, "conversation_deleted")

    async def test_losing_is_told_once(self, store: Store) -> None:
        recording = await opened(store)
        await store.conversations.delete(ALICE, C1)
        told: list[bool] = []
        async with store.journal.running():
            recording.on_change = lambda: told.append(True)
            store.journal.wake()
            await asyncio.sleep(0.15)
        assert told == [True]

    async def test_one_lost_turn_does_not_stop_the_others(self, store: Store) -> None:
        deleted = await opened(store, "turn_1")
        others = [await opened(store, f"turn_{n}", f"conv_{n}") for n in range(2, 6)]
        await store.conversations.delete(ALICE, C1)
        async with store.journal.running():
            for other in others:
                other.say(Titled(title=other.turn.id))
            await lost(store, deleted, "conversation_deleted")
            for other in others:
                await until(other, lambda other=other: other.durable == 1)
        for other in others:
            assert await store.kept_events(other.turn) == [Titled(title=other.turn.id)]
            assert other.lost is None

    async def test_the_new_owner_writes_where_the_old_one_may_not(self, store: Store) -> None:
        old = await opened(store)
        claimed = await claim(store)
        async with store.journal.running():
            await lost(store, old, "turn_lost")
            store.journal.open(claimed)
            await say(store, claimed, TurnEnded(state="interrupted"))
        assert await store.kept_events(old.turn) == [TurnEnded(state="interrupted")]

    # --- cancel

    async def test_a_stop_reaches_the_one_who_runs_the_turn(self, store: Store) -> None:
        recording = await opened(store)
        other = await opened(store, "turn_2", "conv_2")
        async with store.journal.running():
            assert await store.turns.ask_cancel(ALICE, C1)
            await until(recording, lambda: recording.cancel_asked)
            await say(store, other, Titled(title="Going on"))
        assert not other.cancel_asked
        assert recording.lost is None

    async def test_a_turn_that_is_asked_to_stop_can_still_speak(self, store: Store) -> None:
        recording = await opened(store)
        await store.turns.ask_cancel(ALICE, C1)
        async with store.journal.running():
            await say(store, recording, *said("says_1", "Hi"), TurnEnded(state="cancelled"))
        assert len(await store.kept_events(recording.turn)) == 4

    # --- closing

    async def test_a_closed_recording_is_left_alone(self, store: Store) -> None:
        recording = await opened(store)
        other = await opened(store, "turn_2", "conv_2")
        async with store.journal.running():
            store.journal.close(recording)
            recording.say(Titled(title="Unsaid"))
            await store.turns.ask_cancel(ALICE, C1)
            await say(store, other, Titled(title="Said"))
        assert (recording.durable, recording.cancel_asked) == (0, False)

    async def test_closing_again_is_harmless(self, store: Store) -> None:
        recording = await opened(store)
        store.journal.close(recording)
        store.journal.close(recording)

    async def test_finish_after_close_carries_the_tail(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            await say(store, recording, *said("says_1", "Hel", finished=False))
            store.journal.close(recording)
            recording.say(TextDelta(message_id=MessageId("says_1"), text="lo"))
            recording.say(TurnEnded(state="cancelled"))
            closed = recording.transcript.closed()
            assert await store.turns.finish(recording, "cancelled", closed) == "cancelled"
        assert await store.kept_events(recording.turn) == recording.events
        _, kept = await messages_of(store.conversations)
        assert (kept.kind, kept.content) == ("partial", "Hello")

    async def test_finish_may_repeat_what_a_tick_has_just_kept(self, store: Store) -> None:
        recording = await opened(store)
        async with store.journal.running():
            await say(store, recording, *said("says_1", "Hi"))
        repeated = Recording(recording.turn)
        for event in recording.events:
            repeated.say(event)
        closed = repeated.transcript.closed()
        assert await store.turns.finish(repeated, "completed", closed) == "completed"
        assert await store.kept_events(recording.turn) == recording.events

    # --- owners

    async def test_two_owners_may_use_the_same_ids(self, store: Store) -> None:
        alices, bobs = await opened(store), await opened(store, user_id=BOB)
        async with store.journal.running():
            await store.turns.ask_cancel(BOB, C1)
            alices.say(Titled(title="Alice's"))
            await say(store, bobs, Titled(title="Bob's"))
            await until(alices, lambda: alices.durable == 1)
            await until(bobs, lambda: bobs.cancel_asked)
        assert await store.kept_events(alices.turn) == [Titled(title="Alice's")]
        assert await store.kept_events(bobs.turn) == [Titled(title="Bob's")]
        assert not alices.cancel_asked

    async def test_closing_the_old_recording_of_a_turn_leaves_the_new_one_open(
        self, store: Store
    ) -> None:
        old = await opened(store)
        claimed = await claim(store)
        store.journal.open(claimed)
        store.journal.close(old)
        async with store.journal.running():
            await say(store, claimed, TurnEnded(state="interrupted"))
        assert claimed.turn == replace(old.turn, epoch=2, subject=None)
