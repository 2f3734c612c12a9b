"""The rows of the files that people bring, and that tools and models make."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlmodel import Field

from chatbridge.adapters.postgres.table_parts import SCHEMA, Row, column, one_of, time
from chatbridge.domain.model.attachment import AttachmentState


class AttachmentRow(Row, table=True):
    """A file that a person brings, or that was `made` for them. One that was sent and has no
    conversation any more is to be deleted where its bytes are, and its row then.
    """

    __tablename__ = "attachments"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id"),
        ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            [f"{SCHEMA}.conversations.user_id", f"{SCHEMA}.conversations.id"],
            ondelete="SET NULL (conversation_id)",
        ),
        one_of(AttachmentState, "state", "attachments_state"),
        # the same question as conversations_by_id
        Index("attachments_by_id", "id"),
        Index("attachments_of_conversation", "user_id", "conversation_id"),
        Index("attachments_of_a_day", "user_id", "created_at"),
        Index("attachments_left", "created_at", postgresql_where=text("conversation_id is null")),
        # those that were made and that no message shows yet
        Index("attachments_made", "created_at", postgresql_where=text("made and not sent")),
    )

    user_id: str = column(Text, primary_key=True)
    id: str = column(Text, primary_key=True)
    conversation_id: str | None = column(Text, nullable=True)
    name: str = column(Text)
    media_type: str = column(Text)
    size: int = column(BigInteger)
    state: AttachmentState = column(Text, default=text("'awaited'"))
    sent: bool = Field(sa_column_kwargs={"server_default": text("false")})
    made: bool = Field(sa_column_kwargs={"server_default": text("false")})
    tries: int = Field(sa_column_kwargs={"server_default": text("0")})
    number: int = Field(sa_column_kwargs={"server_default": text("0")})
    record: dict[str, Any] | None = column(JSON(none_as_null=True), nullable=True)
    created_at: datetime = time()
