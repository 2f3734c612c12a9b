"""Conversations in Postgres: one statement a call, and one more only where nothing was found."""

import operator
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    asc,
    bindparam,
    delete,
    desc,
    exists,
    func,
    inspect,
    tuple_,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from chatbridge.adapters.postgres.approvals import STANDING, approvals_of, revoked
from chatbridge.adapters.postgres.rows import (
    changes_to_json,
    conversation_row,
    messages_to_json,
    missing,
    to_conversation,
    to_message,
)
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.adapters.postgres.tables import ConversationRow, MessageRow, TurnRow
from chatbridge.adapters.postgres.turn_statements import WAITING
from chatbridge.adapters.postgres.verdicts import GIVEN, given, unknown, verdict_on, withdrawn
from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import (
    Order,
    Page,
    PageRequest,
    activity_cursor,
    read_activity_cursor,
)
from chatbridge.domain.model.turn import Changes
from chatbridge.ports.conversation_repository import ConversationRepository

_USER, _ID = bindparam("user_id", type_=Text), bindparam("id", type_=Text)
_AFTER, _LIMIT = bindparam("after", type_=Text), bindparam("limit", type_=Integer)
_MOMENT = bindparam("moment", type_=DateTime(timezone=True))


def _mine(user_id: Any, id: Any) -> tuple[ColumnElement[bool], ...]:
    return col(ConversationRow.user_id) == user_id, col(ConversationRow.id) == id


_IN_IT = (col(MessageRow.user_id) == _USER, col(MessageRow.conversation_id) == _ID)

_GET = select(ConversationRow).where(*_mine(_USER, _ID))

# asked where nothing was found: is it mine, is it anybody's, and is there the page's cursor?
_WHY = select(
    exists().where(*_mine(_USER, _ID)),
    exists().where(col(ConversationRow.id) == _ID),
    exists().where(*_IN_IT, col(MessageRow.id) == _AFTER),
)


_WAYS = {"asc": (operator.gt, asc), "desc": (operator.lt, desc)}


_ASKS_NOW = exists().where(
    col(TurnRow.user_id) == _USER,
    col(TurnRow.conversation_id) == col(ConversationRow.id),
    WAITING,
    col(TurnRow.lease_until) > func.clock_timestamp(),
)


@cache
def _list(order: Order, further: bool, waiting: bool) -> Select[ConversationRow, bool]:
    beyond, direction = _WAYS[order]
    activity = (col(ConversationRow.updated_at), col(ConversationRow.id))
    page = select(ConversationRow, _ASKS_NOW).where(col(ConversationRow.user_id) == _USER)
    if waiting:
        page = page.where(_ASKS_NOW)
    if further:
        page = page.where(beyond(tuple_(*activity), tuple_(_MOMENT, _AFTER)))
    return page.order_by(*map(direction, activity)).limit(_LIMIT)


# what is read most by far: plain rows cost a sixth less than entities
_COLUMNS = select(*inspect(MessageRow).columns).where(*_IN_IT)
_MESSAGE = _COLUMNS.add_columns(verdict_on(col(MessageRow.id))).where(col(MessageRow.id) == _AFTER)

_CHANGE = """
select {s}.change_conversation_1(:user_id, :conversation_id, null, cast(:added as json),
  cast(:changes as json)) as outcome"""

_RENAME = """
update {s}.conversations c set title = cast(:title as text)
where c.user_id = :user_id and c.id = :id
returning c.id as conversation_id, c.title, c.status, c.status_reason, c.metadata, c.agent,
  c.pictures,
  c.created_at as conversation_created_at, c.updated_at as conversation_updated_at,
  {s}.tell_turn_1(c.user_id, c.id, jsonb_build_object('title', cast(:title as text)))"""


@cache
def _messages(order: Order, further: bool, notes: bool) -> Select[*tuple[Any, ...]]:
    """The rows that fill a page, of so many as there are with one more; its end is found by sizes
    before anything large is read.
    """
    beyond, direction = _WAYS[order]
    rows = _COLUMNS if notes else _COLUMNS.where(col(MessageRow.kind) != "note")
    if further:
        cursor = select(MessageRow.position).where(*_IN_IT, col(MessageRow.id) == _AFTER)
        place = cursor.correlate(None).scalar_subquery()
        rows = rows.where(beyond(col(MessageRow.position), place))
    most = rows.order_by(direction(col(MessageRow.position))).limit(_LIMIT).subquery()
    in_order = direction(most.c.position)
    before = func.sum(most.c.size).over(order_by=in_order) - most.c.size
    known = (before.label("before"), func.count().over().label("found"))
    measured = select(most, *known).subquery()
    page: Any = (
        select(*measured.c)
        .add_columns(verdict_on(measured.c.id))
        .where(measured.c.before < MAX_PAGE)
    )
    return page.order_by(direction(measured.c.position))


