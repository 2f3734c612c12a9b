"""The rows of the bundled tool server."""

from datetime import datetime

from sqlalchemy import PrimaryKeyConstraint, Text, text
from sqlmodel import Field

from chatbridge.adapters.postgres.table_parts import Row, column, time


class TaskCounterRow(Row, table=True):
    """The last task number given to an owner."""

    __tablename__ = "task_counters"  # pyright: ignore[reportAssignmentType]

    user_id: str = column(Text, primary_key=True)
    last_number: int = Field()


class TaskRow(Row, table=True):
    """A task of the bundled tool server."""

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (PrimaryKeyConstraint("user_id", "number"),)

    user_id: str = column(Text, primary_key=True)
    number: int = Field(primary_key=True)
    title: str = column(Text)
    done: bool = Field(sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = time()
    updated_at: datetime = time()


class TaskCallRow(Row, table=True):
    """What a call of the bundled tool server was, and what it answered, under the call's key."""

    __tablename__ = "task_calls"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (PrimaryKeyConstraint("user_id", "key"),)

    user_id: str = column(Text, primary_key=True)
    key: str = column(Text, primary_key=True)
    request: str = column(Text)
    number: int = Field()
    title: str = column(Text)
    done: bool = Field()
    created_at: datetime = time(default=None)
    updated_at: datetime = time(default=None)
    called_at: datetime = time(default=None)
