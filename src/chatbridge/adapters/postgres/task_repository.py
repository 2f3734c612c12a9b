"""Tasks in Postgres: one statement a call."""

import json
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import once
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

_LARGEST_NUMBER = 2**31 - 1

_COLUMNS = "number, title, done, created_at, updated_at"

# The counter's row stays locked until the task is in, so no number is given twice.
_ADD = """
counter as (
  insert into {s}.task_counters as c (user_id, last_number) values (:user_id, 1)
  on conflict (user_id) do update set last_number = c.last_number + 1
  returning user_id, last_number),
effect as (
  insert into {s}.tasks (user_id, number, title, done, created_at, updated_at)
  select user_id, last_number, :title, false, now(), now() from counter
  returning {columns})"""

_UPDATE = """
effect as (
  update {s}.tasks set title = coalesce(cast(:title as text), title),
    done = coalesce(cast(:done as boolean), done), updated_at = now()
  where user_id = :user_id and number = :number
  returning {columns})"""

_DELETE = """
effect as (
  delete from {s}.tasks where user_id = :user_id and number = :number returning {columns})"""

_WITHOUT_KEY = "with {effect} select {columns} from effect"

# Where the key is taken, the primary key refuses the row and Postgres takes back the effect.
_WITH_KEY = """
with {effect}, expired as (
  delete from {s}.task_calls
  where user_id = :user_id and called_at < now() - interval '1 day')
insert into {s}.task_calls (user_id, key, request, {columns}, called_at)
select :user_id, :key, :request, {columns}, now() from effect
returning {columns}"""

_MADE = """
select request, {columns} from {s}.task_calls where user_id = :user_id and key = :key"""

_LIST = """
select {columns} from {s}.tasks where user_id = :user_id order by number limit 1000"""


class PostgresTaskRepository(TaskRepository):
    """The engine must be in AUTOCOMMIT: a call is then one round trip, and a transaction.

    Nothing is tried again, because adding and deleting are not harmless to repeat. Only a
    call that comes again under its key is asked about in a second statement.
    """

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._add = _Effect("add", _ADD, schema)
        self._update = _Effect("update", _UPDATE, schema)
        self._delete = _Effect("delete", _DELETE, schema)
        self._list = _statement(_LIST, schema)
        self._made = _statement(_MADE, schema)

    async def add(self, user_id: UserId, title: str, *, key: str | None = None) -> Task:
        """Keep a new task under the owner's next number. Raises Invalid, Unavailable."""
        (row,) = await self._changed(self._add, user_id, key, title=title)
        return _task(row)

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000. Raises Unavailable."""
        return tuple(_task(row) for row in await self._rows(self._list, user_id=user_id))

    async def update(
        self,
        user_id: UserId,
        number: int,
        *,
        title: str | None = None,
        done: bool | None = None,
        key: str | None = None,
    ) -> Task:
        """Change what is given and leave the rest. Raises NotFound, Invalid, Unavailable."""
        return await self._one(self._update, user_id, key, number, title=title, done=done)

    async def delete(self, user_id: UserId, number: int, *, key: str | None = None) -> Task:
        """Delete it; answers what it was. Raises NotFound, Invalid, Unavailable."""
        return await self._one(self._delete, user_id, key, number)

    async def _one(
        self, effect: "_Effect", user_id: UserId, key: str | None, number: int, **others: Any
    ) -> Task:
        rows: list[Row[Any]] = []
        # the column can't even be compared with a larger one
        if 1 <= number <= _LARGEST_NUMBER:
            rows = await self._changed(effect, user_id, key, number=number, **others)
        if not rows:
            raise refusals.no_task(number)
        return _task(rows[0])

    async def _changed(
        self, effect: "_Effect", user_id: UserId, key: str | None, **arguments: Any
    ) -> "list[Row[Any]]":
        if key is None:
            return await self._rows(effect.without_key, user_id=user_id, **arguments)
        request = json.dumps([effect.name, arguments], ensure_ascii=False)
        call = {"user_id": user_id, "key": key}
        try:
            rows = await self._rows(effect.with_key, **call, request=request, **arguments)
        except IntegrityError:
            rows = []
        # what was deleted under this key is not there to be refused
        return rows or _same(request, await self._rows(self._made, **call))

    async def _rows(self, statement: TextClause, **parameters: Any) -> "list[Row[Any]]":
        async def work() -> list[Row[Any]]:
            async with self._engine.connect() as connection:
                return list(await connection.execute(statement, parameters))

        return await once(work)


class _Effect:
    """A change as a statement of its own, and as one that keeps its key and its answer too."""

    def __init__(self, name: str, effect: str, schema: str) -> None:
        self.name = name
        self.without_key = _statement(_WITHOUT_KEY.replace("{effect}", effect), schema)
        self.with_key = _statement(_WITH_KEY.replace("{effect}", effect), schema)


def _statement(template: str, schema: str) -> TextClause:
    return text(template.format(s=f'"{schema}"', columns=_COLUMNS))


def _same(request: str, made: list[Row[Any]]) -> list[Row[Any]]:
    if any(row.request != request for row in made):
        raise refusals.task_key_reused()
    return made


def _task(row: Row[Any]) -> Task:
    return Task(
        number=row.number,
        title=row.title,
        done=row.done,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
