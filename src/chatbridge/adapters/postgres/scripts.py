"""Alembic, and the scripts in migrations/ that it runs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from chatbridge.adapters.postgres.revisions import Way
from chatbridge.adapters.postgres.table_parts import SCHEMA
from chatbridge.domain.model import refusals


def run_scripts(connection: Connection, schema: str, way: Way, revision: str) -> None:
    """Those that lead to `revision`. Raises Unavailable where Alembic knows no way there."""
    config = migration_config(connection, schema)
    try:
        if way == "upgrade":
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)
    except CommandError as error:
        raise refusals.database_refuses(f"The migrations can't be applied: {error}.") from error


def migration_config(connection: Connection | None = None, schema: str = SCHEMA) -> Config:
    """What Alembic needs to know: where the migrations are, and for which schema of which
    database; without a connection, they can only be read."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(connection=connection, schema=schema)
    return config
