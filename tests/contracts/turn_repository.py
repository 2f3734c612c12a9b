"""What every TurnRepository promises."""

import asyncio
from dataclasses import replace

import pytest

from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.errors import Busy, Forbidden, NotFound, TurnLost
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId
from chatbridge.domain.model.turn import Ending
from chatbridge.domain.model.turn_event import (
    Cited,
    EndState,
    Titled,
    TokensUsed,
    TurnEnded,
    TurnFailed,
)
from chatbridge.domain.model.usage import Usage
from tests.contracts.steps import (
    NOT_COMPLETED,
    answered,
    begin,
    claim,
    ending,
    finish,
    keep,
    messages_of,
    refused,
    snapshot,
)
from tests.contracts.store import (
    ALICE,
    BOB,
    C1,
    Replica,
    Report,
    Store,
    ask,
    conversation,
    message,
    said,
    tools,
)
from tests.contracts.turn_beginning import TurnBeginningContract
from tests.contracts.turn_showing import TurnShowingContract
from tests.contracts.turn_waiting import TurnWaitingContract
from tests.contracts.turn_watching import TurnWatchingContract


class TurnRepositoryContract(
    TurnBeginningContract, TurnShowingContract, TurnWaitingContract, TurnWatchingContract
):
    async def test_finish_keeps_the_answer_at_the_end(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        answer = (tools("tools_1"), message("says_1", "Done.", role="assistant"))
        end = Ending(state="completed", messages=answer)
        assert await store.turns.finish(begun.turn, end) == "completed"
        assert await messages_of(store.conversations) == [
            begun.turn.subject,
            *(replace(m, position=n) for n, m in enumerate(answer, 2)),
        ]

    async def test_finish_is_an_activity_and_frees_the_conversation(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await finish(store, begun, said("says_1", "Hi"))
        after = await store.conversations.get(ALICE, C1)
        assert after.updated_at > begun.turn.conversation.updated_at
        second = await begin(store, ask("turn_2"))
        assert [m.position for m in second.newest] == [1, 2, 3]

    async def test_finish_carries_the_tail(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events = (*said("says_1", "Hi"), TurnEnded(state="completed"))
        await finish(store, begun, events)
        assert await store.kept_events(begun.turn) == list(events)

    @pytest.mark.parametrize("state", ["completed", *NOT_COMPLETED])
    async def test_finishing_again_answers_the_same_and_changes_nothing(
        self, store: Store, state: EndState
    ) -> None:
        begun = await begin(store, ask(new=True))
        assert await finish(store, begun, said("says_1", "Hi"), state) == state
        before = await snapshot(store)
        assert await finish(store, begun, said("says_2", "Ho"), state) == state
        assert await finish(store, begun, said("says_3", "Ho"), "failed") == state
        assert await snapshot(store) == before
        assert await store.kept_events(begun.turn) == list(said("says_1", "Hi"))

    async def test_five_finishes_at_once_happen_once(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        events = said("says_1", "Hi")
        states = await asyncio.gather(*(finish(store, begun, events) for _ in range(5)))
        assert states == ["completed"] * 5
        assert [m.id for m in await messages_of(store.conversations)] == ["turn_1_asks", "says_1"]

    async def test_a_turn_that_is_no_longer_ours_can_not_be_finished(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        claimed = await claim(store)
        before = await snapshot(store)
        with pytest.raises(TurnLost):
            await finish(store, begun, said("says_1", "Hi"))
        assert await snapshot(store) == before
        assert await finish(store, claimed, (), "interrupted") == "interrupted"
        with pytest.raises(TurnLost):
            await finish(store, begun, said("says_1", "Hi"))
        assert await messages_of(store.conversations) == before.messages
        assert await store.kept_events(begun.turn) == []

    async def test_a_lease_that_has_passed_is_ours_until_it_is_claimed(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.abandon_running()
        assert await finish(store, begun, said("says_1", "Hi")) == "completed"
        assert await store.turns.stale() == ()

    async def test_a_turn_goes_with_its_conversation(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.conversations.delete(ALICE, C1)
        with pytest.raises(NotFound) as raised:
            await finish(store, begun, said("says_1", "Hi"))
        assert raised.value.code == "turn_not_found"
        with pytest.raises(NotFound):
            await store.conversations.get(ALICE, C1)
        assert await store.kept_events(begun.turn) == []

    async def test_a_turn_may_end_without_a_word(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        assert await finish(store, begun, (), "cancelled") == "cancelled"
        assert await messages_of(store.conversations) == [begun.turn.subject]

    # --- what reports ask for

    async def test_finish_keeps_what_the_turn_has_cost(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        costs = [TokensUsed(input_tokens=n, output_tokens=2 * n) for n in (10, 20)]
        await finish(store, begun, (*costs, *said("says_1", "Hi")))
        cost = Usage(input_tokens=30, output_tokens=60)
        assert await store.kept_report(begun.turn) == Report(usage=cost)

    async def test_where_nobody_has_counted_no_cost_is_kept(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await finish(store, begun, said("says_1", "Hi"))
        assert await store.kept_report(begun.turn) == Report()

    async def test_the_model_is_kept_from_the_begin_on_and_the_code_of_a_failure_at_the_end(
        self, store: Store
    ) -> None:
        begun = await begin(store, ask(new=True, model="gpt-ü"))
        assert await store.kept_report(begun.turn) == Report(model="gpt-ü")
        why = TurnFailed(code="model_timeout", detail="It took too long.")
        await finish(store, begun, (*said("says_1", "Hi"), why), "failed")
        await finish(store, begun, (), "completed")
        assert await store.kept_report(begun.turn) == Report(model="gpt-ü", code="model_timeout")

    async def test_a_turn_that_was_taken_over_keeps_what_is_known_of_it(self, store: Store) -> None:
        begun = await begin(store, ask(new=True, model="gpt-5"))
        await keep(store, begun.turn, *(TokensUsed(input_tokens=10, output_tokens=1),))
        claimed = await claim(store)
        why = TurnFailed(code="interrupted", detail="Its server is gone.")
        await finish(store, claimed, (*claimed.events, why), "interrupted")
        cost = Usage(input_tokens=10, output_tokens=1)
        kept = Report(usage=cost, code="interrupted", model="gpt-5")
        assert await store.kept_report(begun.turn) == kept

    async def test_the_sources_of_an_answer_are_kept_and_read_again(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        page = Citation(title="Oats ü", url="https://example.com/?a=1&b=2", index=7)
        file = Citation(title="oats.pdf")
        cited = [Cited(message_id=MessageId("says_1"), citation=c) for c in (page, file)]
        start, *rest = said("says_1", "Oats.")
        await finish(store, begun, (start, *cited, *rest))
        assert (await messages_of(store.conversations))[-1].citations == (page, file)
        again = await begin(store, ask("turn_2"))
        assert [m.citations for m in again.newest] == [(), (page, file), ()]

    # --- title

    @pytest.mark.parametrize("state", ["completed", *NOT_COMPLETED])
    async def test_the_first_title_is_kept(self, store: Store, state: EndState) -> None:
        begun = await begin(store, ask(new=True))
        await finish(store, begun, (Titled(title="Greetings ü"),), state)
        assert (await store.conversations.get(ALICE, C1)).title == "Greetings ü"

    async def test_a_persons_rename_wins_over_a_title(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.conversations.rename(ALICE, C1, "Mine")
        await finish(store, begun, (Titled(title="Greetings"),))
        assert (await store.conversations.get(ALICE, C1)).title == "Mine"

    async def test_no_title_leaves_none(self, store: Store) -> None:
        await answered(store)
        assert (await store.conversations.get(ALICE, C1)).title is None

    # --- stale turns

    async def test_a_running_turn_can_not_be_claimed(self, store: Store) -> None:
        await begin(store, ask(new=True))
        assert await store.turns.claim_stale(ALICE, C1) is None
        assert await store.turns.stale() == ()

    async def test_a_lease_passes_by_itself(self, replica: Replica) -> None:
        store = replica(0.05)
        await begin(store, ask(new=True))
        await asyncio.sleep(0.1)
        assert await store.turns.stale() == ((ALICE, C1),)

    async def test_a_turn_that_runs_where_it_is_asked_for_is_not_claimed(
        self, store: Store
    ) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.abandon_running()
        assert await store.turns.claim_stale(ALICE, C1, {begun.turn.id}) is None
        assert await keep(store, begun.turn, *said("says_1", "Hi", finished=False)) == "kept"
        assert await store.turns.stale() == ()
        await store.turns.abandon_running()
        assert await store.turns.claim_stale(ALICE, C1, {TurnId("turn_of_ours")}) is not None

    async def test_a_claim_raises_the_epoch_and_brings_what_was_said(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await keep(store, begun.turn, *said("says_1", "Hel", "lo", finished=False))
        claimed = await claim(store)
        assert (claimed.turn.id, claimed.turn.epoch, claimed.turn.retry) == ("turn_1", 2, False)
        assert claimed.turn.subject is None
        assert claimed.turn.conversation == await store.conversations.get(ALICE, C1)
        assert tuple(claimed.events) == said("says_1", "Hel", "lo", finished=False)

    async def test_a_claimed_turn_can_be_finished_by_its_new_owner(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await keep(store, begun.turn, *said("says_1", "Hel", finished=False))
        claimed = await claim(store)
        events = (*claimed.events, TurnEnded(state="interrupted"))
        end = ending(claimed.turn, events, "interrupted", kept=len(claimed.events))
        assert await store.turns.finish(claimed.turn, end) == "interrupted"
        kept = await messages_of(store.conversations)
        assert [(m.id, m.kind, m.content) for m in kept[1:]] == [("says_1", "partial", "Hel")]
        assert await store.kept_events(begun.turn) == [
            *said("says_1", "Hel", finished=False),
            TurnEnded(state="interrupted"),
        ]
        await begin(store, ask("turn_2"))

    async def test_a_claim_renews_the_lease(self, store: Store) -> None:
        await begin(store, ask(new=True))
        await claim(store)
        assert await store.turns.claim_stale(ALICE, C1) is None
        assert await store.turns.stale() == ()
        await refused(store, ask("turn_2"), Busy, "turn_running")

    async def test_five_claims_at_once_and_one_wins(self, store: Store) -> None:
        await begin(store, ask(new=True))
        await store.turns.abandon_running()
        claims = await asyncio.gather(*(store.turns.claim_stale(ALICE, C1) for _ in range(5)))
        assert [c.turn.epoch for c in claims if c is not None] == [2]

    async def test_a_turn_can_go_stale_again_and_again(self, store: Store) -> None:
        await begin(store, ask(new=True))
        assert [(await claim(store)).turn.epoch for _ in range(3)] == [2, 3, 4]

    async def test_where_no_turn_is_running_nothing_can_be_claimed(self, store: Store) -> None:
        assert await store.turns.claim_stale(ALICE, C1) is None
        await answered(store)
        await store.turns.abandon_running()
        assert await store.turns.claim_stale(ALICE, C1) is None

    async def test_nobody_claims_somebody_elses_turn(self, store: Store) -> None:
        await begin(store, ask(new=True))
        await store.turns.abandon_running()
        assert await store.turns.claim_stale(BOB, C1) is None
        assert await store.turns.stale() == ((ALICE, C1),)

    async def test_stale_names_every_owner_and_conversation(self, store: Store) -> None:
        requests = [
            ask(new=True),
            ask(user_id=BOB, new=True),
            ask("turn_3", conversation_id=ConversationId("conv_3"), new=True),
        ]
        for request in requests:
            await begin(store, request)
        await store.turns.abandon_running()
        found = await store.turns.stale()
        assert sorted(found) == [(ALICE, C1), (ALICE, "conv_3"), (BOB, C1)]

    # --- cancel

    async def test_a_running_turn_can_be_asked_to_stop(self, store: Store) -> None:
        await begin(store, ask(new=True))
        assert await store.turns.ask_cancel(ALICE, C1)
        assert await store.turns.ask_cancel(ALICE, C1)

    async def test_where_no_turn_is_running_there_is_nothing_to_stop(self, store: Store) -> None:
        await store.seed(conversation())
        assert not await store.turns.ask_cancel(ALICE, C1)
        await answered(store, new=False)
        assert not await store.turns.ask_cancel(ALICE, C1)

    async def test_nobody_stops_somebody_elses_turn(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        with pytest.raises(Forbidden):
            await store.turns.ask_cancel(BOB, C1)
        assert await keep(store, begun.turn, *said("says_1", "Hi")) == "kept"

    async def test_stopping_in_nobodys_conversation_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound) as raised:
            await store.turns.ask_cancel(ALICE, C1)
        assert raised.value.code == "conversation_not_found"
