"""What is known of the migrations without Alembic."""

from alembic.script import ScriptDirectory

from chatbridge.adapters.postgres.revisions import HEAD, REVISIONS
from chatbridge.adapters.postgres.scripts import migration_config


def test_the_revisions_that_are_known_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(migration_config())
    assert tuple(reversed([each.revision for each in scripts.walk_revisions()])) == REVISIONS
    assert scripts.get_current_head() == HEAD
