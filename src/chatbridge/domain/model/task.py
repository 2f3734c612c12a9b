"""A thing to do, of the bundled task-management tools."""

from dataclasses import dataclass
from datetime import datetime

from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.message import storable

MAX_TASK_TITLE = 500


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
        raise Invalid(f"A task has 1 to {MAX_TASK_TITLE} characters.", code="invalid_task")
    if not storable(title):
        raise Invalid(
            "The title holds a character that can't be kept (NUL or a lone surrogate).",
            code="invalid_text",
        )
    return title
