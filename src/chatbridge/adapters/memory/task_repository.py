"""Tasks in memory, for tests and demonstrations."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

_LONGEST_LIST = 1_000

_Request = tuple[Any, ...]


class MemoryTaskRepository(TaskRepository):
    """Yields to the loop in every call, as one with a network behind it does."""

    def __init__(self) -> None:
        self._tasks: dict[UserId, dict[int, Task]] = {}
        self._last_numbers: dict[UserId, int] = {}
        self._made: dict[tuple[UserId, str], tuple[_Request, Task]] = {}

    async def add(self, user_id: UserId, title: str, *, key: str | None = None) -> Task:
        """Keep a new task under the owner's next number. Raises Invalid."""
        await asyncio.sleep(0)
        return self._once(user_id, key, ("add", title), lambda: self._added(user_id, title))

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000."""
        await asyncio.sleep(0)
        return tuple(self._tasks.get(user_id, {}).values())[:_LONGEST_LIST]

    async def update(
        self,
        user_id: UserId,
        number: int,
        *,
        title: str | None = None,
        done: bool | None = None,
        key: str | None = None,
    ) -> Task:
        """Change what is given and leave the rest. Raises NotFound, Invalid."""
        await asyncio.sleep(0)
        request = ("update", number, title, done)
        return self._once(
            user_id, key, request, lambda: self._changed(user_id, number, title, done)
        )

    async def delete(self, user_id: UserId, number: int, *, key: str | None = None) -> Task:
        """Delete it; answers what it was. Raises NotFound, Invalid."""
        await asyncio.sleep(0)
        return self._once(user_id, key, ("delete", number), lambda: self._deleted(user_id, number))

    # Nothing is awaited here, so no other call comes in between.
    def _once(
        self,
        user_id: UserId,
        key: str | None,
        request: _Request,
        effect: Callable[[], Task],
    ) -> Task:
        if key is None:
            return effect()
        if (user_id, key) not in self._made:
            self._made[user_id, key] = (request, effect())
        made, answer = self._made[user_id, key]
        if made != request:
            raise refusals.task_key_reused()
        return answer

    def _added(self, user_id: UserId, title: str) -> Task:
        number = self._last_numbers.get(user_id, 0) + 1
        now = datetime.now(UTC)
        task = Task(number=number, title=title, done=False, created_at=now, updated_at=now)
        self._last_numbers[user_id] = number
        self._tasks.setdefault(user_id, {})[number] = task
        return task

    def _changed(self, user_id: UserId, number: int, title: str | None, done: bool | None) -> Task:
        task = self._found(user_id, number)
        changed = replace(
            task,
            title=task.title if title is None else title,
            done=task.done if done is None else done,
            updated_at=datetime.now(UTC),
        )
        self._tasks[user_id][number] = changed
        return changed

    def _deleted(self, user_id: UserId, number: int) -> Task:
        task = self._found(user_id, number)
        del self._tasks[user_id][number]
        return task

    def _found(self, user_id: UserId, number: int) -> Task:
        task = self._tasks.get(user_id, {}).get(number)
        if task is None:
            raise refusals.no_task(number)
        return task
