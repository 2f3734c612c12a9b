"""Attachments in memory."""

from asyncio import sleep
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatbridge.adapters.memory.memory import KeptConversation, Memory
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.payload import Payload
from chatbridge.ports.attachment_repository import AttachmentRepository

_LEFT_AT_ONCE = 100
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class MemoryAttachmentRepository(AttachmentRepository):
    """Every call yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def add(self, attachment: Attachment, allowance: Allowance) -> None:
        await sleep(0)
        since = self._memory.now() - _DAY
        every = self._memory.attachments.values()
        todays = [
            a.size
            for a in every
            if (a.user_id, a.made) == (attachment.user_id, attachment.made) and a.created_at > since
        ]
        if (
            len(todays) >= allowance.max_files_a_day
            or sum(todays) + attachment.size > allowance.max_bytes_a_day
        ):
            raise refusals.enough_attachments()
        if attachment.made:
            there = (attachment.user_id, attachment.conversation_id) in self._memory.conversations
            where = attachment.conversation_id if there else None
            attachment = replace(attachment, conversation_id=where, tries=1)
        self._memory.attachments.setdefault(attachment.id, attachment)

    async def of(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        await sleep(0)
        found = [self._known(id) for id in ids]
        if any(attachment.user_id != user_id for attachment in found):
            raise refusals.attachment_not_yours()
        return tuple(found)

    async def find(self, id: AttachmentId) -> Attachment:
        await sleep(0)
        return self._known(id)

    async def attempt(self, user_id: UserId, id: AttachmentId) -> int | None:
        await sleep(0)
        known = self._mine(user_id, id)
        if known is None or known.state != "awaited":
            return None
        self._memory.attachments[id] = replace(known, tries=known.tries + 1)
        return known.tries + 1

    async def keep(self, user_id: UserId, id: AttachmentId, *, number: int, size: int) -> bool:
        await sleep(0)
        known = self._mine(user_id, id)
        if known is None or known.state != "awaited":
            return False
        self._memory.attachments[id] = replace(known, state="kept", size=size, number=number)
        return True

    async def record(self, user_id: UserId, id: AttachmentId, record: Payload) -> bool:
        await sleep(0)
        known = self._mine(user_id, id)
        if known is None or known.state == "removed" or known.tries:
            return False
        self._memory.attachments[id] = replace(known, state="kept", record=record)
        return True

    async def remove(self, user_id: UserId, id: AttachmentId) -> None:
        (known,) = await self.of(user_id, [id])
        if known.sent or known.made:
            raise refusals.attachment_sent()
        self._memory.attachments[id] = replace(known, state="removed", name="", record=None)

    async def left(self) -> tuple[Attachment, ...]:
        await sleep(0)
        every = self._memory.attachments.values()
        return tuple(a for a in every if self._is_left(a))[:_LEFT_AT_ONCE]

    async def forget(self, user_id: UserId, id: AttachmentId) -> None:
        await sleep(0)
        if self._mine(user_id, id):
            del self._memory.attachments[id]

    def _known(self, id: AttachmentId) -> Attachment:
        known = self._memory.attachments.get(id)
        if known is None or known.state == "removed" or self._lost(known):
            raise refusals.no_blob()
        return known

    def _mine(self, user_id: UserId, id: AttachmentId) -> Attachment | None:
        known = self._memory.attachments.get(id)
        return known if known and known.user_id == user_id else None

    def _lost(self, a: Attachment) -> bool:
        """Whether its conversation is deleted."""
        return a.sent and self._conversation(a) is None

    def _conversation(self, a: Attachment) -> KeptConversation | None:
        where = a.conversation_id
        return self._memory.conversations.get((a.user_id, where)) if where else None

    def _is_left(self, a: Attachment) -> bool:
        age = self._memory.now() - a.created_at
        if a.state == "removed" or self._lost(a):
            return age > _HOUR
        kept = self._conversation(a)
        goes_on = kept is not None and bool(kept.running or kept.waiting)
        return not a.sent and age > _DAY and not goes_on
