"""Conversations, messages, turns with their journal, feedback, and the bundled tools' tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chatbridge.adapters.postgres.migrations.functions import create_function, drop_function

revision = "0001"
down_revision = None

SCHEMA = "chatbridge"
TOOL_CALLS = (
    "jsonb_typeof(tool_calls) = 'array' and (kind = 'tools') = (tool_calls <> '[]')"
    " and not jsonb_path_exists(tool_calls, '$[*] ? (!exists(@.id) || !exists(@.name)"
    " || !exists(@.arguments) || !exists(@.output) || !exists(@.started_at)"
    ' || !exists(@.ended_at) || !(@.state == "running" || @.state == "succeeded"'
    ' || @.state == "failed" || @.state == "cancelled" || @.state == "unknown"))\')'
)
FUNCTIONS = ("begin_turn_1", "finish_turn_1", "claim_stale_turn_1")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("last_position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("status in ('active', 'locked', 'closed')", name="conversations_status"),
        sa.PrimaryKeyConstraint("user_id", "id"),
        schema=SCHEMA,
    )
    op.create_index(
        "conversations_by_activity",
        "conversations",
        ["user_id", "updated_at", "id"],
        unique=False,
        schema=SCHEMA,
    )
    op.create_index("conversations_by_id", "conversations", ["id"], unique=False, schema=SCHEMA)
    op.create_table(
        "task_counters",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "tasks",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("user_id", "number"),
        schema=SCHEMA,
    )
    op.create_table(
        "task_calls",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key"),
        schema=SCHEMA,
    )
    op.create_table(
        "messages",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "tool_calls",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "citations",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "payload", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('text', 'partial', 'tools', 'shown', 'note')", name="messages_kind"
        ),
        sa.CheckConstraint("role in ('user', 'assistant')", name="messages_role"),
        sa.CheckConstraint(
            TOOL_CALLS,
            name="messages_tool_calls",
        ),
        sa.CheckConstraint("jsonb_typeof(citations) = 'array'", name="messages_citations"),
        sa.ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            ["chatbridge.conversations.user_id", "chatbridge.conversations.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "conversation_id", "position"),
        sa.UniqueConstraint("user_id", "conversation_id", "id", name="messages_by_id"),
        schema=SCHEMA,
    )
    op.create_index(
        "messages_counted",
        "messages",
        ["user_id", "conversation_id", "position"],
        unique=False,
        schema=SCHEMA,
        postgresql_where=sa.text("kind in ('text', 'partial')"),
    )
    op.create_table(
        "turns",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("subject_position", sa.BigInteger(), nullable=False),
        sa.Column("retry", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'running'"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "usage", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('running', 'completed', 'failed', 'cancelled', 'interrupted')",
            name="turns_state",
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            ["chatbridge.conversations.user_id", "chatbridge.conversations.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "id"),
        schema=SCHEMA,
    )
    op.create_index("turns_by_id", "turns", ["id"], unique=False, schema=SCHEMA)
    op.create_index(
        "turns_by_key",
        "turns",
        ["user_id", "key"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("key is not null"),
    )
    op.create_index(
        "turns_by_lease",
        "turns",
        ["lease_until"],
        unique=False,
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "turns_of_conversation",
        "turns",
        ["user_id", "conversation_id"],
        unique=False,
        schema=SCHEMA,
    )
    op.create_index(
        "turns_one_running",
        "turns",
        ["user_id", "conversation_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "feedback",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind in ('positive', 'negative')", name="feedback_kind"),
        sa.ForeignKeyConstraint(
            ["user_id", "conversation_id", "message_id"],
            [
                "chatbridge.messages.user_id",
                "chatbridge.messages.conversation_id",
                "chatbridge.messages.id",
            ],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "conversation_id", "message_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "turn_events",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "turn_id"],
            ["chatbridge.turns.user_id", "chatbridge.turns.id"],
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "turn_id", "number"),
        schema=SCHEMA,
    )
    for name in FUNCTIONS:
        create_function(name)


def downgrade() -> None:
    for name in FUNCTIONS:
        drop_function(name)
    for table in (
        "turn_events",
        "feedback",
        "turns",
        "messages",
        "task_calls",
        "tasks",
        "task_counters",
        "conversations",
    ):
        op.drop_table(table, schema=SCHEMA)
