"""Tasks in Postgres: one statement a call."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import ColumnElement, UpdateBase, bindparam, delete, func, literal, update
from sqlalchemy import select as values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate
from sqlmodel import col, select

from chatbridge.adapters.postgres.failures import once
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.adapters.postgres.tables import TaskCallRow, TaskCounterRow, TaskRow
from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

_LARGEST_NUMBER = 2**31 - 1

_KEPT_FOR = timedelta(days=1)

_TASK = ("number", "title", "done", "created_at", "updated_at")

_LIST = (
    select(TaskRow)
    .where(col(TaskRow.user_id) == bindparam("user_id"))
    .order_by(col(TaskRow.number))
    .limit(1_000)
)

_Effect = ReturningInsert[TaskRow] | ReturningUpdate[TaskRow] | ReturningDelete[TaskRow]


class PostgresTaskRepository(TaskRepository):
    """The engine must be in AUTOCOMMIT: a call is then one round trip, and a transaction.

    Nothing is tried again, because adding and deleting are not harmless to repeat. Only a
    call that comes again under its key is asked about in a second statement.
    """

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._statements = Statements(engine, schema, once)

    async def add(self, user_id: UserId, title: str, *, key: str | None = None) -> Task:
        """Keep a new task under the owner's next number. Raises Invalid, Unavailable."""
        request = json.dumps(["add", title], ensure_ascii=False)
        (row,) = await self._changed(_addition(user_id, title), user_id, key, request)
        return _task(row)

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000. Raises Unavailable."""
        rows = await self._statements.found(_LIST, user_id=user_id)
        return tuple(_task(row) for row in rows)

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
        given = {"title": title, "done": done}
        changes = {name: value for name, value in given.items() if value is not None}
        change = update(TaskRow).where(*_one(user_id, number))
        effect = change.values(updated_at=func.now(), **changes).returning(TaskRow)
        request = json.dumps(["update", number, title, done], ensure_ascii=False)
        return await self._on_one(effect, user_id, key, request, number)

    async def delete(self, user_id: UserId, number: int, *, key: str | None = None) -> Task:
        """Delete it; answers what it was. Raises NotFound, Invalid, Unavailable."""
        effect = delete(TaskRow).where(*_one(user_id, number)).returning(TaskRow)
        return await self._on_one(effect, user_id, key, json.dumps(["delete", number]), number)

    async def _on_one(
        self, effect: _Effect, user_id: UserId, key: str | None, request: str, number: int
    ) -> Task:
        # the column can't even be compared with a larger number
        known = 1 <= number <= _LARGEST_NUMBER
        rows = await self._changed(effect, user_id, key, request) if known else ()
        if not rows:
            raise refusals.no_task(number)
        return _task(rows[0])

    async def _changed(
        self, effect: _Effect, user_id: UserId, key: str | None, request: str
    ) -> Sequence[TaskRow | TaskCallRow]:
        if key is None:
            return await self._statements.changed(effect)
        # where the key is taken, the primary key refuses the row and Postgres takes back the effect
        with suppress(IntegrityError):
            if rows := await self._statements.changed(_under(user_id, key, request, effect)):
                return rows
        # what was deleted under this key is not there to be refused
        made = select(TaskCallRow).where(
            col(TaskCallRow.user_id) == user_id, col(TaskCallRow.key) == key
        )
        return _same(request, await self._statements.found(made))


def _one(user_id: UserId, number: int) -> tuple[ColumnElement[bool], ...]:
    return col(TaskRow.user_id) == user_id, col(TaskRow.number) == number


def _addition(user_id: UserId, title: str) -> _Effect:
    # the counter's row stays locked until the task is in, so no number is given twice
    last_number = col(TaskCounterRow.last_number)
    counter = (
        insert(TaskCounterRow)
        .values(user_id=user_id, last_number=1)
        .on_conflict_do_update(index_elements=["user_id"], set_={"last_number": last_number + 1})
        .returning(last_number)
        .cte("counter")
    )
    now = func.now()
    task = values(literal(user_id), counter.c.last_number, literal(title), literal(False), now, now)
    return insert(TaskRow).from_select(("user_id", *_TASK), task).returning(TaskRow)


def _under(user_id: UserId, key: str, request: str, effect: _Effect) -> UpdateBase:
    """The same effect, whose key and answer are kept in the same statement."""
    made = effect.cte("effect")
    expired = delete(TaskCallRow).where(
        col(TaskCallRow.user_id) == user_id, col(TaskCallRow.called_at) < func.now() - _KEPT_FOR
    )
    call = (literal(user_id), literal(key), literal(request), func.now())
    kept = values(*call, *(made.c[name] for name in _TASK)).add_cte(expired.cte("expired"))
    columns = ("user_id", "key", "request", "called_at", *_TASK)
    return insert(TaskCallRow).from_select(columns, kept).returning(TaskCallRow)


def _same(request: str, made: Sequence[TaskCallRow]) -> Sequence[TaskCallRow]:
    if any(row.request != request for row in made):
        raise refusals.task_key_reused()
    return made


def _task(row: TaskRow | TaskCallRow) -> Task:
    return Task(
        number=row.number,
        title=row.title,
        done=row.done,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
