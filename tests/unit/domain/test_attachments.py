"""Files that people bring, as the service keeps them: several attempts at once, and the sweep."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatbridge.adapters.memory.attachment_repository import MemoryAttachmentRepository
from chatbridge.adapters.memory.blob_store import MemoryBlobStore
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.pillow.pictures import PillowPictures
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.errors import ChatbridgeError, Invalid, NotFound
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.services.attachments import MAX_TRIES, Attachments
from chatbridge.domain.services.left_attachments import LeftAttachments
from tests.contracts.blob_store import parts
from tests.files_of_people import picture
from tests.waiting import until

ALICE = UserId("alice")
MUCH = Allowance(max_bytes=10**6, max_files=5, max_bytes_a_day=10**6, max_files_a_day=50)
LONG_AGO = datetime.now(UTC) - timedelta(days=2)


class Rows(MemoryAttachmentRepository):
    """Counts how often it was asked what is left, and notes what was announced."""

    asked = 0

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.added: list[Attachment] = []

    async def add(self, attachment: Attachment, allowance: Allowance) -> None:
        self.added.append(attachment)
        await super().add(attachment, allowance)

    async def left(self) -> tuple[Attachment, ...]:
        self.asked += 1
        return await super().left()


class Bytes(MemoryBlobStore):
    """Can't delete some of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck: dict[str, Exception] = {}

    async def delete(self, name: str) -> None:
        if error := self.stuck.get(name):
            raise error
        await super().delete(name)


class Kept:
    """Both stores of any number of replicas."""

    def __init__(self) -> None:
        self.rows, self.bytes = Rows(Memory()), Bytes()

    def replica(self) -> Attachments:
        return Attachments(self.rows, self.bytes, PillowPictures(), MUCH, self.left())

    def left(self, *, awake: float = 3600) -> LeftAttachments:
        return LeftAttachments(self.rows, self.bytes, every=0.005, awake=awake)

    async def left_behind(self, count: int) -> Sequence[Attachment]:
        """So many that were never sent, with their bytes, oldest first."""
        left: list[Attachment] = []
        for _ in range(count):
            new, _ = await self.replica().announce(ALICE, "a.txt", "text/plain", 5)
            received = await self.replica().receive(new, parts(b"bytes"))
            left.append(replace(received, created_at=LONG_AGO))
            await self.rows.forget(ALICE, new.id)
            await self.rows.add(left[-1], MUCH)
        return left

    async def has(self, attachment: Attachment) -> int:
        """How much there is of it: its bytes, its row."""
        rows = await MemoryAttachmentRepository.left(self.rows)
        row = attachment.id in {left.id for left in rows}
        return row + (await self.bytes.size(attachment.blob) is not None)


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def gone(kept: Kept, attachment: Attachment) -> None:
    async with asyncio.timeout(15):
        while await kept.has(attachment):  # noqa: ASYNC110  # nobody is told of a sweep
            await asyncio.sleep(0.005)


async def test_it_is_swept_at_the_start_again_and_again_and_not_after_the_end(kept: Kept) -> None:
    (first,) = await kept.left_behind(1)
    async with kept.left().swept():
        await gone(kept, first)
        (second,) = await kept.left_behind(1)
        await gone(kept, second)
    asked = kept.rows.asked
    await asyncio.sleep(0.03)
    assert kept.rows.asked == asked


async def test_the_sweep_rests_until_something_is_seen(kept: Kept) -> None:
    left = kept.left(awake=0.05)
    async with left.swept():
        await until(lambda: kept.rows.asked)
        await asyncio.sleep(0.1)
        asked = kept.rows.asked
        await asyncio.sleep(0.03)
        assert kept.rows.asked == asked
        left.seen()
        await until(lambda: kept.rows.asked > asked)


async def test_the_sweep_survives_what_a_store_does_not_expect(kept: Kept) -> None:
    (left,) = await kept.left_behind(1)
    kept.bytes.stuck[left.blob] = RuntimeError("as the test wanted it")
    async with kept.left().swept():
        await until(lambda: kept.rows.asked > 3)
        assert await kept.has(left) == 2
        kept.bytes.stuck.clear()
        await gone(kept, left)


async def test_one_that_cant_be_deleted_keeps_no_other(kept: Kept) -> None:
    stuck, *others = await kept.left_behind(3)
    kept.bytes.stuck[stuck.blob] = refusals.blobs_away()
    assert await kept.left().sweep() == 2
    assert [await kept.has(one) for one in (stuck, *others)] == [2, 0, 0]
    kept.bytes.stuck.clear()
    assert await kept.left().sweep() == 1


async def test_two_replicas_that_sweep_at_once_do_no_harm(kept: Kept) -> None:
    left = await kept.left_behind(5)
    await asyncio.gather(*(kept.left().sweep() for _ in range(2)))
    assert [await kept.has(one) for one in left] == [0] * 5


async def test_an_attempt_that_another_one_has_overtaken_leaves_nothing(kept: Kept) -> None:
    replica, drawn = kept.replica(), picture()
    new, _ = await replica.announce(ALICE, "cat.png", "image/png", len(drawn))
    begun, overtaken = asyncio.Event(), asyncio.Event()

    async def late() -> AsyncIterator[bytes]:
        begun.set()
        await overtaken.wait()
        yield drawn

    slow = asyncio.create_task(replica.receive(new, late()))
    await begun.wait()
    quick = await replica.receive(new, parts(drawn))
    overtaken.set()
    assert await slow == await replica.of(ALICE, AttachmentId(new.id)) == quick
    sizes = [await kept.bytes.size(new.attempt(number)) for number in range(1, 5)]
    assert [size is not None for size in sizes] == [False, False, True, False]


async def test_a_file_that_never_came_whole_is_attached_anew_in_the_end() -> None:
    kept = Kept()
    new, _ = await kept.replica().announce(ALICE, "a.png", "image/png", 5)
    for said in [*[refusals.attachment_not_its_type] * MAX_TRIES, refusals.attachment_tried]:
        (now,) = await kept.rows.of(ALICE, [new.id])
        with pytest.raises(ChatbridgeError) as raised:
            await kept.replica().receive(now, parts(b"bytes"))
        assert raised.value.code == said.code


async def test_a_file_that_comes_at_once_and_is_refused_is_waited_for_no_more() -> None:
    kept = Kept()
    with pytest.raises(Invalid):
        await kept.replica().bring(ALICE, "a.png", "image/png", 5, parts(b"bytes"))
    assert kept.rows.added
    with pytest.raises(NotFound):
        await kept.rows.of(ALICE, [kept.rows.added[0].id])
