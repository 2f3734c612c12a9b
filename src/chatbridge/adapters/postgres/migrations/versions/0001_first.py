"""Conversations, messages, turns with their journal, feedback, and the bundled tools' tasks.

Made from the tables as they are: until the first release, a changed table is changed there alone.
"""

from alembic import op

from chatbridge.adapters.postgres.migrations.functions import create_function, drop_function
from chatbridge.adapters.postgres.migrations.views import create_view, drop_view
from chatbridge.adapters.postgres.statements import in_schema
from chatbridge.adapters.postgres.tables import Row

revision = "0001"
down_revision = None

FUNCTIONS = (
    "add_attachment_1",
    "begin_turn_1",
    "keep_turns_1",
    "finish_turn_1",
    "wait_turn_1",
    "answer_turn_1",
    "claim_stale_turn_1",
    "change_conversation_1",
    "stale_turns_1",
    "tell_turn_1",
)

# a conversation is one owner's: who takes the two for independent finds no more than one message in
# any conversation, and reads all of it to find one by its id
_PLACES = """
create statistics {s}.messages_places (dependencies)
  on user_id, conversation_id from {s}.messages"""


def upgrade() -> None:
    Row.metadata.create_all(op.get_bind(), checkfirst=False)
    schema = op.get_context().opts["version_table_schema"]
    op.get_bind().exec_driver_sql(in_schema(_PLACES, schema))
    create_view("answers")
    for name in FUNCTIONS:
        create_function(name)


def downgrade() -> None:
    for name in FUNCTIONS:
        drop_function(name)
    drop_view("answers")
    Row.metadata.drop_all(op.get_bind(), checkfirst=False)
