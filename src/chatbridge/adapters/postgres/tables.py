"""The rows, and nothing but the rows. The owner is the first column of every key."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlmodel import Field

from chatbridge.adapters.postgres.attachment_tables import AttachmentRow as AttachmentRow
from chatbridge.adapters.postgres.table_parts import (
    SCHEMA,
    Row,
    column,
    one_in_a_conversation,
    one_of,
    related,
    time,
    words,
)
from chatbridge.adapters.postgres.task_tables import TaskCallRow as TaskCallRow
from chatbridge.adapters.postgres.task_tables import TaskCounterRow as TaskCounterRow
from chatbridge.adapters.postgres.task_tables import TaskRow as TaskRow
from chatbridge.domain.model.conversation import Status
from chatbridge.domain.model.message import FeedbackKind, Kind, Role
from chatbridge.domain.model.tool_call import CallState
from chatbridge.domain.model.turn import TurnState


class ConversationRow(Row, table=True):
    """`last_position` counts the positions ever given, so that none is given twice; `counted` the
    messages that count for the window, so that nobody counts them at each turn.
    """

    __tablename__ = "conversations"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        one_of(Status, "status", "conversations_status"),
        # the one question that does not name the owner: does this id exist at all?
        Index("conversations_by_id", "id"),
        Index("conversations_by_activity", "user_id", "updated_at", "id"),
    )

    user_id: str = column(Text, primary_key=True)
    id: str = column(Text, primary_key=True)
    title: str | None = column(Text, nullable=True)
    status: Status = column(Text, default=text("'active'"))
    status_reason: str | None = column(Text, nullable=True)
    meta: dict[str, Any] = column(JSONB, default=text("'{}'"), column={"name": "metadata"})
    agent: str | None = column(Text, nullable=True)
    pictures: list[str] | None = column(JSONB(none_as_null=True), nullable=True)
    last_position: int = column(BigInteger, default=text("0"))
    counted: int = column(BigInteger, default=text("0"))
    created_at: datetime = time()
    updated_at: datetime = time()
    messages: list["MessageRow"] = related("conversation", order_by="MessageRow.position")
    turns: list["TurnRow"] = related("conversation", order_by="TurnRow.created_at")


_CALL_STATES = " || ".join(f'@.state == "{state}"' for state in words(CallState))
_CALL_LACKS_SOMETHING = (
    "$[*] ? (!exists(@.id) || !exists(@.name) || !exists(@.arguments) || !exists(@.output)"
    f" || !exists(@.started_at) || !exists(@.ended_at) || !({_CALL_STATES}))"
)

_SIZE = (
    "octet_length(content) + octet_length(tool_calls::text) + octet_length(citations::text)"
    " + octet_length(attachments::text)"
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
        one_of(Role, "role", "messages_role"),
        one_of(Kind, "kind", "messages_kind"),
        CheckConstraint(
            "jsonb_typeof(tool_calls) = 'array'"
            " and (kind = 'tools') = (tool_calls <> '[]')"
            f" and not jsonb_path_exists(tool_calls, '{_CALL_LACKS_SOMETHING}')",
            name="messages_tool_calls",
        ),
        CheckConstraint("jsonb_typeof(citations) = 'array'", name="messages_citations"),
        CheckConstraint("jsonb_typeof(attachments) = 'array'", name="messages_attachments"),
        Index(
            "messages_counted",
            "user_id",
            "conversation_id",
            "position",
            postgresql_where=text("kind in ('text', 'partial')"),
        ),
    )

    user_id: str = column(Text, primary_key=True)
    conversation_id: str = column(Text, primary_key=True)
    position: int = column(BigInteger, primary_key=True)
    id: str = column(Text)
    turn_id: str | None = column(Text, nullable=True)
    role: Role = column(Text)
    kind: Kind = column(Text)
    content: str = column(Text, default=text("''"))
    tool_calls: list[dict[str, Any]] = column(JSONB, default=text("'[]'"))
    citations: list[dict[str, Any]] = column(JSONB, default=text("'[]'"))
    attachments: list[dict[str, Any]] = column(JSONB, default=text("'[]'"))
    payload: dict[str, Any] | None = column(JSON(none_as_null=True), nullable=True)
    size: int = Field(sa_column_args=[Computed(_SIZE, persisted=True)])
    created_at: datetime = time()
    conversation: ConversationRow = related("messages")


class TurnRow(Row, table=True):
    """The one with the highest epoch may write, until its lease has passed; while it waits for a
    person, `lease_until` is until when it may be answered.

    `subject_position` is of the message that it answers, or, where it answers none, of the last one
    when it began. `by_host`: a server of the host's own speaks. `watchable`: its events are still
    there. `revised` is what was last changed in its conversation beside it, under the `id` of the
    event that says so.
    """

    __tablename__ = "turns"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="CASCADE",
        ),
        one_of(TurnState, "state", "turns_state"),
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
        one_in_a_conversation("running", "turns_one_running"),
        one_in_a_conversation("waiting", "turns_one_waiting"),
        Index("turns_waiting_until", "lease_until", postgresql_where=text("state = 'waiting'")),
        # room beside a running turn for its renewals, which no index has to know of then
        {"postgresql_with": {"fillfactor": 80}},
    )

    user_id: str = column(Text, primary_key=True)
    id: str = column(Text, primary_key=True)
    conversation_id: str = column(Text)
    subject_position: int = column(BigInteger)
    retry: bool = Field()
    key: str | None = column(Text, nullable=True)
    digest: str | None = column(Text, nullable=True)
    state: TurnState = column(Text, default=text("'running'"))
    code: str | None = column(Text, nullable=True)
    model: str | None = column(Text, nullable=True)
    by_host: bool = Field(sa_column_kwargs={"server_default": text("false")})
    epoch: int = Field(sa_column_kwargs={"server_default": text("1")})
    lease_until: datetime = time(default=None)
    watchable: bool = Field(sa_column_kwargs={"server_default": text("true")})
    revised: dict[str, Any] | None = column(JSONB(none_as_null=True), nullable=True)
    cancel_asked: bool = Field(sa_column_kwargs={"server_default": text("false")})
    usage: dict[str, int] | None = column(JSONB(none_as_null=True), nullable=True)
    created_at: datetime = time()
    ended_at: datetime | None = column(DateTime(timezone=True), nullable=True)
    conversation: ConversationRow = related("turns")


class TurnEventRow(Row, table=True):
    """The journal: event `number` of a turn, counted from 1 without a gap; below 0 is what was left
    for whoever runs it."""

    __tablename__ = "turn_events"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "turn_id", "number"),
        ForeignKeyConstraint(
            ["user_id", "turn_id"],
            [f"{SCHEMA}.turns.user_id", f"{SCHEMA}.turns.id"],
            ondelete="CASCADE",
        ),
    )

    user_id: str = column(Text, primary_key=True)
    turn_id: str = column(Text, primary_key=True)
    number: int = Field(primary_key=True)
    event: dict[str, Any] = column(JSON, nullable=False)


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
        one_of(FeedbackKind, "kind", "feedback_kind"),
    )

    user_id: str = column(Text, primary_key=True)
    conversation_id: str = column(Text, primary_key=True)
    message_id: str = column(Text, primary_key=True)
    kind: FeedbackKind = column(Text)
    updated_at: datetime = time()


class CounterpartRow(Row, table=True):
    """What the model's provider keeps of a conversation; one without a conversation is to be
    deleted there, and its row then.
    """

    __tablename__ = "counterparts"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="SET NULL (conversation_id)",
        ),
        Index("counterparts_of_conversation", "user_id", "conversation_id"),
        Index(
            "counterparts_left",
            "user_id",
            "id",
            postgresql_where=text("conversation_id is null"),
        ),
    )

    user_id: str = column(Text, primary_key=True)
    id: str = column(Text, primary_key=True)
    conversation_id: str | None = column(Text, nullable=True)
    through: int | None = column(BigInteger, nullable=True)
    created_at: datetime = time()


class StandingApprovalRow(Row, table=True):
    """Calls of this tool, as it is described by `fingerprint`, are approved in the conversation.

    Written by nothing but an approval, with the answer that it is.
    """

    __tablename__ = "standing_approvals"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "conversation_id", "source", "tool"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="CASCADE",
        ),
    )

    user_id: str = column(Text, primary_key=True)
    conversation_id: str = column(Text, primary_key=True)
    source: str = column(Text, primary_key=True)
    tool: str = column(Text, primary_key=True)
    id: str = column(Text)
    fingerprint: str = column(Text)
    created_at: datetime = time(default=None)
