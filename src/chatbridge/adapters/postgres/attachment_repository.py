"""Attachments in Postgres: each call one statement, harmless to repeat."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, or_, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select

from chatbridge.adapters.postgres.statements import Statements
from chatbridge.adapters.postgres.tables import AttachmentRow, TurnRow
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Allowance, Attachment
from chatbridge.domain.model.identifiers import AttachmentId, ConversationId, UserId
from chatbridge.domain.model.payload import Payload
from chatbridge.ports.attachment_repository import AttachmentRepository

_ADD = """
select {s}.add_attachment_1(
  :user_id, :id, :name, :media_type, :size, :age, :files, :bytes, :made, :conversation_id
) as added"""

_NOW = func.clock_timestamp()
_HOUR, _DAY = text("interval '1 hour'"), text("interval '1 day'")
_ROW = AttachmentRow
_LOST = (col(_ROW.sent), col(_ROW.conversation_id).is_(None))
_LEFT = (
    select(_ROW)
    .where(
        col(_ROW.conversation_id).is_(None),
        or_(
            # removed, or sent with what is deleted
            or_(col(_ROW.sent), col(_ROW.state) == "removed")
            & (col(_ROW.created_at) < _NOW - _HOUR),
            col(_ROW.created_at) < _NOW - _DAY,
        ),
    )
    .order_by(col(_ROW.created_at))
    .limit(100)
)
_GOES_ON = exists().where(
    col(TurnRow.user_id) == col(_ROW.user_id),
    col(TurnRow.conversation_id) == col(_ROW.conversation_id),
    col(TurnRow.state).in_(("running", "waiting")),
)
_NEVER_SHOWN = (
    select(_ROW)
    .where(
        col(_ROW.made),
        ~col(_ROW.sent),
        col(_ROW.created_at) < _NOW - _DAY,
        # a turn may wait for a person that long
        ~_GOES_ON,
    )
    .order_by(col(_ROW.created_at))
    .limit(100)
)


class PostgresAttachmentRepository(AttachmentRepository):
    """See the port. `engine` must be in AUTOCOMMIT."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._statements = Statements(engine, schema)

    async def add(self, attachment: Attachment, allowance: Allowance) -> None:
        rows = await self._statements.rows(
            _ADD,
            user_id=attachment.user_id,
            id=attachment.id,
            name=attachment.name,
            media_type=attachment.media_type,
            size=attachment.size,
            # by the database's clock it is told when it is left
            age=(datetime.now(UTC) - attachment.created_at).total_seconds(),
            files=allowance.max_files_a_day,
            bytes=allowance.max_bytes_a_day,
            made=attachment.made,
            conversation_id=attachment.conversation_id,
        )
        if not rows[0]["added"]:
            raise refusals.enough_attachments()

    async def of(self, user_id: UserId, ids: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        rows = await self._found(*map(str, ids))
        if any(id not in rows for id in ids):
            raise refusals.no_blob()
        if any(row.user_id != user_id for row in rows.values()):
            raise refusals.attachment_not_yours()
        return tuple(_attachment(rows[id]) for id in ids)

    async def find(self, id: AttachmentId) -> Attachment:
        rows = await self._found(id)
        if not rows:
            raise refusals.no_blob()
        return _attachment(rows[id])

    async def attempt(self, user_id: UserId, id: AttachmentId) -> int | None:
        trying = update(_ROW).where(*_named(user_id, id), col(_ROW.state) == "awaited")
        tried = trying.values(tries=col(_ROW.tries) + 1).returning(col(_ROW.tries))
        return next(iter(await self._statements.changed(tried)), None)

    async def keep(self, user_id: UserId, id: AttachmentId, *, number: int, size: int) -> bool:
        keeping = update(_ROW).where(*_named(user_id, id), col(_ROW.state) == "awaited")
        kept = keeping.values(state="kept", size=size, number=number).returning(col(_ROW.id))
        return bool(await self._statements.changed(kept))

    async def record(self, user_id: UserId, id: AttachmentId, record: Payload) -> bool:
        without_bytes = (col(_ROW.state) != "removed", col(_ROW.tries) == 0)
        recording = update(_ROW).where(*_named(user_id, id), *without_bytes)
        kept = recording.values(state="kept", record=record).returning(col(_ROW.id))
        return bool(await self._statements.changed(kept))

    async def remove(self, user_id: UserId, id: AttachmentId) -> None:
        removing = update(_ROW).where(*_named(user_id, id), ~col(_ROW.sent), ~col(_ROW.made))
        removed = removing.values(state="removed", name="", record=None).returning(col(_ROW.id))
        if not await self._statements.changed(removed):
            await self.of(user_id, [id])
            raise refusals.attachment_sent()

    async def left(self) -> tuple[Attachment, ...]:
        found = await self._statements.found(_LEFT) or await self._statements.found(_NEVER_SHOWN)
        return tuple(_attachment(row) for row in found)

    async def forget(self, user_id: UserId, id: AttachmentId) -> None:
        forgetting = delete(_ROW).where(*_named(user_id, id))
        await self._statements.changed(forgetting.returning(col(_ROW.id)))

    async def _found(self, *ids: str) -> dict[str, AttachmentRow]:
        """Whoever's they are, but for those that are gone; asked for by all that may be named."""
        there = (col(_ROW.state) != "removed", or_(*map(_not, _LOST)))
        rows = await self._statements.found(select(_ROW).where(col(_ROW.id).in_(ids), *there))
        return {row.id: row for row in rows}


def _not(condition: Any) -> ColumnElement[bool]:
    return ~condition


def _named(user_id: UserId, id: AttachmentId) -> tuple[ColumnElement[bool], ...]:
    return col(_ROW.user_id) == user_id, col(_ROW.id) == id


def _attachment(row: AttachmentRow) -> Attachment:
    return Attachment(
        id=AttachmentId(row.id),
        user_id=UserId(row.user_id),
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        state=row.state,
        sent=row.sent,
        made=row.made,
        conversation_id=ConversationId(row.conversation_id) if row.conversation_id else None,
        tries=row.tries,
        number=row.number,
        record=row.record,
        created_at=row.created_at,
    )
