"""Brings a database to chatbridge's schema, and says which one it has."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.postgres.database_url import parse
from chatbridge.adapters.postgres.failures import translated
from chatbridge.adapters.postgres.statements import in_schema
from chatbridge.adapters.postgres.tables import SCHEMA
from chatbridge.domain.model import refusals

MIGRATION_SECONDS = 600.0
"""How long one statement of a migration may take."""

# Of several that migrate at once, one does it and the others wait: the one advisory lock of
# chatbridge, held by a transaction that never goes through a pooler. After it nobody is to be held
# up: not by DDL that waits for a lock, and not by a machine that vanished with its locks.
_ALONE = (
    "set local statement_timeout = 0",
    "set local lock_timeout = 0",
    "select pg_advisory_xact_lock(hashtext('chatbridge'))",
    "set local lock_timeout = '10s'",
    "set local idle_in_transaction_session_timeout = '60s'",
)

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def upgrade(url: str, schema: str, revision: str = "head") -> None:
    """Create the schema if need be and apply the migrations up to `revision`.

    Goes to the database itself where `url` names a pooler. Blocks; must not be called on an event
    loop. Raises Unavailable, and ValueError for a schema's name that would need quoting.
    """
    _migrate(url, schema, lambda config: command.upgrade(config, revision))


def downgrade(url: str, schema: str, revision: str = "base") -> None:
    """Take migrations back down to `revision`; the empty schema stays."""
    _migrate(url, schema, lambda config: command.downgrade(config, revision))


async def require_current(engine: AsyncEngine, schema: str) -> None:
    """Raise Unavailable (`schema_missing`) unless this version's migrations have been applied.

    A revision that is not known here is a newer one: this version goes on while a deployment
    rolls, on the functions whose names carry its version.
    """
    with translated():
        async with engine.connect() as connection:
            query = in_schema("select version_num from {s}.alembic_version", schema)
            current = (await connection.execute(text(query))).scalar()
    if current is None or current in _older_revisions():
        raise refusals.schema_missing()


def migration_config(connection: Connection | None = None, schema: str = SCHEMA) -> Config:
    """What Alembic needs to know: where the migrations are, and for which schema of which
    database; without a connection, they can only be read."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(connection=connection, schema=schema)
    return config


def _older_revisions() -> set[str]:
    scripts = ScriptDirectory.from_config(migration_config())
    return {s.revision for s in scripts.walk_revisions()} - {scripts.get_current_head() or ""}


def _migrate(url: str, schema: str, act: Callable[[Config], None]) -> None:
    if not _SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is no plain name for a schema: use a-z, 0-9 and _")
    with translated():
        asyncio.run(_connected(url, schema, act))


async def _connected(url: str, schema: str, act: Callable[[Config], None]) -> None:
    target = parse(url)
    engine = create_async_engine(
        target.direct_url,
        connect_args=target.connect_args | {"command_timeout": MIGRATION_SECONDS},
        poolclass=NullPool,
    )
    try:
        async with engine.begin() as connection:
            for statement in _ALONE:
                await connection.execute(text(statement))
            await connection.execute(text(in_schema("create schema if not exists {s}", schema)))
            await connection.run_sync(_act, schema, act)
    finally:
        await engine.dispose()


def _act(connection: Connection, schema: str, act: Callable[[Config], None]) -> None:
    act(migration_config(connection, schema))
