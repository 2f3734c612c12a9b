"""Conversations, messages, turns with their journal, feedback, and the bundled tools' tasks.

Made from the tables as they are: until the first release, a changed table is changed there alone.
"""

from alembic import op

from chatbridge.adapters.postgres.migrations.functions import create_function, drop_function
from chatbridge.adapters.postgres.migrations.views import create_view, drop_view
from chatbridge.adapters.postgres.tables import Row

revision = "0001"
down_revision = None

FUNCTIONS = (
    "begin_turn_1",
    "keep_turns_1",
    "finish_turn_1",
    "claim_stale_turn_1",
    "change_conversation_1",
    "stale_turns_1",
)


def upgrade() -> None:
    Row.metadata.create_all(op.get_bind(), checkfirst=False)
    create_view("answers")
    for name in FUNCTIONS:
        create_function(name)


def downgrade() -> None:
    for name in FUNCTIONS:
        drop_function(name)
    drop_view("answers")
    Row.metadata.drop_all(op.get_bind(), checkfirst=False)
