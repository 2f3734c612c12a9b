"""The tasks of the bundled tool server, each call scoped to an owner."""

from typing import Protocol

from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task


class TaskRepository(Protocol):
    """Every call raises Unavailable when the store is away; those with a number raise NotFound
    where the owner has no such task.

    A `key` names the call. The same call under the same key, for the same owner, changes nothing
    more and answers what it answered the first time, for at least a day; another call under it
    raises Invalid and does nothing. A call that failed has left nothing under its key.
    """

    async def add(self, user_id: UserId, title: str, *, key: str | None = None) -> Task:
        """Keep a new task under the owner's next number."""
        ...

    async def list(self, user_id: UserId) -> tuple[Task, ...]:
        """The owner's tasks by number; at most 1,000."""
        ...

    async def update(
        self,
        user_id: UserId,
        number: int,
        *,
        title: str | None = None,
        done: bool | None = None,
        key: str | None = None,
    ) -> Task:
        """Change what is given and leave the rest."""
        ...

    async def delete(self, user_id: UserId, number: int, *, key: str | None = None) -> Task:
        """Delete it; answers what it was."""
        ...
