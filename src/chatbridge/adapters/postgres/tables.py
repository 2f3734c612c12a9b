"""The rows, and nothing but the rows. The owner is the first column of every key."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import Field, Relationship, SQLModel

from chatbridge.domain.model.conversation import Status
from chatbridge.domain.model.message import FeedbackKind, Kind, Role
from chatbridge.domain.model.tool_call import CallState
from chatbridge.domain.model.turn import TurnState

SCHEMA = "chatbridge"

NOW = text("clock_timestamp()")


class Row(SQLModel):
    """The base of all tables: a metadata of their own, in their own schema."""

    metadata = MetaData(schema=SCHEMA)


def _column(type_: Any, *, default: Any = None, **options: Any) -> Any:
    server_default = {} if default is None else {"server_default": default}
    return Field(
        sa_type=type_, sa_column_kwargs={**server_default, **options.pop("column", {})}, **options
    )


def _time(*, default: Any = NOW) -> Any:
    return _column(DateTime(timezone=True), default=default, nullable=False)


def _words(literal: Any) -> Iterator[str]:
    """The words of a Literal of the domain, or of a union of them."""
    for part in get_args(literal):
        yield from (part,) if isinstance(part, str) else _words(part)


def _one_of(literal: Any, column: str, name: str) -> CheckConstraint:
    words = ", ".join(f"'{word}'" for word in _words(literal))
    return CheckConstraint(f"{column} in ({words})", name=name)


def _related(back_populates: str, **how: str) -> Any:
    """Rows are written by statements and by functions: what belongs together is only read by it,
    where a statement says so.
    """
    kwargs = {"lazy": "raise", "viewonly": True, **how}
    return Relationship(back_populates=back_populates, sa_relationship_kwargs=kwargs)


class ConversationRow(Row, table=True):
    """`last_position` counts the positions ever given, so that none is given twice; `counted` the
    messages that count for the window, so that nobody counts them at each turn.
    """

    __tablename__ = "conversations"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        _one_of(Status, "status", "conversations_status"),
        # the one question that does not name the owner: does this id exist at all?
        Index("conversations_by_id", "id"),
        Index("conversations_by_activity", "user_id", "updated_at", "id"),
    )

    user_id: str = _column(Text, primary_key=True)
    id: str = _column(Text, primary_key=True)
    title: str | None = _column(Text, nullable=True)
    status: Status = _column(Text, default=text("'active'"))
    status_reason: str | None = _column(Text, nullable=True)
    meta: dict[str, Any] = _column(JSONB, default=text("'{}'"), column={"name": "metadata"})
    last_position: int = _column(BigInteger, default=text("0"))
    counted: int = _column(BigInteger, default=text("0"))
    created_at: datetime = _time()
    updated_at: datetime = _time()
    messages: list["MessageRow"] = _related("conversation", order_by="MessageRow.position")
    turns: list["TurnRow"] = _related("conversation", order_by="TurnRow.created_at")


_CALL_STATES = " || ".join(f'@.state == "{state}"' for state in _words(CallState))
_CALL_LACKS_SOMETHING = (
    "$[*] ? (!exists(@.id) || !exists(@.name) || !exists(@.arguments) || !exists(@.output)"
    f" || !exists(@.started_at) || !exists(@.ended_at) || !({_CALL_STATES}))"
)


_SIZE = (
    "octet_length(content) + octet_length(tool_calls::text) + octet_length(citations::text)"
    " + coalesce(octet_length(payload::text), 0)"
)


class MessageRow(Row, table=True):
    """`payload` is json, not jsonb: it comes back byte for byte. `size`: bytes of it all as text,
    known without reading it.
    """

    __tablename__ = "messages"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "conversation_id", "position"),
        UniqueConstraint("user_id", "conversation_id", "id", name="messages_by_id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="CASCADE",
        ),
        _one_of(Role, "role", "messages_role"),
        _one_of(Kind, "kind", "messages_kind"),
        CheckConstraint(
            "jsonb_typeof(tool_calls) = 'array'"
            " and (kind = 'tools') = (tool_calls <> '[]')"
            f" and not jsonb_path_exists(tool_calls, '{_CALL_LACKS_SOMETHING}')",
            name="messages_tool_calls",
        ),
        CheckConstraint("jsonb_typeof(citations) = 'array'", name="messages_citations"),
        Index(
            "messages_counted",
            "user_id",
            "conversation_id",
            "position",
            postgresql_where=text("kind in ('text', 'partial')"),
        ),
    )

    user_id: str = _column(Text, primary_key=True)
    conversation_id: str = _column(Text, primary_key=True)
    position: int = _column(BigInteger, primary_key=True)
    id: str = _column(Text)
    turn_id: str | None = _column(Text, nullable=True)
    role: Role = _column(Text)
    kind: Kind = _column(Text)
    content: str = _column(Text, default=text("''"))
    tool_calls: list[dict[str, Any]] = _column(JSONB, default=text("'[]'"))
    citations: list[dict[str, Any]] = _column(JSONB, default=text("'[]'"))
    payload: dict[str, Any] | None = _column(JSON(none_as_null=True), nullable=True)
    size: int = Field(sa_column_args=[Computed(_SIZE, persisted=True)])
    created_at: datetime = _time()
    conversation: ConversationRow = _related("messages")


class TurnRow(Row, table=True):
    """The one with the highest epoch may write, until its lease has passed.

    `subject_position` is of the message that it answers, or, where it answers none, of the last one
    when it began. `by_host`: a server of the host's own speaks. `watchable`: its events are still
    there.
    """

    __tablename__ = "turns"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="CASCADE",
        ),
        _one_of(TurnState, "state", "turns_state"),
        # the same question as conversations_by_id
        Index("turns_by_id", "id"),
        Index(
            "turns_by_key",
            "user_id",
            "key",
            unique=True,
            postgresql_where=text("key is not null"),
        ),
        Index("turns_of_conversation", "user_id", "conversation_id", "created_at"),
        Index("turns_watchable", "user_id", "conversation_id", postgresql_where=text("watchable")),
        Index(
            "turns_one_running",
            "user_id",
            "conversation_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
        # room beside a running turn for its renewals, which no index has to know of then
        {"postgresql_with": {"fillfactor": 80}},
    )

    user_id: str = _column(Text, primary_key=True)
    id: str = _column(Text, primary_key=True)
    conversation_id: str = _column(Text)
    subject_position: int = _column(BigInteger)
    retry: bool = Field()
    key: str | None = _column(Text, nullable=True)
    digest: str | None = _column(Text, nullable=True)
    state: TurnState = _column(Text, default=text("'running'"))
    code: str | None = _column(Text, nullable=True)
    model: str | None = _column(Text, nullable=True)
    by_host: bool = Field(sa_column_kwargs={"server_default": text("false")})
    epoch: int = Field(sa_column_kwargs={"server_default": text("1")})
    lease_until: datetime = _time(default=None)
    watchable: bool = Field(sa_column_kwargs={"server_default": text("true")})
    cancel_asked: bool = Field(sa_column_kwargs={"server_default": text("false")})
    usage: dict[str, int] | None = _column(JSONB(none_as_null=True), nullable=True)
    created_at: datetime = _time()
    ended_at: datetime | None = _column(DateTime(timezone=True), nullable=True)
    conversation: ConversationRow = _related("turns")


class TurnEventRow(Row, table=True):
    """The journal: event `number` of a turn, counted from 1 without a gap."""

    __tablename__ = "turn_events"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "turn_id", "number"),
        ForeignKeyConstraint(
            ["user_id", "turn_id"],
            [f"{SCHEMA}.turns.user_id", f"{SCHEMA}.turns.id"],
            ondelete="CASCADE",
        ),
    )

    user_id: str = _column(Text, primary_key=True)
    turn_id: str = _column(Text, primary_key=True)
    number: int = Field(primary_key=True)
    event: dict[str, Any] = _column(JSON, nullable=False)


class FeedbackRow(Row, table=True):
    """The owner's verdict on a message."""

    __tablename__ = "feedback"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "conversation_id", "message_id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id", "message_id"],
            [
                f"{SCHEMA}.messages.user_id",
                f"{SCHEMA}.messages.conversation_id",
                f"{SCHEMA}.messages.id",
            ],
            ondelete="CASCADE",
        ),
        _one_of(FeedbackKind, "kind", "feedback_kind"),
    )

    user_id: str = _column(Text, primary_key=True)
    conversation_id: str = _column(Text, primary_key=True)
    message_id: str = _column(Text, primary_key=True)
    kind: FeedbackKind = _column(Text)
    updated_at: datetime = _time()


class TaskCounterRow(Row, table=True):
    """The last task number given to an owner."""

    __tablename__ = "task_counters"  # pyright: ignore[reportAssignmentType]

    user_id: str = _column(Text, primary_key=True)
    last_number: int = Field()


class TaskRow(Row, table=True):
    """A task of the bundled tool server."""

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (PrimaryKeyConstraint("user_id", "number"),)

    user_id: str = _column(Text, primary_key=True)
    number: int = Field(primary_key=True)
    title: str = _column(Text)
    done: bool = Field(sa_column_kwargs={"server_default": text("false")})
    created_at: datetime = _time()
    updated_at: datetime = _time()


class TaskCallRow(Row, table=True):
    """What a call of the bundled tool server was, and what it answered, under the call's key."""

    __tablename__ = "task_calls"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (PrimaryKeyConstraint("user_id", "key"),)

    user_id: str = _column(Text, primary_key=True)
    key: str = _column(Text, primary_key=True)
    request: str = _column(Text)
    number: int = Field()
    title: str = _column(Text)
    done: bool = Field()
    created_at: datetime = _time(default=None)
    updated_at: datetime = _time(default=None)
    called_at: datetime = _time(default=None)
