"""What every ConversationRepository promises about messages."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, get_args

import pytest

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.identifiers import ConversationId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Kind
from chatbridge.domain.model.page import Order, Page, PageRequest
from chatbridge.domain.model.tool_call import CallState
from chatbridge.ports.conversation_repository import ConversationRepository
from tests.contracts.steps import answers, exchange, messages_of, walk
from tests.contracts.store import (
    ALICE,
    C1,
    NOON,
    Store,
    StoreContract,
    call,
    conversation,
    message,
    tools,
)

PAYLOAD: dict[str, Any] = {
    "type": "user_message",
    "z_first": 1,
    "a_last": None,
    "unknown_field": {"nested": [1, 2.5, None, True, {"deep": []}], "empty": {}, "text": ""},
    "big": 2**60,
}


class ConversationMessagesContract(StoreContract):
    @pytest.fixture
    def repository(self, store: Store) -> ConversationRepository:
        return store.conversations

    @pytest.fixture
    async def filled(self, store: Store) -> ConversationRepository:
        """One conversation of Alice's, five messages long, all of the same instant."""
        await store.seed(conversation())
        await exchange(store, message("msg_0"), *answers("msg_1", "msg_2", "msg_3", "msg_4"))
        return store.conversations

    async def test_a_message_comes_back_as_it_was_saved(self, store: Store) -> None:
        asked = message("msg_0", "What now?", payload=PAYLOAD)
        answer = message("msg_1", "This.", role="assistant", payload=PAYLOAD)
        await exchange(store, asked, answer)
        kept = await messages_of(store.conversations)
        assert kept == [replace(asked, position=1), replace(answer, position=2)]

    async def test_a_payload_keeps_its_unknown_fields_and_their_order(self, store: Store) -> None:
        answer = message("msg_1", role="assistant", payload=PAYLOAD)
        await exchange(store, message("msg_0", payload=PAYLOAD), answer)
        for kept in await messages_of(store.conversations):
            assert kept.payload is not None
            assert list(kept.payload) == list(PAYLOAD)
            assert kept.payload == PAYLOAD

    async def test_an_empty_payload_is_not_none(self, store: Store) -> None:
        empty, none = (message(f"msg_{p}", role="assistant", payload=p) for p in ({}, None))
        await exchange(store, message("msg_0", payload={}), empty, none)
        assert [m.payload for m in await messages_of(store.conversations)] == [{}, {}, None]

    async def test_what_a_caller_does_to_a_value_does_not_change_what_is_kept(
        self, store: Store
    ) -> None:
        mine: dict[str, Any] = {"list": [1]}
        answer = message("msg_1", role="assistant", payload=mine)
        await exchange(store, message("msg_0", payload=mine), answer)
        mine["list"].append(2)
        for kept in await messages_of(store.conversations):
            assert kept.payload is not None
            assert kept.payload == {"list": [1]}
            kept.payload["list"].append(3)
        again = await messages_of(store.conversations)
        assert [m.payload for m in again] == [{"list": [1]}] * 2

    async def test_metadata_can_not_be_changed_from_outside(self, store: Store) -> None:
        mine: dict[str, Any] = {"tags": ["a"]}
        await store.seed(conversation(metadata=mine))
        mine["tags"].append("b")
        (await store.conversations.get(ALICE, C1)).metadata["tags"].append("c")
        assert (await store.conversations.get(ALICE, C1)).metadata == {"tags": ["a"]}

    async def test_an_answer_of_every_kind_is_kept(self, store: Store) -> None:
        answer = [
            message(kind, role="assistant", kind=kind, tool_calls=(call(),) * (kind == "tools"))
            for kind in get_args(Kind)
        ]
        await exchange(store, message("msg_0"), *answer)
        shown = [m for m in answer if m.kind != "note"]
        kept = await messages_of(store.conversations)
        assert [replace(m, position=0) for m in kept] == [message("msg_0"), *shown]

    async def test_tool_calls_come_back_in_order_and_whole(self, store: Store) -> None:
        ended = NOON + timedelta(seconds=1.234567)
        calls = [
            call(f"call_{state}", state, output=f"it {state}: ✓\n", ended_at=ended)
            for state in get_args(CallState)
        ]
        calls += [call("call_0", "running"), call("call_empty", output="", arguments="")]
        saved = tools("msg_1", *calls)
        await exchange(store, message("msg_0"), saved)
        assert (await messages_of(store.conversations))[1] == replace(saved, position=2)

    async def test_times_are_aware_utc(self, store: Store) -> None:
        east = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        await store.seed(replace(conversation(), created_at=east, updated_at=east))
        found = await store.conversations.get(ALICE, C1)
        assert (found.created_at, found.updated_at) == (NOON, NOON)
        answer = message("msg_1", role="assistant", created_at=east)
        await exchange(store, message("msg_0", created_at=east), answer)
        kept = [m.created_at for m in await messages_of(store.conversations)]
        assert kept == [NOON, NOON]
        touched = (await store.conversations.get(ALICE, C1)).updated_at
        for time in (found.created_at, found.updated_at, *kept, touched):
            assert time.utcoffset() == timedelta(0)

    async def test_microseconds_are_kept(self, store: Store) -> None:
        at = NOON.replace(microsecond=123456)
        answer = message("msg_1", role="assistant", created_at=at)
        await exchange(store, message("msg_0", created_at=at), answer)
        assert [m.created_at for m in await messages_of(store.conversations)] == [at, at]

    @pytest.mark.parametrize(
        "content",
        [
            "a" * 200_000,
            "👩‍👩‍👧‍👦 مرحبا שלום 你好 \u0301 \u2028 \ufffd \U0010ffff",
            " \t\n\r\n ",
            "\x01\x1b\x7f\x85",
            "'; drop table messages; -- %s :name $1 {s} \\",
            "",
        ],
        ids=["big", "unicode", "blanks", "controls", "quotes", "empty"],
    )
    async def test_content_is_kept_to_the_letter(self, store: Store, content: str) -> None:
        asked = message("msg_0", content, payload={"text": content})
        answer = message("msg_1", content, role="assistant", payload={"text": content})
        await exchange(store, asked, answer)
        kept = await messages_of(store.conversations)
        assert kept == [replace(asked, position=1), replace(answer, position=2)]

    async def test_messages_of_the_same_moment_keep_the_order_they_came_in(
        self, store: Store
    ) -> None:
        await exchange(store, message("msg_c"), *answers("msg_a", "msg_d", "msg_b"))
        await exchange(store, message("msg_0"), *answers("msg_2", "msg_1"))
        kept = await messages_of(store.conversations)
        ids = ["msg_c", "msg_a", "msg_d", "msg_b", "msg_0", "msg_2", "msg_1"]
        assert [(m.id, m.position) for m in kept] == [(id, n + 1) for n, id in enumerate(ids)]

    async def test_an_earlier_time_does_not_move_a_message_forward(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await exchange(store, message("msg_9", created_at=NOON - timedelta(days=1)))
        assert (await messages_of(filled))[-1].id == "msg_9"

    async def test_a_position_of_the_callers_is_not_believed(self, store: Store) -> None:
        answer = message("msg_1", role="assistant", position=9)
        await exchange(store, message("msg_0", position=5), answer)
        assert [m.position for m in await messages_of(store.conversations)] == [1, 2]

    async def test_two_conversations_count_for_themselves(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        other = ConversationId("conv_2")
        await exchange(store, message("msg_0", "other", conversation_id=other))
        (kept,) = (await filled.messages(ALICE, other, PageRequest())).items
        assert (kept.position, kept.content) == (1, "other")
        assert (await messages_of(filled))[0].content == "hello"

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_pages_of_messages_join_and_leave_notes_out(
        self, store: Store, repository: ConversationRepository, order: Order
    ) -> None:
        expected = [f"msg_{n:02}" for n in range(12)]
        notes = (message(f"note_{n:02}", role="assistant", kind="note") for n in range(12))
        entries = [entry for pair in zip(answers(*expected), notes, strict=True) for entry in pair]
        await exchange(store, replace(entries[0], role="user"), *entries[1:])
        for limit in range(1, 13):
            seen = await walk(lambda r: repository.messages(ALICE, C1, r), limit, order)
            assert seen == (expected if order == "asc" else expected[::-1])

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_a_page_has_an_end_in_bytes_and_pages_still_join(
        self, store: Store, repository: ConversationRepository, order: Order
    ) -> None:
        long = [replace(m, content="é" * (MAX_PAGE // 7)) for m in answers(*"abcdefghi")]
        large = tools("tools", call(output="x" * 2 * MAX_PAGE))
        await exchange(store, message("asks"), *long, large, *answers("last"))
        seen: list[list[str]] = []
        after: str | None = ""
        while after is not None:
            request = PageRequest(after=after or None, order=order)
            page = await repository.messages(ALICE, C1, request)
            seen, after = [*seen, [m.id for m in page.items]], page.next
        forwards = [["asks", *"abcd"], [*"efgh"], ["i", "tools"], ["last"]]
        backwards = [["last", "tools"], [*"ihgf"], [*"edcb"], ["a", "asks"]]
        assert seen == (forwards if order == "asc" else backwards)

    async def test_a_conversation_of_nothing_shows_nothing(
        self, store: Store, repository: ConversationRepository
    ) -> None:
        await store.seed(conversation())
        assert await repository.messages(ALICE, C1, PageRequest()) == Page(())

    async def test_the_last_page_may_be_asked_for_again(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        assert await filled.messages(ALICE, C1, PageRequest(after="msg_4")) == Page(())
        await exchange(store, message("msg_5"))
        page = await filled.messages(ALICE, C1, PageRequest(after="msg_4"))
        assert [m.id for m in page.items] == ["msg_5"]

    @pytest.mark.parametrize("after", ["", "msg_9", "1", "' or 1=1"])
    async def test_a_message_that_is_not_there_is_no_cursor(
        self, filled: ConversationRepository, after: str
    ) -> None:
        with pytest.raises(Invalid) as refused:
            await filled.messages(ALICE, C1, PageRequest(after=after))
        assert refused.value.code == "invalid_cursor"

    async def test_a_message_of_another_conversation_is_no_cursor(
        self, store: Store, filled: ConversationRepository
    ) -> None:
        await exchange(store, message("msg_other", conversation_id=ConversationId("conv_2")))
        with pytest.raises(Invalid):
            await filled.messages(ALICE, C1, PageRequest(after="msg_other"))
