"""Brings a database to chatbridge's schema, and says which one it has."""

import asyncio
import re
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.postgres.database_url import Target, parse
from chatbridge.adapters.postgres.failures import Place, explained
from chatbridge.adapters.postgres.revisions import HEAD, REVISIONS, Way
from chatbridge.adapters.postgres.rights import grants, quoted
from chatbridge.adapters.postgres.standing import (
    require_migratable,
    require_servable,
    require_whole,
    standing,
)
from chatbridge.adapters.postgres.statements import in_schema
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

_OWNER = text(
    "select pg_get_userbyid(c.relowner)::text as owner, r.oid is not null as known"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " left join pg_roles r on r.rolname = :role"
    " where n.nspname = :schema and c.relname = 'alembic_version'"
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision to which; None is none at all."""

    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before == self.after:
            return f"at {self.after}, nothing to do"
        return f"{self.before or 'none'} -> {self.after or 'none'}"


def upgrade(url: str, schema: str, revision: str = "head") -> Migrated:
    """Create the schema if need be and apply the migrations up to `revision`.

    Goes to the database itself where `url` names a pooler. Blocks; must not be called on an event
    loop. Raises Unavailable, and ValueError for a schema's name that would need quoting.
    """
    return _migrate(url, schema, "upgrade", HEAD if revision == "head" else revision)


def downgrade(url: str, schema: str, revision: str = "base") -> Migrated:
    """Take migrations back down to `revision`; the empty schema stays."""
    return _migrate(url, schema, "downgrade", revision)


def grants_for(url: str, schema: str, role: str) -> str:
    """The statements that let `role` serve what was migrated. Blocks. Raises like `upgrade`."""
    target = parse(url)
    with explained(Place.of(target.direct_url, schema), aloud=True):
        return asyncio.run(_granting(target, schema, role))


async def require_current(engine: AsyncEngine, schema: str) -> None:
    """Raise Unavailable, with what is to be done, unless this version can serve there.

    A revision that is not known here is a newer one: this version goes on while a deployment
    rolls, on the functions whose names carry its version.
    """
    with explained(Place.of(engine.url, schema)):
        async with engine.connect() as connection:
            known = await standing(connection, schema)
    require_servable(known, older={*REVISIONS} - {HEAD}, own=HEAD)


def _migrate(url: str, schema: str, way: Way, to: str) -> Migrated:
    if not _SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} is no plain name for a schema: use a-z, 0-9 and _")
    target = parse(url)
    with explained(Place.of(target.direct_url, schema), aloud=True):
        return asyncio.run(_connected(target, schema, way, to))


def _engine(target: Target) -> AsyncEngine:
    return create_async_engine(
        target.direct_url,
        connect_args=target.connect_args | {"command_timeout": MIGRATION_SECONDS},
        poolclass=NullPool,
    )


async def _connected(target: Target, schema: str, way: Way, to: str) -> Migrated:
    engine = _engine(target)
    try:
        async with engine.begin() as connection:
            for statement in _ALONE:
                await connection.execute(text(statement))
            return await _migrated(connection, schema, way, to)
    finally:
        await engine.dispose()


async def _migrated(connection: AsyncConnection, schema: str, way: Way, to: str) -> Migrated:
    before = await standing(connection, schema)
    if before.revision == to:
        if to == HEAD:
            require_whole(before)
        return Migrated(to, to)
    require_migratable(before, revisions={*REVISIONS})
    if not before.has_schema:
        await connection.execute(text(in_schema("create schema {s}", schema)))
    # Alembic is not loaded where there is nothing to do
    from chatbridge.adapters.postgres.scripts import run_scripts

    await connection.run_sync(run_scripts, schema, way, to)
    return Migrated(before.revision, (await standing(connection, schema)).revision)


async def _granting(target: Target, schema: str, role: str) -> str:
    engine = _engine(target)
    try:
        async with engine.connect() as connection:
            asked = await connection.execute(_OWNER, {"schema": schema, "role": role})
            row = asked.one_or_none()
    finally:
        await engine.dispose()
    if row is None:
        raise refusals.schema_lacks(
            f"The schema {schema} has no tables of chatbridge's: run `chatbridge migrate` first."
        )
    if not row.known:
        raise refusals.database_refuses(
            f"There is no role {role}: `create role {quoted(role)} login password '...'`."
        )
    return grants(schema, role, row.owner)
