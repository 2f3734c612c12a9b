"""A thing to do, of the bundled task-management tools."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model import refusals
from chatbridge.domain.model.limits import MAX_TASK_TITLE
from chatbridge.domain.model.message import storable

TASK_TOOLS = ("add_task", "list_tasks", "update_task", "complete_task", "delete_task", "rehearse")
"""The names of the bundled tools; the last one only shows how calls look."""

Rehearsal = Literal["fail", "slow", "crash"]
"""What a call comes to that only shows how such a call looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`number` counts from 1 for each owner, is short enough to say, and is never used again."""

    number: int
    title: str
    done: bool
    created_at: datetime
    updated_at: datetime


def checked_task_title(title: str) -> str:
    """A task's title without outer blanks. Raises Invalid: empty, over 500, unstorable."""
    title = title.strip()
    if not 1 <= len(title) <= MAX_TASK_TITLE:
        raise refusals.invalid_task()
    if not storable(title):
        raise refusals.unstorable("title")
    return title
