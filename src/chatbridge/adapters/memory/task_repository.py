"""Tasks in memory, for tests and demonstrations."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

_LONGEST_LIST = 1_000


class MemoryTaskRepository(TaskRepository):
    """Yields to the loop in every call, as one with a network behind it does."""

    def __init__(self) -> None:
        self._tasks: dict[UserId, dict[int, Task]] = {}
        self._last_numbers: dict[UserId, int] = {}

    async def add(self, user_id: UserId, title: str) -> Task:
        """Keep a new task under the owner's next number."""
        await asyncio.sleep(0)
        number = self._last_numbers.get(user_id, 0) + 1
        now = datetime.now(UTC)
        task = Task(number=number, title=title, done=False, created_at=now, updated_at=now)
        self._last_numbers[user_id] = number
        self._tasks.setdefault(user_id, {})[number] = task
        return task

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000."""
        await asyncio.sleep(0)
        return tuple(self._tasks.get(user_id, {}).values())[:_LONGEST_LIST]

    async def update(
        self, user_id: UserId, number: int, *, title: str | None = None, done: bool | None = None
    ) -> Task:
        """Change what is given and leave the rest. Raises NotFound."""
        await asyncio.sleep(0)
        task = self._found(user_id, number)
        changed = replace(
            task,
            title=task.title if title is None else title,
            done=task.done if done is None else done,
            updated_at=datetime.now(UTC),
        )
        self._tasks[user_id][number] = changed
        return changed

    async def delete(self, user_id: UserId, number: int) -> Task:
        """Delete it; answers what it was. Raises NotFound."""
        await asyncio.sleep(0)
        task = self._found(user_id, number)
        del self._tasks[user_id][number]
        return task

    def _found(self, user_id: UserId, number: int) -> Task:
        task = self._tasks.get(user_id, {}).get(number)
        if task is None:
            raise refusals.no_task(number)
        return task
