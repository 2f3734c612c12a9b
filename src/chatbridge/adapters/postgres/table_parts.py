"""What the tables are made of: the schema, the base of their rows, and columns."""

from collections.abc import Iterator
from typing import Any, get_args

from sqlalchemy import CheckConstraint, DateTime, Index, MetaData, text
from sqlmodel import Field, Relationship, SQLModel

SCHEMA = "chatbridge"

NOW = text("clock_timestamp()")


class Row(SQLModel):
    """The base of all tables: a metadata of their own, in their own schema."""

    metadata = MetaData(schema=SCHEMA)


def column(type_: Any, *, default: Any = None, **options: Any) -> Any:
    server_default = {} if default is None else {"server_default": default}
    return Field(
        sa_type=type_, sa_column_kwargs={**server_default, **options.pop("column", {})}, **options
    )


def time(*, default: Any = NOW) -> Any:
    return column(DateTime(timezone=True), default=default, nullable=False)


def words(literal: Any) -> Iterator[str]:
    """The words of a Literal of the domain, or of a union of them."""
    for part in get_args(literal):
        yield from (part,) if isinstance(part, str) else words(part)


def one_of(literal: Any, name_of_column: str, name: str) -> CheckConstraint:
    said = ", ".join(f"'{word}'" for word in words(literal))
    return CheckConstraint(f"{name_of_column} in ({said})", name=name)


def one_in_a_conversation(state: str, name: str) -> Index:
    at_most = text(f"state = '{state}'")
    return Index(name, "user_id", "conversation_id", unique=True, postgresql_where=at_most)


def related(back_populates: str, **how: str) -> Any:
    """Rows are written by statements and by functions: what belongs together is only read by it,
    where a statement says so.
    """
    kwargs = {"lazy": "raise", "viewonly": True, **how}
    return Relationship(back_populates=back_populates, sa_relationship_kwargs=kwargs)
