"""What every ConversationRepository promises."""

from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chatbridge.domain.model.errors import Forbidden, Invalid, NotFound
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.page import Order, Page, PageRequest
from chatbridge.ports.conversation_repository import ConversationRepository
from tests.contracts.conversation_messages import ConversationMessagesContract
from tests.contracts.steps import exchange, listed, messages_of, walk
from tests.contracts.store import ALICE, BOB, C1, NOON, Store, conversation, message

FOREIGN_CALLS: dict[str, Callable[[ConversationRepository, UserId], Awaitable[object]]] = {
    "get": lambda r, u: r.get(u, C1),
    "rename": lambda r, u: r.rename(u, C1, "Mine now"),
    "delete": lambda r, u: r.delete(u, C1),
    "messages": lambda r, u: r.messages(u, C1, PageRequest()),
    "messages_after": lambda r, u: r.messages(u, C1, PageRequest(after="msg_0")),
    "save_feedback": lambda r, u: r.save_feedback(u, C1, [MessageId("msg_0")], "negative"),
    "save_no_feedback": lambda r, u: r.save_feedback(u, C1, [], "negative"),
    "take_feedback_back": lambda r, u: r.save_feedback(u, C1, [MessageId("msg_0")], None),
    "take_no_feedback_back": lambda r, u: r.save_feedback(u, C1, [], None),
    "feedback": lambda r, u: r.feedback(u, C1, 10),
}


