"""The files that people bring: announced, received, looked at, sent, and taken back.

A row stands for bytes before they come and until they are gone, so that whatever breaks off leaves
something that the sweep finds.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO, cast

from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Allowance, Attached, Attachment
from chatbridge.domain.model.errors import ChatbridgeError, Conflict, Invalid, NotFound, Unavailable
from chatbridge.domain.model.identifiers import AttachmentId, UserId, new_attachment_id
from chatbridge.domain.model.media import ZIP, Look, agree, named, office_type
from chatbridge.domain.model.message import storable
from chatbridge.domain.services.left_attachments import LeftAttachments
from chatbridge.ports.attachment_repository import AttachmentRepository
from chatbridge.ports.blob_store import BlobStore, Upload
from chatbridge.ports.pictures import Pictures

MAX_NAME = 200
MAX_TRIES = 20
RECEIVE_SECONDS = 20 * 60.0
"""How long bytes may take to come: long before the sweep may take their row for left."""

ADDRESS_SECONDS = 15 * 60
"""How long an address is good at which bytes may be put."""


class Attachments:
    """Whose a file is, is asked at every step but where somebody shows an address of it."""

    def __init__(
        self,
        repository: AttachmentRepository,
        blobs: BlobStore,
        pictures: Pictures,
        allowance: Allowance,
        left: LeftAttachments,
    ) -> None:
        self._repository = repository
        self._blobs = blobs
        self._pictures = pictures
        self.allowance = allowance
        self._left = left
        # those that wait are not in memory meanwhile
        self._one_picture = asyncio.Semaphore(1)

    # --- brought

    async def announce(
        self, user_id: UserId, name: str, media_type: str, size: int
    ) -> tuple[Attachment, Upload | None]:
        """The row of a file that will come; and where it may be put without us, if it may.

        Raises Invalid and Conflict for what may not be attached.
        """
        declared = named(media_type)
        if declared is None:
            raise refusals.attachment_type()
        if size > self.allowance.max_bytes:
            raise refusals.attachment_too_large(f"{self.allowance.max_bytes:,}")
        if not name.strip() or len(name) > MAX_NAME or not storable(name):
            raise refusals.attachment_name()
        new = Attachment(
            id=new_attachment_id(),
            user_id=user_id,
            name=name,
            media_type=declared,
            size=max(0, size),
            state="awaited",
            created_at=datetime.now(UTC),
        )
        await self._repository.add(new, self.allowance)
        self._left.seen()
        upload = self._blobs.upload(
            new.attempt(1), size=new.size, media_type=declared, seconds=ADDRESS_SECONDS
        )
        if upload:
            await self._repository.attempt(user_id, new.id)
        return new, upload

    async def bring(
        self, user_id: UserId, name: str, declared: str, size: int, parts: AsyncIterable[bytes]
    ) -> Attachment:
        """A file that comes with its announcement. Raises like both; then nobody knows its id, and
        it is taken back."""
        new, _ = await self.announce(user_id, name, declared, size)
        try:
            return await self.receive(new, parts)
        except BaseException:
            with suppress(ChatbridgeError):
                await self.remove(user_id, new.id)
            raise

    async def receive(self, attachment: Attachment, parts: AsyncIterable[bytes]) -> Attachment:
        """Its bytes; the attachment as it is kept. What was kept before is not read again.

        Raises Invalid for bytes that may not be attached; it is awaited then as before.
        """
        if attachment.state == "kept":
            return attachment
        async with _in_time(), self._unless_kept(attachment) as kept:
            number = await self._attempt(attachment)
            name, look = attachment.attempt(number), Look()
            try:
                size = await self._blobs.put(name, _bounded(parts, look, attachment.size))
                kept.append(await self._looked_at(attachment, number, size, look))
            except (Invalid, Conflict):
                # of nothing else is it known that the row does not count on them
                await self._blobs.delete(name)
                raise
        return kept[-1]

    @asynccontextmanager
    async def _unless_kept(self, attachment: Attachment) -> AsyncGenerator[list[Attachment]]:
        """Where an attempt fails because another one was quicker, what that has kept is added."""
        kept: list[Attachment] = []
        try:
            yield kept
        except (Conflict, NotFound):
            now = await self.of(attachment.user_id, attachment.id)
            if now.state != "kept":
                raise
            kept.append(now)

    async def _attempt(self, attachment: Attachment) -> int:
        if attachment.tries >= MAX_TRIES:
            raise refusals.attachment_tried()
        number = await self._repository.attempt(attachment.user_id, attachment.id)
        if number is None:
            raise refusals.attachment_sent()
        return number

    async def _looked_at(
        self, attachment: Attachment, number: int, size: int, look: Look
    ) -> Attachment:
        """The bytes of an attempt are whole: kept, if they are what they are said to be."""
        name, found = attachment.attempt(number), look.found()
        if not size:
            raise refusals.attachment_empty()
        if found == ZIP:
            found = await self._office_type(name)
        if not agree(attachment.media_type, found):
            raise refusals.attachment_not_its_type(attachment.media_type)
        drawn = number
        if attachment.is_image:
            redrawn = await self._redrawn(name, attachment.media_type)
            drawn, size = await self._attempt(attachment), len(redrawn)
            await self._blobs.put(attachment.attempt(drawn), _parts(redrawn))
        kept = await self._repository.keep(
            attachment.user_id, attachment.id, number=drawn, size=size
        )
        now = replace(attachment, state="kept", size=size, tries=drawn, number=drawn)
        if not kept:
            # another attempt was quicker, or looked at the same bytes
            now = await self.of(attachment.user_id, attachment.id)
        for tried in {number, drawn} - {now.number}:
            await self._blobs.delete(attachment.attempt(tried))
        return now

    async def _redrawn(self, name: str, media_type: str) -> bytes:
        async with self._one_picture:
            return await self._pictures.redrawn(await self.bytes_of(name), media_type)

    async def _office_type(self, name: str) -> str | None:
        try:
            with tempfile.TemporaryFile() as file:
                async for part in await self._blobs.get(name):
                    await asyncio.to_thread(file.write, part)
                return await asyncio.to_thread(office_type, cast(BinaryIO, file))
        except OSError as error:
            raise refusals.blobs_away() from error

    async def make(self, new: Attachment, data: bytes) -> Attached:
        """What a tool or a model has made: its row, and then its bytes; a picture is drawn anew.

        Raises Invalid for a picture that can't be, and Conflict for more than is made in a day.
        """
        if new.is_image:
            data = await self._pictures.redrawn(data, new.media_type)
        new = replace(new, size=len(data))
        await self._repository.add(new, self.allowance)
        self._left.seen()
        await self._blobs.put(new.attempt(1), _parts(data))
        await self._repository.keep(new.user_id, new.id, number=1, size=new.size)
        return new.attached

    # --- sent and read

    async def to_send(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attached, ...]:
        """What a message of the owner's may carry. What a browser has put where it is kept without
        us is looked at now. Raises like `AttachmentRepository.of`, Invalid and Conflict."""
        if len(ids) > self.allowance.max_files or len(set(ids)) < len(ids):
            raise refusals.too_many_attachments(self.allowance.max_files)
        found = await self._repository.of(user_id, ids)
        ready = [await self._whole(attachment) for attachment in found]
        if sum(attachment.size for attachment in ready) > self.allowance.max_bytes:
            raise refusals.attachment_too_large(f"{self.allowance.max_bytes:,}")
        return tuple(attachment.attached for attachment in ready)

    async def _whole(self, attachment: Attachment) -> Attachment:
        if attachment.state == "kept":
            return attachment
        name, look = attachment.attempt(1), Look()
        async with self._unless_kept(attachment) as kept:
            size = await self._blobs.size(name) if attachment.tries else None
            if size is None:
                raise refusals.attachment_awaited(attachment.name)
            try:
                async for _ in _bounded(await self._blobs.get(name), look, attachment.size):
                    pass
                kept.append(await self._looked_at(attachment, 1, size, look))
            except Invalid:
                await self._blobs.delete(name)
                raise
        return kept[-1]

    async def of(self, user_id: UserId, id: AttachmentId) -> Attachment:
        """The owner's own. Raises like `AttachmentRepository.of`."""
        (found,) = await self.all_of(user_id, [id])
        return found

    async def all_of(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """All of these. Raises like `AttachmentRepository.of`."""
        return await self._repository.of(user_id, ids)

    async def find(self, id: AttachmentId) -> Attachment:
        """Whoever's: for who has shown an address of it. Raises NotFound."""
        return await self._repository.find(id)

    async def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Its bytes. Raises NotFound, and Conflict where they have not come."""
        if attachment.state != "kept":
            raise refusals.attachment_awaited(attachment.name)
        return await self._blobs.get(attachment.blob)

    async def bytes_of(self, name: str) -> bytes:
        """All of them at once, for what can't be read otherwise."""
        return b"".join([part async for part in await self._blobs.get(name)])

    # --- gone

    async def remove(self, user_id: UserId, id: AttachmentId) -> None:
        """The owner takes back what was not sent. Raises like `AttachmentRepository.remove`."""
        found = await self.of(user_id, id)
        await self._repository.remove(user_id, id)
        # its row is found by the sweep, which deletes what comes late or is not deleted now
        with suppress(Unavailable):
            await self._left.delete_bytes(found)
        self._left.seen()


async def _bounded(parts: AsyncIterable[bytes], look: Look, most: int) -> AsyncIterator[bytes]:
    """No more than was announced: by that it is counted what a person brings in a day."""
    size = 0
    async for part in parts:
        size += len(part)
        if size > most:
            raise refusals.attachment_longer(f"{most:,}")
        look.at(part)
        yield part


async def _parts(whole: bytes) -> AsyncIterator[bytes]:
    yield whole


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            yield
    except TimeoutError:
        raise refusals.attachment_too_slow() from None
