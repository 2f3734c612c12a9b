"""What the database lets chatbridge's own role do, and need not."""

import logging

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.failures import again

_log = logging.getLogger(__name__)

_ATTRIBUTES = text(
    "select rolname as name, rolsuper as super, rolbypassrls as bypasses"
    " from pg_roles where rolname = current_user"
)


async def report_role(engine: AsyncEngine) -> None:
    """Warn in the log where no row-level security holds for our role. Raises Unavailable."""

    async def attributes() -> dict[str, object]:
        async with engine.connect() as connection:
            return dict((await connection.execute(_ATTRIBUTES)).mappings().one())

    role = await again(attributes)
    if role["super"] or role["bypasses"]:
        _log.warning(
            "DATABASE_URL: the role %s %s, so that no row-level security holds for it: give "
            "chatbridge a role of its own, made with `create role ... login nosuperuser "
            "nobypassrls`; see docs/security.md",
            role["name"],
            "is a superuser" if role["super"] else "has BYPASSRLS",
        )