class ConversationRepositoryContract(ConversationMessagesContract):
    async def test_a_conversation_comes_back_as_it_was_created(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        kept = conversation(
            title="Plans",
            status="locked",
            status_reason="under review",
            metadata={"a": {"b": [1, None, "ü"]}, "empty": {}},
        )
        await store.seed(kept)
        assert await repository.get(ALICE, C1) == kept

    async def test_a_rename_is_answered_and_kept(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        await store.seed(conversation(title="Old"))
        renamed = await repository.rename(ALICE, C1, "Grüße 👋🏽")
        assert renamed == conversation(title="Grüße 👋🏽")
        assert await repository.get(ALICE, C1) == renamed

    async def test_a_rename_is_no_activity(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        await store.seed(conversation("conv_1", minute=1))
        await store.seed(conversation("conv_2", minute=2))
        await repository.rename(ALICE, C1, "Renamed")
        assert await listed(repository, "desc") == ["conv_2", "conv_1"]

    async def test_the_latest_activity_comes_first(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        for n in (2, 1, 3):
            await store.seed(conversation(f"conv_{n}", minute=n))
        assert await listed(repository, "desc") == ["conv_3", "conv_2", "conv_1"]
        await exchange(store, message("msg_1"))
        assert await listed(repository, "desc") == ["conv_1", "conv_3", "conv_2"]
        assert (await repository.get(ALICE, C1)).updated_at > NOON + timedelta(minutes=3)

    async def test_conversations_of_the_same_moment_are_in_order_of_their_ids(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        for id in ("conv_c", "conv_a", "conv_b"):
            await store.seed(conversation(id))
        assert await listed(repository, "asc") == ["conv_a", "conv_b", "conv_c"]
        assert await listed(repository, "desc") == ["conv_c", "conv_b", "conv_a"]

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_pages_of_conversations_join(
        self, store: Store, repository: ConversationRepository, order: Order
    ) -> None:
        for n in range(12):
            at = NOON + timedelta(microseconds=n // 3)
            await store.seed(replace(conversation(f"conv_{n:02}"), updated_at=at))
        expected = [f"conv_{n:02}" for n in range(12)]
        for limit in range(1, 13):
            seen = await walk(lambda r: repository.list(ALICE, r), limit, order)
            assert seen == (expected if order == "asc" else expected[::-1])

    async def test_a_cursor_outlives_the_conversation_it_was_made_of(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        for n in range(4):
            await store.seed(conversation(f"conv_{n}", minute=n))
        first = await repository.list(ALICE, PageRequest(limit=2))
        await repository.delete(ALICE, ConversationId("conv_1"))
        rest = await repository.list(ALICE, PageRequest(limit=2, after=first.next))
        assert [c.id for c in rest.items] == ["conv_2", "conv_3"]

    async def test_who_has_nothing_sees_an_empty_last_page(
        self, filled: ConversationRepository
    ) -> None:
        assert await filled.list(BOB, PageRequest()) == Page(())

    async def test_deleting_takes_all_that_belongs_along(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await filled.save_feedback(ALICE, C1, [MessageId("msg_0")], "positive")
        await filled.delete(ALICE, C1)
        await store.seed(conversation())
        assert await filled.messages(ALICE, C1, PageRequest()) == Page(())
        await exchange(store, message("msg_1"))
        assert [(m.id, m.position) for m in await messages_of(filled)] == [("msg_1", 1)]

    async def test_verdicts_go_with_their_conversation(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await filled.save_feedback(ALICE, C1, [MessageId("msg_0")], "positive")
        await filled.delete(ALICE, C1)
        assert await store.verdicts(ALICE, C1) == {}

    async def test_deleting_again_is_not_found_and_harms_nothing(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await store.seed(conversation("conv_2"))
        await filled.delete(ALICE, C1)
        with pytest.raises(NotFound) as refused:
            await filled.delete(ALICE, C1)
        assert refused.value.code == "conversation_not_found"
        assert await listed(filled, "asc") == ["conv_2"]

    @pytest.mark.parametrize(
        "after",
        ["", "conv_1", "!", "é", "a", *(urlsafe_b64encode(raw).decode() for raw in (
            b"x", b"conv_1", b":", b"x:conv_1", b"\xff\xfe", b"1", b"1:a\0b",
            b"9999999999999999999999:conv_1", b"-9999999999999999999999:conv_1",
        ))],
    )  # fmt: skip
    async def test_a_cursor_that_no_page_gave_is_refused(
        self, filled: ConversationRepository, after: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            await filled.list(ALICE, PageRequest(after=after))
        assert refused.value.code == "invalid_cursor"

    # --- owners

    @pytest.mark.parametrize("name", FOREIGN_CALLS)
    async def test_somebody_elses_is_forbidden_and_stays_as_it_is(
        self, filled: ConversationRepository, name: str
    ) -> None:
        before = await filled.get(ALICE, C1), await messages_of(filled)
        with pytest.raises(Forbidden) as refused:
            await FOREIGN_CALLS[name](filled, BOB)
        assert refused.value.code == "forbidden"
        assert (await filled.get(ALICE, C1), await messages_of(filled)) == before

    @pytest.mark.parametrize("name", FOREIGN_CALLS)
    async def test_nobodys_is_not_found(
        self, repository: ConversationRepository, name: str
    ) -> None:
        with pytest.raises(NotFound) as refused:
            await FOREIGN_CALLS[name](repository, ALICE)
        assert refused.value.code == "conversation_not_found"

    async def test_a_list_holds_the_owners_own(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await store.seed(conversation("conv_bob", user_id=BOB))
        assert await listed(filled, "asc") == ["conv_1"]
        page = await filled.list(BOB, PageRequest())
        assert [(c.id, c.user_id) for c in page.items] == [("conv_bob", BOB)]

    async def test_two_owners_may_use_the_same_ids(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await store.seed(conversation(user_id=BOB, title="Bob's"))
        await exchange(store, message("msg_0", "Bob's"), user_id=BOB)
        await filled.rename(BOB, C1, "Bob's own")
        assert (await filled.get(ALICE, C1)).title is None
        assert (await messages_of(filled))[0].content == "hello"
        (bobs,) = (await filled.messages(BOB, C1, PageRequest())).items
        assert bobs.content == "Bob's"
        await filled.delete(BOB, C1)
        assert len(await messages_of(filled)) == 5
        with pytest.raises(Forbidden):
            await filled.get(BOB, C1)

    # --- feedback

    async def test_a_verdict_replaces_the_earlier_one(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        one, two = MessageId("msg_1"), MessageId("msg_2")
        await filled.save_feedback(ALICE, C1, [one, two], "positive")
        await filled.save_feedback(ALICE, C1, [two, two], "negative")
        assert await store.verdicts(ALICE, C1) == {one: "positive", two: "negative"}

    async def test_a_verdict_on_a_missing_message_keeps_nothing(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        with pytest.raises(NotFound) as refused:
            await filled.save_feedback(
                ALICE, C1, [MessageId("msg_1"), MessageId("msg_9")], "positive"
            )
        assert refused.value.code == "message_not_found"
        assert await store.verdicts(ALICE, C1) == {}

    async def test_no_verdict_is_fine_too(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await filled.save_feedback(ALICE, C1, [], "positive")
        await filled.save_feedback(ALICE, C1, [], None)
        assert await store.verdicts(ALICE, C1) == {}

    async def test_verdicts_are_read_back_with_the_messages_and_alone(
        self, filled: ConversationRepository
    ) -> None:
        assert await filled.feedback(ALICE, C1, 10) == {}
        ids = [m.id for m in await messages_of(filled)]
        await filled.save_feedback(ALICE, C1, ids[1:3], "positive")
        await filled.save_feedback(ALICE, C1, ids[1:2], "negative")
        assert await filled.feedback(ALICE, C1, 10) == {ids[1]: "negative", ids[2]: "positive"}
        assert await filled.feedback(ALICE, C1, 1) == {ids[1]: "negative"}
        told = {m.id: m.feedback for m in await messages_of(filled)}
        assert told == {**dict.fromkeys(ids), ids[1]: "negative", ids[2]: "positive"}
        assert (await filled.message(ALICE, C1, ids[2])).feedback == "positive"

    async def test_a_verdict_is_taken_back_as_often_as_one_likes(
        self, filled: ConversationRepository
    ) -> None:
        one, two, three = MessageId("msg_1"), MessageId("msg_2"), MessageId("msg_3")
        await filled.save_feedback(ALICE, C1, [one, two], "positive")
        await filled.save_feedback(ALICE, C1, [two, three, two], None)
        await filled.save_feedback(ALICE, C1, [two], None)
        assert await filled.feedback(ALICE, C1, 10) == {one: "positive"}

    async def test_nothing_is_taken_back_where_one_message_is_missing(
        self, filled: ConversationRepository
    ) -> None:
        one, missing = MessageId("msg_1"), MessageId("msg_9")
        await filled.save_feedback(ALICE, C1, [one], "positive")
        for named in ([one, missing], [missing]):
            with pytest.raises(NotFound) as refused:
                await filled.save_feedback(ALICE, C1, named, None)
            assert refused.value.code == "message_not_found"
        assert await filled.feedback(ALICE, C1, 10) == {one: "positive"}
