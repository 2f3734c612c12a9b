"""Conversations in Postgres: one statement a call, and one more only where nothing was found."""

import json
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.rows import (
    message_to_json,
    missing,
    to_conversation,
    to_message,
    with_position,
)
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.domain.model import refusals
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import (
    Page,
    PageRequest,
    activity_cursor,
    invalid_cursor,
    read_activity_cursor,
)
from chatbridge.ports.conversation_repository import ConversationRepository, FeedbackKind

_CREATE = """
insert into {s}.conversations
  (user_id, id, title, status, status_reason, metadata, created_at, updated_at)
values (:user_id, :id, :title, :status, :status_reason, cast(:metadata as jsonb),
  :created_at, :updated_at)
on conflict do nothing"""

_GET = "select * from {s}.conversations where user_id = :user_id and id = :id"

_EXISTS = "select exists (select from {s}.conversations where id = :id) as found"

_LIST = """
select * from {s}.conversations
where user_id = :user_id and (cast(:moment as timestamptz) is null
  or (updated_at, id) %(beyond)s (cast(:moment as timestamptz), cast(:after as text)))
order by updated_at %(order)s, id %(order)s limit :limit"""

_RENAME = """
update {s}.conversations set title = :title where user_id = :user_id and id = :id returning *"""

_DELETE = "delete from {s}.conversations where user_id = :user_id and id = :id returning id"

# The conversation's row is locked first, as in begin_turn_1: positions are given in one order.
_SAVE_MESSAGE = """
with conversation as (
  update {s}.conversations c set
    last_position = c.last_position + case when m.position is null then 1 else 0 end,
    updated_at = case when m.position is null then clock_timestamp() else c.updated_at end
  from (select (select position from {s}.messages where user_id = :user_id
    and conversation_id = :conversation_id and id = :id)) m (position)
  where c.user_id = :user_id and c.id = :conversation_id
  returning coalesce(m.position, c.last_position) as position)
insert into {s}.messages
  (user_id, conversation_id, position, id, role, kind, content, tool_calls, citations,
  payload, created_at)
select :user_id, :conversation_id, c.position, :id, r->>'role', r->>'kind', r->>'content',
  (r->'tool_calls')::jsonb, (r->'citations')::jsonb, (r->>'payload')::json,
  (r->>'created_at')::timestamptz
from conversation c, cast(:message as json) r
on conflict on constraint messages_by_id do update set role = excluded.role,
  kind = excluded.kind, content = excluded.content, tool_calls = excluded.tool_calls,
  citations = excluded.citations, payload = excluded.payload, created_at = excluded.created_at
returning position"""

_MESSAGE = """
select m.*, c.id as found from {s}.conversations c left join {s}.messages m
  on m.user_id = c.user_id and m.conversation_id = c.id and m.id = :id
where c.user_id = :user_id and c.id = :conversation_id"""

_MESSAGES = """
select m.*, cast(:after as text) is null or cursor.position is not null as known
from {s}.conversations c
left join {s}.messages cursor on cursor.user_id = c.user_id
  and cursor.conversation_id = c.id and cursor.id = cast(:after as text)
left join lateral (
  select * from {s}.messages m where m.user_id = c.user_id and m.conversation_id = c.id
    and m.kind <> 'note'
    and (cursor.position is null or m.position %(beyond)s cursor.position)
  order by m.position %(order)s limit :limit) m on true
where c.user_id = :user_id and c.id = :conversation_id
order by m.position %(order)s"""

_FEEDBACK = """
with wanted as (select distinct json_array_elements_text(cast(:message_ids as json)) as id),
known as (select w.id from wanted w join {s}.messages m on m.user_id = :user_id
  and m.conversation_id = :conversation_id and m.id = w.id)
insert into {s}.feedback (user_id, conversation_id, message_id, kind)
select :user_id, :conversation_id, id, :kind from known
where (select count(*) from known) = (select count(*) from wanted)
on conflict (user_id, conversation_id, message_id)
  do update set kind = excluded.kind, updated_at = clock_timestamp()
returning message_id"""

_BEYOND = {"asc": {"order": "asc", "beyond": ">"}, "desc": {"order": "desc", "beyond": "<"}}


class PostgresConversationRepository(ConversationRepository):
    """See the port. `engine` must be in AUTOCOMMIT."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._statements = Statements(engine, schema)

    async def create(self, conversation: Conversation) -> None:
        await self._statements.rows(
            _CREATE,
            user_id=conversation.user_id,
            id=conversation.id,
            title=conversation.title,
            status=conversation.status,
            status_reason=conversation.status_reason,
            metadata=json.dumps(dict(conversation.metadata)),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        rows = await self._statements.rows(_GET, user_id=user_id, id=id)
        if not rows:
            raise await self._missing(id)
        return to_conversation(rows[0], user_id, id)

    async def list(self, user_id: UserId, request: PageRequest) -> Page[Conversation]:
        moment, after = (
            (None, None) if request.after is None else read_activity_cursor(request.after)
        )
        rows = await self._statements.rows(
            _LIST % _BEYOND[request.order],
            user_id=user_id,
            moment=moment,
            after=after,
            limit=request.limit + 1,
        )
        found = [to_conversation(r, user_id, ConversationId(r["id"])) for r in rows]
        page = tuple(found[: request.limit])
        more = len(found) > request.limit
        return Page(page, activity_cursor(page[-1].updated_at, page[-1].id) if more else None)

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        rows = await self._statements.rows(_RENAME, user_id=user_id, id=id, title=title)
        if not rows:
            raise await self._missing(id)
        return to_conversation(rows[0], user_id, id)

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        if not await self._statements.rows(_DELETE, user_id=user_id, id=id):
            raise await self._missing(id)

    async def save_message(self, user_id: UserId, message: Message) -> Message:
        rows = await self._statements.rows(
            _SAVE_MESSAGE,
            user_id=user_id,
            conversation_id=message.conversation_id,
            id=message.id,
            message=message_to_json(message),
        )
        if not rows:
            raise await self._missing(message.conversation_id)
        return with_position(message, rows[0]["position"])

    async def message(
        self, user_id: UserId, conversation_id: ConversationId, id: MessageId
    ) -> Message:
        rows = await self._statements.rows(
            _MESSAGE, user_id=user_id, conversation_id=conversation_id, id=id
        )
        if not rows:
            raise await self._missing(conversation_id)
        if rows[0]["id"] is None:
            raise refusals.no_message()
        return to_message(rows[0], conversation_id)

    async def messages(
        self, user_id: UserId, conversation_id: ConversationId, request: PageRequest
    ) -> Page[Message]:
        rows = await self._statements.rows(
            _MESSAGES % _BEYOND[request.order],
            user_id=user_id,
            conversation_id=conversation_id,
            after=request.after,
            limit=request.limit + 1,
        )
        if not rows:
            raise await self._missing(conversation_id)
        if not rows[0]["known"]:
            raise invalid_cursor()
        found = [to_message(r, conversation_id) for r in rows if r["id"] is not None]
        page = tuple(found[: request.limit])
        return Page(page, page[-1].id if len(found) > request.limit else None)

    async def save_feedback(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind,
    ) -> None:
        rows = await self._statements.rows(
            _FEEDBACK,
            user_id=user_id,
            conversation_id=conversation_id,
            message_ids=json.dumps(list(message_ids)),
            kind=kind,
        )
        if not rows:
            await self.get(user_id, conversation_id)
            if message_ids:
                raise refusals.no_message()

    async def _missing(self, id: ConversationId) -> Exception:
        rows = await self._statements.rows(_EXISTS, id=id)
        return missing(somebody_elses=rows[0]["found"])
