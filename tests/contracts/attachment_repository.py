"""What every store promises of the files that people bring, and that are made for them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.errors import Conflict, Forbidden, NotFound
from chatbridge.domain.model.identifiers import AttachmentId, CallId, MessageId, UserId
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import Shown, ToolCallFinished, ToolCallStarted
from chatbridge.ports.turn_repository import TurnRequest
from tests.contracts.steps import begin, finish
from tests.contracts.store import ALICE, BOB, C1, Store, StoreContract, ask, said

ONE, OTHER = AttachmentId("att_1"), AttachmentId("att_2")
MUCH = Allowance(max_bytes=1000, max_files=5, max_bytes_a_day=1000, max_files_a_day=5)
HOUR, DAY = timedelta(hours=1, minutes=1), timedelta(days=1, minutes=1)


def brought(id: AttachmentId = ONE, *, by: UserId = ALICE, size: int = 10) -> Attachment:
    return Attachment(
        id=id,
        user_id=by,
        name="cat.png",
        media_type="image/png",
        size=size,
        state="awaited",
        created_at=datetime.now(UTC),
    )


def carrying(*attachments: Attachment, turn: str = "turn_1", new: bool = False) -> TurnRequest:
    request = ask(turn, new=new)
    assert request.message
    carried = tuple(attachment.attached for attachment in attachments)
    return replace(request, message=replace(request.message, attachments=carried))


async def kept(
    store: Store, id: AttachmentId = ONE, *, by: UserId = ALICE, age: timedelta = timedelta()
) -> Attachment:
    new = brought(id, by=by)
    await store.attachments.add(replace(new, created_at=new.created_at - age), MUCH)
    assert await store.attachments.keep(by, id, number=1, size=12)
    (found,) = await store.attachments.of(by, [id])
    return found


async def made(
    store: Store, id: AttachmentId = ONE, *, age: timedelta = timedelta(), size: int = 10
) -> Attachment:
    new = replace(brought(id, size=size), made=True, conversation_id=C1)
    await store.attachments.add(replace(new, created_at=new.created_at - age), MUCH)
    assert await store.attachments.keep(ALICE, id, number=1, size=size)
    (found,) = await store.attachments.of(ALICE, [id])
    return found


def shows(mine: Attachment, id: str = "shows_1") -> Shown:
    return Shown(
        message_id=MessageId(id),
        at=datetime.now(UTC),
        how="done",
        kind="shown",
        content="",
        payload={"type": "generated_image"},
        attachments=(mine.attached,),
    )


async def left(store: Store) -> set[str]:
    return {attachment.id for attachment in await store.attachments.left()}


def ids(attachments: Iterable[Attachment]) -> list[str]:
    return [attachment.id for attachment in attachments]


class AttachmentRepositoryContract(StoreContract):
    async def test_one_is_awaited_until_its_bytes_are_there(self, store: Store) -> None:
        new = brought()
        await store.attachments.add(new, MUCH)
        await store.attachments.add(new, MUCH)
        (found,) = await store.attachments.of(ALICE, [ONE])
        assert found == replace(new, created_at=found.created_at)
        new = found
        assert await store.attachments.attempt(BOB, ONE) is None
        assert [await store.attachments.attempt(ALICE, ONE) for _ in range(2)] == [1, 2]
        assert not await store.attachments.keep(BOB, ONE, number=1, size=12)
        assert await store.attachments.keep(ALICE, ONE, number=1, size=12)
        assert not await store.attachments.keep(ALICE, ONE, number=2, size=13)
        assert await store.attachments.attempt(ALICE, ONE) is None
        found = await store.attachments.find(ONE)
        assert found == replace(new, state="kept", size=12, tries=2, number=1)
        assert found.blob in found.blobs

    async def test_of_one_that_is_kept_elsewhere_a_record_is_kept(self, store: Store) -> None:
        new, record = brought(), {"id": ONE, "preview_url": "https://files.example", "a": [1, None]}
        await store.attachments.add(new, MUCH)
        assert not await store.attachments.record(BOB, ONE, record)
        assert await store.attachments.record(ALICE, ONE, {})
        assert await store.attachments.record(ALICE, ONE, record)
        (found,) = await store.attachments.of(ALICE, [ONE])
        assert (found.state, found.record, found.blobs) == ("kept", record, ())
        await store.attachments.remove(ALICE, ONE)
        assert not await store.attachments.record(ALICE, ONE, record)
        await store.attachments.add(brought(OTHER), MUCH)
        assert await store.attachments.attempt(ALICE, OTHER) == 1
        assert not await store.attachments.record(ALICE, OTHER, record)

    async def test_they_are_told_apart_by_whose_they_are(self, store: Store) -> None:
        await kept(store, ONE)
        await kept(store, OTHER, by=BOB)
        assert ids(await store.attachments.of(ALICE, [ONE, ONE])) == [ONE, ONE]
        with pytest.raises(Forbidden):
            await store.attachments.of(ALICE, [ONE, OTHER])
        with pytest.raises(NotFound):
            await store.attachments.of(ALICE, [ONE, AttachmentId("att_no")])
        with pytest.raises(NotFound):
            await store.attachments.find(AttachmentId("att_no"))
        with pytest.raises(Forbidden):
            await store.attachments.remove(ALICE, OTHER)

    @pytest.mark.parametrize(("files", "size"), [(1, 10), (5, 995)])
    async def test_a_day_has_an_end_of_files_and_of_bytes(
        self, store: Store, files: int, size: int
    ) -> None:
        few = replace(MUCH, max_files_a_day=files)
        await store.attachments.add(brought(ONE), few)
        with pytest.raises(Conflict):
            await store.attachments.add(brought(OTHER, size=size), few)
        await store.attachments.add(brought(OTHER, by=BOB, size=size), few)
        third = replace(brought(AttachmentId("att_3"), size=5), created_at=datetime.now(UTC) - DAY)
        await store.attachments.add(third, MUCH)

    async def test_it_is_sent_with_a_message_and_not_again(self, store: Store) -> None:
        mine = await kept(store)
        begun = await begin(store, carrying(mine, new=True))
        assert begun.newest[-1].attachments == (mine.attached,)
        (found,) = await store.attachments.of(ALICE, [ONE])
        assert (found.sent, found.conversation_id) == (True, C1)
        with pytest.raises(Conflict):
            await store.attachments.remove(ALICE, ONE)
        await finish(store, begun, said("says_1", "a cat"))
        with pytest.raises(Conflict):
            await begin(store, carrying(mine, turn="turn_2"))
        again = await begin(store, ask("turn_3"))
        assert [len(m.attachments) for m in again.newest] == [1, 0, 0]
        kept_message = await store.conversations.message(ALICE, C1, MessageId("turn_1_asks"))
        assert kept_message.attachments == (mine.attached,)

    @pytest.mark.parametrize("wrong", ["awaited", "somebody else's", "removed"])
    async def test_nothing_is_begun_with_what_cant_be_sent(self, store: Store, wrong: str) -> None:
        mine = await kept(store, ONE)
        by = BOB if wrong == "somebody else's" else ALICE
        bad = brought(OTHER, by=by)
        await store.attachments.add(bad, MUCH)
        if wrong == "removed":
            await store.attachments.remove(ALICE, OTHER)
        with pytest.raises((Conflict, NotFound)):
            await begin(store, carrying(mine, bad, new=True))
        with pytest.raises(NotFound):
            await store.conversations.get(ALICE, C1)
        (found,) = await store.attachments.of(ALICE, [ONE])
        assert not found.sent

    async def test_one_that_is_removed_is_reached_by_nobody(self, store: Store) -> None:
        await kept(store, age=HOUR)
        await store.attachments.remove(ALICE, ONE)
        for asked in (store.attachments.of(ALICE, [ONE]), store.attachments.find(ONE)):
            with pytest.raises(NotFound):
                await asked
        assert not await store.attachments.keep(ALICE, ONE, number=1, size=1)
        (gone,) = await store.attachments.left()
        assert (gone.id, gone.name, gone.user_id) == (ONE, "", ALICE)
        await store.attachments.forget(BOB, ONE)
        assert await left(store) == {ONE}
        await store.attachments.forget(ALICE, ONE)
        assert await left(store) == set()

    async def test_one_is_left_when_it_is_removed_for_an_hour(self, store: Store) -> None:
        await kept(store)
        await store.attachments.remove(ALICE, ONE)
        assert await left(store) == set()

    async def test_one_is_left_when_it_was_not_sent_in_a_day(self, store: Store) -> None:
        await kept(store, ONE, age=HOUR)
        await kept(store, OTHER, age=DAY)
        assert await left(store) == {OTHER}

    async def test_one_is_left_when_its_conversation_is_deleted(self, store: Store) -> None:
        mine = await kept(store, age=DAY)
        begun = await begin(store, carrying(mine, new=True))
        await finish(store, begun, said("says_1", "a cat"))
        assert await left(store) == set()
        await store.conversations.delete(ALICE, C1)
        assert await left(store) == {ONE}
        with pytest.raises(NotFound):
            await store.attachments.find(ONE)

    async def test_what_was_made_is_counted_apart_and_sent_by_nobody(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        mine = await made(store, size=995)
        assert (mine.made, mine.sent, mine.conversation_id, mine.tries) == (True, False, C1, 1)
        with pytest.raises(Conflict):
            await made(store, OTHER)
        await store.attachments.add(brought(OTHER, size=995), MUCH)
        with pytest.raises(Conflict):
            await store.attachments.remove(ALICE, ONE)
        await finish(store, begun, said("says_1", "a cat"))
        with pytest.raises(Conflict):
            await begin(store, carrying(mine, turn="turn_2"))

    async def test_what_was_made_is_kept_with_what_shows_it(self, store: Store) -> None:
        begun = await begin(store, ask(new=True))
        mine, other = await made(store, age=DAY), await made(store, OTHER, age=DAY)
        third = await made(store, AttachmentId("att_3"), age=DAY)
        assert await left(store) == set()
        at = mine.created_at
        call = ToolCall(id=CallId("call_1"), name="draw", arguments="{}", started_at=at)
        step = MessageId("calls_1")
        brings = ToolCallFinished(
            message_id=step,
            call_id=call.id,
            state="succeeded",
            output="",
            at=at,
            files=(other.attached,),
        )
        began = ToolCallStarted(message_id=step, call=call)
        await finish(store, begun, [shows(mine), began, brings])
        assert await left(store) == {third.id}
        shown = await store.conversations.message(ALICE, C1, MessageId("shows_1"))
        assert shown.attachments == (mine.attached,)
        called = await store.conversations.message(ALICE, C1, step)
        assert called.tool_calls[0].files == (other.attached,)
        await store.conversations.delete(ALICE, C1)
        assert await left(store) == {ONE, OTHER, third.id}

    async def test_what_was_made_is_kept_with_what_is_shown_beside_a_turn(
        self, store: Store
    ) -> None:
        begun = await begin(store, ask(new=True))
        mine, other = await made(store, age=DAY), await made(store, OTHER, age=DAY)
        await finish(store, begun, [shows(mine)])
        instead = Transcript(C1, [replace(shows(other), earlier=True)])
        await store.conversations.change(ALICE, C1, Changes.of(instead))
        now = await store.conversations.message(ALICE, C1, MessageId("shows_1"))
        assert now.attachments == (other.attached,)
        assert await left(store) == set()

    async def test_what_is_made_when_its_conversation_is_gone_is_left(self, store: Store) -> None:
        mine = await made(store, age=DAY)
        assert mine.conversation_id is None
        assert await left(store) == {ONE}
