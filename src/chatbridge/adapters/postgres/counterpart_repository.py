"""Counterparts in Postgres: each call one statement, harmless to repeat."""

from sqlalchemy import ColumnElement, Text, bindparam, delete, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select

from chatbridge.adapters.postgres.statements import Statements
from chatbridge.adapters.postgres.tables import CounterpartRow
from chatbridge.domain.model.counterpart import Counterpart, CounterpartId
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.ports.counterpart_repository import CounterpartRepository

_OF = """
select k.id, k.through from {s}.counterparts k
where k.user_id = :user_id and k.conversation_id = :conversation_id
order by k.created_at desc limit 1"""

_TAKE = """
update {s}.counterparts k set through = null
from (
  select o.id, o.through from {s}.counterparts o
  where o.user_id = :user_id and o.conversation_id = :conversation_id
  order by o.created_at desc limit 1 for update) was
where k.user_id = :user_id and k.id = was.id
returning was.id, was.through"""

# the conversation is held, so that it is not deleted between the question and the row
_GIVE = """
with place as (
  select c.id from {s}.conversations c
  where c.user_id = :user_id and c.id = :conversation_id for key share),
parted as (
  update {s}.counterparts k set conversation_id = null
  where k.user_id = :user_id and k.conversation_id = :conversation_id and k.id <> :id)
insert into {s}.counterparts (user_id, id, conversation_id)
values (:user_id, :id, (select p.id from place p)) on conflict do nothing"""

_LEFT = (
    select(CounterpartRow)
    .where(
        col(CounterpartRow.conversation_id).is_(None),
        tuple_(col(CounterpartRow.user_id), col(CounterpartRow.id))
        > tuple_(bindparam("user_id", type_=Text), bindparam("id", type_=Text)),
    )
    .order_by(col(CounterpartRow.user_id), col(CounterpartRow.id))
    .limit(100)
)


class PostgresCounterpartRepository(CounterpartRepository):
    """See the port. `engine` must be in AUTOCOMMIT."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._statements = Statements(engine, schema)

    async def of(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        return await self._found(_OF, user_id, conversation_id)

    async def take(self, user_id: UserId, conversation_id: ConversationId) -> Counterpart | None:
        return await self._found(_TAKE, user_id, conversation_id)

    async def give(
        self, user_id: UserId, conversation_id: ConversationId, id: CounterpartId
    ) -> None:
        names = {"user_id": user_id, "conversation_id": conversation_id, "id": id}
        await self._statements.rows(_GIVE, **names)

    async def hold(self, user_id: UserId, id: CounterpartId, through: int) -> None:
        belongs = col(CounterpartRow.conversation_id).is_not(None)
        holding = update(CounterpartRow).where(*_named(user_id, id), belongs)
        await self._statements.changed(
            holding.values(through=through).returning(col(CounterpartRow.id))
        )

    async def part(self, user_id: UserId, id: CounterpartId) -> None:
        parting = update(CounterpartRow).where(*_named(user_id, id)).values(conversation_id=None)
        await self._statements.changed(parting.returning(col(CounterpartRow.id)))

    async def left(self, after: Counterpart | None = None) -> tuple[Counterpart, ...]:
        user_id, id = (after.user_id, after.id) if after else ("", "")
        rows = await self._statements.found(_LEFT, user_id=user_id, id=id)
        return tuple(_left(row) for row in rows)

    async def forget(self, user_id: UserId, id: CounterpartId) -> None:
        belongs_to_none = col(CounterpartRow.conversation_id).is_(None)
        forgetting = delete(CounterpartRow).where(*_named(user_id, id), belongs_to_none)
        await self._statements.changed(forgetting.returning(col(CounterpartRow.id)))

    async def _found(
        self, template: str, user_id: UserId, conversation_id: ConversationId
    ) -> Counterpart | None:
        rows = await self._statements.rows(
            template, user_id=user_id, conversation_id=conversation_id
        )
        if not rows:
            return None
        return Counterpart(
            id=CounterpartId(rows[0]["id"]),
            user_id=user_id,
            conversation_id=conversation_id,
            through=rows[0]["through"],
        )


def _named(user_id: UserId, id: CounterpartId) -> tuple[ColumnElement[bool], ...]:
    return col(CounterpartRow.user_id) == user_id, col(CounterpartRow.id) == id


def _left(row: CounterpartRow) -> Counterpart:
    id, user_id = CounterpartId(row.id), UserId(row.user_id)
    return Counterpart(id=id, user_id=user_id, conversation_id=None, through=row.through)
