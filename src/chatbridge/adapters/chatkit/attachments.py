"""Attachments as a host's own server finds them: ours, and what it keeps of its own with us."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps
from typing import Any, Protocol

from chatkit.store import NotFoundError
from chatkit.types import Attachment as ChatKitAttachment
from pydantic import TypeAdapter

from chatbridge.adapters.chatkit.host_loop import across
from chatbridge.adapters.chatkit.items.mapping import to_attachment
from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.errors import NotFound
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.limits import MAX_DATA
from chatbridge.domain.model.message import storable
from chatbridge.ports.attachment_repository import AttachmentRepository

_KEPT: TypeAdapter[ChatKitAttachment] = TypeAdapter(ChatKitAttachment)


class Bytes(Protocol):
    """What is done with files whose bytes are with us."""

    async def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]: ...

    async def remove(self, user_id: UserId, id: AttachmentId) -> None: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose attachments are meant, and the loop in which they are asked for."""

    user_id: UserId
    home: asyncio.AbstractEventLoop


class HostAttachments:
    """Their rows, whoever keeps the bytes. Each call raises Forbidden for what is somebody else's;
    `ours` are the bytes, where attachments are taken; `seen` is told of what is to go some day."""

    def __init__(
        self,
        repository: AttachmentRepository,
        ours: Bytes | None,
        allowance: Allowance,
        seen: Callable[[], None],
    ) -> None:
        self._repository, self._ours, self._allowance = repository, ours, allowance
        self._seen = seen

    async def of(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """The owner's. Raises NotFound, too."""
        return await self._repository.of(user_id, ids)

    async def load(self, asker: Asker, id: str) -> ChatKitAttachment:
        """One as ChatKit has it. Raises ChatKit's NotFoundError."""
        return as_chatkit_has_it(await self._one(asker, id))

    async def save(self, asker: Asker, said: ChatKitAttachment) -> None:
        """Keep what a host says of one whose bytes it keeps. Of ours nothing is changed by it."""
        record = said.model_dump(mode="json", exclude={"upload_descriptor"})
        told = said.id + said.name + said.mime_type
        if not storable(told) or len(dumps(record)) > MAX_DATA:
            raise ValueError(f"chatbridge's store can't keep this attachment: {said.id!r}.")
        new = Attachment(
            id=AttachmentId(said.id),
            user_id=asker.user_id,
            name=said.name,
            media_type=said.mime_type,
            size=0,
            state="awaited",
            created_at=datetime.now(UTC),
        )
        await across(asker.home, self._saved(new, record))

    async def _saved(self, new: Attachment, record: dict[str, Any]) -> None:
        try:
            (known,) = await self._repository.of(new.user_id, [new.id])
        except NotFound:
            await self._repository.add(new, self._allowance)
        else:
            if known.record is None and known.tries:
                return
        await self._repository.record(new.user_id, new.id, record)
        self._seen()

    async def delete(self, asker: Asker, id: str) -> None:
        """Take back what was not sent. Raises Conflict for what was, and ChatKit's NotFoundError
        for none."""
        known = await self._one(asker, id)
        ours = self._ours if known.record is None else None
        removing = (ours or self._repository).remove(asker.user_id, known.id)
        await across(asker.home, removing)
        asker.home.call_soon_threadsafe(self._seen)

    async def read(self, asker: Asker, id: str) -> bytes:
        """The bytes of one of ours. Raises NotFoundError."""
        known = await self._one(asker, id)
        if self._ours is None or known.record is not None:
            raise NotFoundError(f"chatbridge keeps no bytes of attachment {id}")
        return await across(asker.home, _whole(self._ours, known))

    async def _one(self, asker: Asker, id: str) -> Attachment:
        try:
            (known,) = await across(
                asker.home, self._repository.of(asker.user_id, [AttachmentId(id)])
            )
        except NotFound as error:
            raise NotFoundError(f"Attachment {id} not found") from error
        return known


def as_chatkit_has_it(known: Attachment) -> ChatKitAttachment:
    """As a host's own store has said it, or as we do."""
    if known.record is None:
        return to_attachment(known.attached, known.conversation_id)
    thread_id = known.conversation_id or known.record.get("thread_id")
    return _KEPT.validate_python({**known.record, "thread_id": thread_id})


async def _whole(ours: Bytes, known: Attachment) -> bytes:
    return b"".join([part async for part in await ours.read(known)])
