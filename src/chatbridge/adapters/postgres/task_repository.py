"""Tasks in Postgres: one statement a call."""

from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import translated
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

_LARGEST_NUMBER = 2**31 - 1

_COLUMNS = "number, title, done, created_at, updated_at"

# The counter's row stays locked until the task is in, so no number is given twice.
_ADD = """
with counter as (
  insert into {s}.task_counters as c (user_id, last_number) values (:user_id, 1)
  on conflict (user_id) do update set last_number = c.last_number + 1
  returning user_id, last_number)
insert into {s}.tasks (user_id, number, title, done, created_at, updated_at)
select user_id, last_number, :title, false, now(), now() from counter
returning {columns}"""

_LIST = """
select {columns} from {s}.tasks where user_id = :user_id order by number limit 1000"""

_UPDATE = """
update {s}.tasks set title = coalesce(cast(:title as text), title),
  done = coalesce(cast(:done as boolean), done), updated_at = now()
where user_id = :user_id and number = :number
returning {columns}"""

_DELETE = """
delete from {s}.tasks where user_id = :user_id and number = :number returning {columns}"""


class PostgresTaskRepository(TaskRepository):
    """The engine must be in AUTOCOMMIT: a call is then one round trip, and a transaction.

    Nothing is tried again, because adding and deleting are not harmless to repeat.
    """

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._add = _statement(_ADD, schema)
        self._list = _statement(_LIST, schema)
        self._update = _statement(_UPDATE, schema)
        self._delete = _statement(_DELETE, schema)

    async def add(self, user_id: UserId, title: str) -> Task:
        """Keep a new task under the owner's next number. Raises Unavailable."""
        (row,) = await self._rows(self._add, user_id=user_id, title=title)
        return _task(row)

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000. Raises Unavailable."""
        return tuple(_task(row) for row in await self._rows(self._list, user_id=user_id))

    async def update(
        self, user_id: UserId, number: int, *, title: str | None = None, done: bool | None = None
    ) -> Task:
        """Change what is given and leave the rest. Raises NotFound, Unavailable."""
        return await self._one(self._update, user_id, number, title=title, done=done)

    async def delete(self, user_id: UserId, number: int) -> Task:
        """Delete it; answers what it was. Raises NotFound, Unavailable."""
        return await self._one(self._delete, user_id, number)

    async def _one(
        self, statement: TextClause, user_id: UserId, number: int, **parameters: Any
    ) -> Task:
        rows: list[Row[Any]] = []
        # the column can't even be compared with a larger one
        if 1 <= number <= _LARGEST_NUMBER:
            rows = await self._rows(statement, user_id=user_id, number=number, **parameters)
        if not rows:
            raise refusals.no_task(number)
        return _task(rows[0])

    async def _rows(self, statement: TextClause, **parameters: Any) -> "list[Row[Any]]":
        with translated():
            async with self._engine.connect() as connection:
                return list(await connection.execute(statement, parameters))


def _statement(template: str, schema: str) -> TextClause:
    return text(template.format(s=f'"{schema}"', columns=_COLUMNS))


def _task(row: Row[Any]) -> Task:
    return Task(
        number=row.number,
        title=row.title,
        done=row.done,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
