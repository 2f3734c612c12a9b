"""What every TurnRepository promises about the beginning of a turn."""

import asyncio
from dataclasses import replace

import pytest

from chatbridge.domain.model.errors import Busy, Conflict, Forbidden, Invalid, NotFound, StaleTurn
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.turn import Ending
from chatbridge.domain.model.turn_event import EndState
from chatbridge.ports.turn_repository import Begun
from tests.contracts.steps import (
    NOT_COMPLETED,
    WINDOW,
    answered,
    answers,
    begin,
    claim,
    exchange,
    finish,
    messages_of,
    readable,
    refused,
)
from tests.contracts.store import (
    ALICE,
    BOB,
    C1,
    Store,
    StoreContract,
    ask,
    call,
    conversation,
    message,
    said,
    tools,
)


class TurnBeginningContract(StoreContract):
    async def test_a_first_message_makes_its_conversation(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        kept = await store.conversations.get(ALICE, C1)
        assert begun.turn.conversation == kept
        assert (kept.user_id, kept.title, kept.status) == (ALICE, None, "active")
        assert kept.updated_at.utcoffset() is not None

    async def test_begin_answers_the_turn_and_its_subject(self, store: Store) -> None:
        request = ask(new=True)
        assert request.message is not None
        request = replace(request, message=replace(request.message, payload={"a": [1, {}]}))
        begun = await begin(store, request)
        assert request.message is not None
        subject = replace(request.message, position=1)
        assert (begun.turn.id, begun.turn.epoch, begun.turn.retry) == ("turn_1", 1, False)
        assert begun.turn.subject == subject
        assert begun.newest == (subject,)
        assert await messages_of(store.conversations) == [subject]

    async def test_begin_in_a_conversation_that_exists(self, store: Store) -> None:
        await store.seed(conversation(title="Plans", metadata={"a": {"b": 1}}))
        await exchange(store, message("msg_1"))
        before = await store.conversations.get(ALICE, C1)
        begun = await begin(store, ask())
        after = begun.turn.conversation
        assert after.updated_at > before.updated_at
        assert replace(after, updated_at=before.updated_at) == before
        assert [m.id for m in begun.newest] == ["msg_1", "turn_1_asks"]
        assert begun.newest[-1].position == 2

    async def test_new_takes_a_conversation_that_exists_as_it_is(self, store: Store) -> None:
        await store.seed(conversation(title="Plans"))
        begun = await begin(store, ask(new=True))
        assert begun.turn.conversation.title == "Plans"

    async def test_nobodys_conversation_is_not_found(self, store: Store) -> None:
        await refused(store, ask(), NotFound, "conversation_not_found")

    async def test_somebody_elses_conversation_is_forbidden(self, store: Store) -> None:
        await store.seed(conversation())
        await refused(store, ask(user_id=BOB), Forbidden, "forbidden")
        assert await messages_of(store.conversations) == []

    async def test_two_owners_may_use_the_same_ids(self, store: Store) -> None:
        alices = await begin(store, ask(new=True))
        bobs = await begin(store, ask(user_id=BOB, new=True))
        assert alices.turn.conversation.user_id == ALICE
        assert bobs.turn.conversation.user_id == BOB
        await finish(store, bobs, said("bobs", "Hi Bob"))
        assert [m.id for m in await messages_of(store.conversations)] == ["turn_1_asks"]
        assert await finish(store, alices, said("alices", "Hi Alice")) == "completed"
        assert [m.id for m in await messages_of(store.conversations)] == ["turn_1_asks", "alices"]

    @pytest.mark.parametrize("status", ["locked", "closed"])
    async def test_only_an_active_conversation_takes_messages(
        self, store: Store, status: str
    ) -> None:
        await store.seed(conversation(status=status))
        await refused(store, ask(), Conflict, "conversation_closed")
        assert await messages_of(store.conversations) == []

    async def test_a_second_turn_is_refused_while_one_is_running(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await refused(store, ask("turn_2"), Busy, "turn_running")
        await refused(store, ask("turn_3", retry_of="turn_1_asks"), Busy, "turn_running")
        assert await messages_of(store.conversations) == [begun.turn.subject]
        assert await store.conversations.get(ALICE, C1) == begun.turn.conversation

    async def test_a_new_message_has_an_id_of_its_own(self, store: Store) -> None:
        await answered(store)
        request = ask("turn_2", message_id="turn_1_asks")
        before = await messages_of(store.conversations)
        await refused(store, request, Conflict, "message_exists")
        assert await messages_of(store.conversations) == before

    async def test_a_turn_elsewhere_is_in_nobodys_way(self, store: Store) -> None:
        await begin(store, ask(new=True))
        other = ask("turn_2", conversation_id=ConversationId("conv_2"), new=True)
        assert (await begin(store, other)).turn.conversation.id == "conv_2"

    async def test_a_turn_whose_lease_has_passed_is_stale(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        await store.turns.abandon_running()
        await refused(store, ask("turn_2"), StaleTurn, "stale_turn")
        assert await messages_of(store.conversations) == [begun.turn.subject]

    async def test_asking_the_same_again_happens_once(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        assert await begin(store, ask(new=True)) == begun
        assert await messages_of(store.conversations) == [begun.turn.subject]
        assert await store.conversations.get(ALICE, C1) == begun.turn.conversation

    async def test_asking_the_same_retry_again_happens_once(self, store: Store) -> None:
        await answered(store)
        request = ask("turn_2", retry_of="turn_1_asks")
        assert await begin(store, request) == await begin(store, request)

    async def test_a_turn_that_has_ended_does_not_begin_again(self, store: Store) -> None:
        await answered(store)
        before = await messages_of(store.conversations)
        await refused(store, ask(new=True), Conflict, "turn_ended")
        assert await messages_of(store.conversations) == before

    async def test_a_turn_that_was_taken_over_does_not_begin_again(self, store: Store) -> None:
        await begin(store, ask(new=True))
        await store.turns.abandon_running()
        await refused(store, ask(new=True), StaleTurn, "stale_turn")
        assert await store.turns.claim_stale(ALICE, C1)
        await refused(store, ask(new=True), Conflict, "turn_ended")

    async def test_a_turns_id_is_good_for_one_conversation(self, store: Store) -> None:
        await begin(store, ask(new=True))
        other = ConversationId("conv_2")
        await store.seed(conversation(other))
        await refused(store, ask(conversation_id=other), Conflict, "turn_ended")

    async def test_five_at_once_and_one_wins(self, store: Store) -> None:
        await store.seed(conversation())
        results = await asyncio.gather(
            *(store.turns.begin(ask(f"turn_{n}"), WINDOW.high) for n in range(5)),
            return_exceptions=True,
        )
        won = [r for r in results if isinstance(r, Begun)]
        refused = [r.code for r in results if isinstance(r, Conflict)]
        assert (len(won), refused) == (1, ["turn_running"] * 4)
        assert await messages_of(store.conversations) == [won[0].turn.subject]

    async def test_the_same_five_times_at_once_happens_once(self, store: Store) -> None:
        answers = await asyncio.gather(*(begin(store, ask(new=True)) for _ in range(5)))
        assert answers == [answers[0]] * 5
        assert await messages_of(store.conversations) == [answers[0].turn.subject]

    # --- retry

    async def test_a_retry_reads_up_to_its_subject(self, store: Store) -> None:
        await answered(store, "turn_1")
        await answered(store, "turn_2", new=False)
        begun = await begin(store, ask("turn_3", retry_of="turn_1_asks"))
        assert [m.id for m in begun.newest] == ["turn_1_asks"]
        assert begun.turn.subject == begun.newest[0]
        assert begun.turn.retry
        assert len(await messages_of(store.conversations)) == 4

    async def test_a_retry_is_an_activity(self, store: Store) -> None:
        await answered(store)
        before = await store.conversations.get(ALICE, C1)
        begun = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
        assert begun.turn.conversation.updated_at > before.updated_at

    async def test_a_missing_message_can_not_be_retried(self, store: Store) -> None:
        await answered(store)
        request = ask("turn_2", retry_of="msg_9")
        await refused(store, request, NotFound, "message_not_found")

    async def test_only_a_users_text_can_be_retried(self, store: Store) -> None:
        await exchange(store, message("msg_1"), *answers("says"), message("shown", kind="shown"))
        for id in ("says", "shown"):
            await refused(store, ask("turn_2", retry_of=id), Invalid, "not_retryable")
        await begin(store, ask("turn_2"))

    async def test_a_completed_retry_replaces_all_that_followed(self, store: Store) -> None:
        await answered(store, "turn_1")
        await answered(store, "turn_2", new=False)
        begun = await begin(store, ask("turn_3", retry_of="turn_1_asks"))
        await finish(store, begun, said("better", "Better"))
        kept = await messages_of(store.conversations)
        assert [m.id for m in kept] == ["turn_1_asks", "better"]
        assert kept[1].position > 4, "a position was used again"

    async def test_a_completed_retry_takes_the_verdicts_on_the_old_answer_along(
        self, store: Store
    ) -> None:
        await answered(store)
        ids = [MessageId("turn_1_asks"), MessageId("turn_1_says")]
        await store.conversations.save_feedback(ALICE, C1, ids, "negative")
        begun = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
        await finish(store, begun, said("better", "Better"))
        assert await store.verdicts(ALICE, C1) == {"turn_1_asks": "negative"}

    @pytest.mark.parametrize("state", NOT_COMPLETED)
    async def test_a_failed_retry_leaves_the_old_answer(
        self, store: Store, state: EndState
    ) -> None:
        await answered(store)
        before = await messages_of(store.conversations)
        begun = await begin(store, ask("turn_2", retry_of="turn_1_asks"))
        assert await finish(store, begun, said("half", "Ha"), state) == state
        assert await messages_of(store.conversations) == before
        after = (await begin(store, ask("turn_3"))).turn.subject
        assert after is not None
        assert after.position > before[-1].position

    async def test_an_abandoned_retry_is_still_a_retry(self, store: Store) -> None:
        await answered(store)
        before = await messages_of(store.conversations)
        await begin(store, ask("turn_2", retry_of="turn_1_asks"))
        claimed = await claim(store)
        assert claimed.turn.retry
        partial = (message("half", role="assistant", kind="partial"),)
        end = Ending(state="interrupted", messages=partial)
        assert await store.turns.finish(claimed.turn, end) == "interrupted"
        assert await messages_of(store.conversations) == before

    # --- the newest messages

    async def test_the_newest_messages_come_with_what_rides_between_them(
        self, store: Store
    ) -> None:
        """Over sixty counted messages, with tools and notes that ride."""
        await store.seed(conversation())
        for n in range(30):
            begun = await begin(store, ask(f"turn_{n}"))
            every = await readable(store)
            counted = [m.position for m in every if m.counted]
            first = counted[-WINDOW.high :][0]
            assert begun.counted == len(counted) == 2 * n + 1
            assert list(begun.newest) == [m for m in every if m.position >= first]
            note = message(f"note_{n}", role="assistant", kind="note")
            answer = (tools(f"tools_{n}"), *answers(f"says_{n}"), note)
            await store.turns.finish(begun.turn, Ending(state="completed", messages=answer))

    @pytest.mark.parametrize("state", ["completed", *NOT_COMPLETED])
    async def test_the_count_is_right_after_a_retry_of_something_earlier(
        self, store: Store, state: EndState
    ) -> None:
        for n in range(4):
            await answered(store, f"turn_{n}", new=not n)
        begun = await begin(store, ask("turn_4", retry_of="turn_1_asks"))
        assert begun.counted == 3
        assert (await begin(store, ask("turn_4", retry_of="turn_1_asks"))).counted == 3
        await finish(store, begun, said("better", "Better"), state)
        left = [m for m in await messages_of(store.conversations) if m.counted]
        assert len(left) == (4 if state == "completed" else 8)
        after = await begin(store, ask("turn_5"))
        assert after.counted == len(left) + 1
        await store.turns.finish(after.turn, Ending(state="cancelled"))
        assert (await begin(store, ask("turn_6"))).counted == len(left) + 2

    async def test_as_many_come_as_were_asked_for(self, store: Store) -> None:
        for n in range(8):
            await exchange(store, message(f"msg_{n}"))
        request = ask()
        for newest in (1, 2, 5, 9, 20):
            begun = await store.turns.begin(request, newest)
            assert isinstance(begun, Begun)
            assert [m.position for m in begun.newest] == list(range(1, 10))[-newest:]
            assert begun.counted == 9

    async def test_no_more_bytes_come_than_there_is_room_for(self, store: Store) -> None:
        for n in range(3):
            long = tools(f"calls_{n}", call(output="x" * 10_000))
            await exchange(store, message(f"msg_{n}"), long)
        request = ask()
        for room, read in ((1, 1), (9_000, 2), (19_000, 4), (1_000_000, 7)):
            begun = await store.turns.begin(request, 15, room)
            assert isinstance(begun, Begun)
            assert [m.position for m in begun.newest] == list(range(1, 8))[-read:]
            assert begun.counted == 4
