"""What every ConversationRepository promises about messages."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, get_args

import pytest

from chatbridge.domain.model.errors import Invalid, NotFound
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.message import Kind, Role
from chatbridge.domain.model.page import Order, Page, PageRequest
from chatbridge.domain.model.tool_call import CallState
from chatbridge.ports.conversation_repository import ConversationRepository
from tests.contracts.steps import messages_of, save, walk
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
    async def filled(self, repository: ConversationRepository) -> ConversationRepository:
        """One conversation of Alice's, five messages long, all of the same instant."""
        await repository.create(conversation())
        await save(repository, *(message(f"msg_{n}") for n in range(5)))
        return repository

    async def test_a_message_comes_back_as_it_was_saved(
        self, filled: ConversationRepository
    ) -> None:
        saved = message("msg_9", "What now?", payload=PAYLOAD)
        assert await filled.save_message(ALICE, saved) == replace(saved, position=6)
        assert await filled.message(ALICE, C1, saved.id) == replace(saved, position=6)
        assert (await messages_of(filled))[-1] == replace(saved, position=6)

    async def test_a_payload_keeps_its_unknown_fields_and_their_order(
        self, filled: ConversationRepository
    ) -> None:
        await filled.save_message(ALICE, message("msg_9", payload=PAYLOAD))
        payload = (await filled.message(ALICE, C1, MessageId("msg_9"))).payload
        assert payload is not None
        assert list(payload) == list(PAYLOAD)
        assert payload == PAYLOAD

    async def test_an_empty_payload_is_not_none(self, filled: ConversationRepository) -> None:
        await save(filled, message("msg_8", payload={}), message("msg_9", payload=None))
        assert [m.payload for m in await messages_of(filled)][-2:] == [{}, None]

    async def test_what_a_caller_does_to_a_value_does_not_change_what_is_kept(
        self, filled: ConversationRepository
    ) -> None:
        mine: dict[str, Any] = {"list": [1]}
        returned = await filled.save_message(ALICE, message("msg_9", payload=mine))
        mine["list"].append(2)
        assert returned.payload is not None
        kept = await filled.message(ALICE, C1, MessageId("msg_9"))
        assert kept.payload is not None
        assert kept.payload == {"list": [1]}
        kept.payload["list"].append(3)
        again = await filled.message(ALICE, C1, MessageId("msg_9"))
        assert again.payload == {"list": [1]}

    async def test_metadata_can_not_be_changed_from_outside(
        self, repository: ConversationRepository
    ) -> None:
        mine: dict[str, Any] = {"tags": ["a"]}
        await repository.create(conversation(metadata=mine))
        mine["tags"].append("b")
        (await repository.get(ALICE, C1)).metadata["tags"].append("c")
        assert (await repository.get(ALICE, C1)).metadata == {"tags": ["a"]}

    async def test_every_kind_and_role_is_kept(self, repository: ConversationRepository) -> None:
        await repository.create(conversation())
        for role in get_args(Role):
            for kind in get_args(Kind):
                calls = (call(),) if kind == "tools" else ()
                saved = message(f"{role}_{kind}", role=role, kind=kind, tool_calls=calls)
                kept = await repository.save_message(ALICE, saved)
                assert await repository.message(ALICE, C1, saved.id) == kept
                assert kept == replace(saved, position=kept.position)

    async def test_tool_calls_come_back_in_order_and_whole(
        self, filled: ConversationRepository
    ) -> None:
        ended = NOON + timedelta(seconds=1.234567)
        calls = [
            call(f"call_{state}", state, output=f"it {state}: ✓\n", ended_at=ended)
            for state in get_args(CallState)
        ]
        calls += [call("call_0", "running"), call("call_empty", output="", arguments="")]
        saved = tools("msg_9", *calls)
        await filled.save_message(ALICE, saved)
        assert await filled.message(ALICE, C1, saved.id) == replace(saved, position=6)

    async def test_times_are_aware_utc(self, repository: ConversationRepository) -> None:
        east = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        await repository.create(replace(conversation(), created_at=east, updated_at=east))
        found = await repository.get(ALICE, C1)
        assert (found.created_at, found.updated_at) == (NOON, NOON)
        await repository.save_message(ALICE, message("msg_1", created_at=east))
        kept = await repository.message(ALICE, C1, MessageId("msg_1"))
        assert kept.created_at == NOON
        touched = (await repository.get(ALICE, C1)).updated_at
        for time in (found.created_at, found.updated_at, kept.created_at, touched):
            assert time.utcoffset() == timedelta(0)

    async def test_microseconds_are_kept(self, repository: ConversationRepository) -> None:
        at = NOON.replace(microsecond=123456)
        await repository.create(conversation())
        await repository.save_message(ALICE, message("msg_1", created_at=at))
        assert (await repository.message(ALICE, C1, MessageId("msg_1"))).created_at == at

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
    async def test_content_is_kept_to_the_letter(
        self, filled: ConversationRepository, content: str
    ) -> None:
        saved = message("msg_9", content, payload={"text": content})
        await filled.save_message(ALICE, saved)
        assert await filled.message(ALICE, C1, saved.id) == replace(saved, position=6)

    async def test_messages_of_the_same_moment_keep_the_order_they_came_in(
        self, repository: ConversationRepository
    ) -> None:
        await repository.create(conversation())
        ids = ["msg_c", "msg_a", "msg_d", "msg_b"]
        await save(repository, *(message(id) for id in ids))
        kept = await messages_of(repository)
        assert [(m.id, m.position) for m in kept] == [(id, n + 1) for n, id in enumerate(ids)]

    async def test_an_earlier_time_does_not_move_a_message_forward(
        self, filled: ConversationRepository
    ) -> None:
        await filled.save_message(ALICE, message("msg_9", created_at=NOON - timedelta(days=1)))
        assert (await messages_of(filled))[-1].id == "msg_9"

    async def test_replacing_a_message_keeps_its_place(
        self, filled: ConversationRepository
    ) -> None:
        edited = message("msg_1", "edited", role="assistant", kind="partial", payload={"n": 1})
        assert await filled.save_message(ALICE, edited) == replace(edited, position=2)
        kept = await messages_of(filled)
        assert [m.id for m in kept] == [f"msg_{n}" for n in range(5)]
        assert kept[1] == replace(edited, position=2)

    async def test_replacing_uses_no_position(self, filled: ConversationRepository) -> None:
        await save(filled, message("msg_1", "once"), message("msg_1", "twice"))
        assert (await filled.save_message(ALICE, message("msg_9"))).position == 6

    async def test_a_position_of_the_callers_is_not_believed(
        self, filled: ConversationRepository
    ) -> None:
        assert (await filled.save_message(ALICE, message("msg_9", position=2))).position == 6
        assert (await filled.save_message(ALICE, message("msg_0", position=9))).position == 1

    async def test_appends_at_the_same_time_get_distinct_positions(
        self, filled: ConversationRepository
    ) -> None:
        saved = await asyncio.gather(
            *(filled.save_message(ALICE, message(f"more_{n}")) for n in range(20))
        )
        assert sorted(m.position for m in saved) == list(range(6, 26))
        assert {m.id: m.position for m in await messages_of(filled)} == {
            **{f"msg_{n}": n + 1 for n in range(5)},
            **{m.id: m.position for m in saved},
        }

    async def test_two_conversations_count_for_themselves(
        self, filled: ConversationRepository
    ) -> None:
        await filled.create(conversation("conv_2"))
        other = message("msg_0", "other", conversation_id=ConversationId("conv_2"))
        assert (await filled.save_message(ALICE, other)).position == 1
        assert (await filled.message(ALICE, C1, MessageId("msg_0"))).content == "hello"

    async def test_a_missing_message_is_not_found(self, filled: ConversationRepository) -> None:
        with pytest.raises(NotFound) as refused:
            await filled.message(ALICE, C1, MessageId("msg_9"))
        assert refused.value.code == "message_not_found"

    @pytest.mark.parametrize("order", ["asc", "desc"])
    async def test_pages_of_messages_join_and_leave_notes_out(
        self, repository: ConversationRepository, order: Order
    ) -> None:
        await repository.create(conversation())
        for n in range(12):
            await repository.save_message(ALICE, message(f"msg_{n:02}"))
            await repository.save_message(ALICE, message(f"note_{n:02}", kind="note"))
        expected = [f"msg_{n:02}" for n in range(12)]
        for limit in range(1, 13):
            seen = await walk(lambda r: repository.messages(ALICE, C1, r), limit, order)
            assert seen == (expected if order == "asc" else expected[::-1])

    async def test_a_conversation_of_notes_shows_nothing(
        self, repository: ConversationRepository
    ) -> None:
        await repository.create(conversation())
        await repository.save_message(ALICE, message("note_1", kind="note"))
        assert await repository.messages(ALICE, C1, PageRequest()) == Page(())

    async def test_the_last_page_may_be_asked_for_again(
        self, filled: ConversationRepository
    ) -> None:
        assert await filled.messages(ALICE, C1, PageRequest(after="msg_4")) == Page(())
        await filled.save_message(ALICE, message("msg_5"))
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
        self, filled: ConversationRepository
    ) -> None:
        other = ConversationId("conv_2")
        await filled.create(conversation(other))
        await filled.save_message(ALICE, message("msg_other", conversation_id=other))
        with pytest.raises(Invalid):
            await filled.messages(ALICE, C1, PageRequest(after="msg_other"))