class PostgresConversationRepository(ConversationRepository):
    """See the port. `engine` must be in AUTOCOMMIT."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._statements = Statements(engine, schema)

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        rows = await self._statements.found(_GET, user_id=user_id, id=id)
        if not rows:
            raise await self._why_nothing(user_id, id) or refusals.no_conversation()
        return to_conversation(rows[0])

    async def list(
        self, user_id: UserId, request: PageRequest, *, waiting: bool = False
    ) -> Page[Conversation]:
        moment, after = (
            (None, None) if request.after is None else read_activity_cursor(request.after)
        )
        rows = await self._statements.found(
            _list(request.order, after is not None, waiting),
            user_id=user_id,
            moment=moment,
            after=after,
            limit=request.limit + 1,
        )
        page = tuple(
            replace(to_conversation(row), waits=waits) for row, waits in rows[: request.limit]
        )
        more = len(rows) > request.limit
        return Page(page, activity_cursor(page[-1].updated_at, page[-1].id) if more else None)

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        rows = await self._statements.rows(_RENAME, user_id=user_id, id=id, title=title)
        if not rows:
            raise await self._why_nothing(user_id, id) or refusals.no_conversation()
        return to_conversation(conversation_row(rows[0], user_id))

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        deletion = delete(ConversationRow).where(*_mine(user_id, id))
        if not await self._statements.changed(deletion.returning(col(ConversationRow.id))):
            raise await self._why_nothing(user_id, id) or refusals.no_conversation()

    async def message(
        self, user_id: UserId, conversation_id: ConversationId, id: MessageId
    ) -> Message:
        rows = await self._statements.columns(
            _MESSAGE, user_id=user_id, id=conversation_id, after=id
        )
        if not rows:
            raise await self._why_nothing(user_id, conversation_id) or refusals.no_message()
        return to_message(rows[0])

    async def change(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        changes: Changes,
        added: Sequence[Message] = (),
    ) -> None:
        rows = await self._statements.rows(
            _CHANGE,
            user_id=user_id,
            conversation_id=conversation_id,
            added=messages_to_json(tuple(added)),
            changes=changes_to_json(changes) or "{}",
        )
        if (outcome := rows[0]["outcome"]) != "changed":
            raise missing(somebody_elses=outcome == "forbidden")

    async def messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        request: PageRequest,
        *,
        notes: bool = False,
    ) -> Page[Message]:
        rows = await self._statements.columns(
            _messages(request.order, request.after is not None, notes),
            user_id=user_id,
            id=conversation_id,
            after=request.after,
            limit=request.limit + 1,
        )
        if not rows and (
            refusal := await self._why_nothing(user_id, conversation_id, request.after)
        ):
            raise refusal
        page = tuple(to_message(row) for row in rows[: request.limit])
        return Page(page, page[-1].id if rows and rows[0]["found"] > len(page) else None)

    async def save_feedback(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind | None,
    ) -> None:
        named = user_id, conversation_id, message_ids
        kept: list[str] = []
        # where one of the messages is missing, the foreign key refuses all
        with suppress(IntegrityError):
            kept = await self._statements.changed(
                given(*named, kind) if kind else withdrawn(*named)
            )
        if kept:
            return
        if refusal := await self._why_nothing(user_id, conversation_id):
            raise refusal
        # a verdict that was not there has been taken back
        if await self._statements.found(unknown(*named)):
            raise refusals.no_message()

    async def feedback(
        self, user_id: UserId, conversation_id: ConversationId, limit: int
    ) -> Mapping[MessageId, FeedbackKind]:
        names = {"user_id": user_id, "id": conversation_id}
        rows = await self._statements.columns(GIVEN, **names, limit=limit)
        if not rows and (refusal := await self._why_nothing(user_id, conversation_id)):
            raise refusal
        return {MessageId(row["message_id"]): row["kind"] for row in rows}

    async def standing_approvals(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[StandingApproval, ...]:
        rows = await self._statements.columns(STANDING, user_id=user_id, id=conversation_id)
        if not rows and (refusal := await self._why_nothing(user_id, conversation_id)):
            raise refusal
        return approvals_of(rows)

    async def revoke(
        self, user_id: UserId, conversation_id: ConversationId, id: ApprovalId
    ) -> None:
        if not await self._statements.changed(revoked(user_id, conversation_id, id)):
            refusal = await self._why_nothing(user_id, conversation_id)
            raise refusal or refusals.no_approval()

    async def _why_nothing(
        self, user_id: UserId, id: ConversationId, after: str | None = None
    ) -> ChatbridgeError | None:
        """Why nothing was found; None where there is no more than that."""
        ((mine, somebodys, known),) = await self._statements.found(
            _WHY, user_id=user_id, id=id, after=after
        )
        if not mine:
            return missing(somebody_elses=somebodys)
        return None if known or after is None else refusals.invalid_cursor()
