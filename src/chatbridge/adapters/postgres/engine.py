"""The connection pool."""

import logging
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatbridge.adapters.postgres.database_url import parse

_log = logging.getLogger(__name__)


def postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    """An engine in AUTOCOMMIT: one statement is one round trip and one transaction.

    Connects when first used. A pool is kept in front of a pooler too: a new connection costs
    eleven round trips. `url` is any that `parse` takes.
    """
    target = parse(url)
    for note in target.notes:
        _log.info("DATABASE_URL: %s", note)
    engine = create_async_engine(
        target.url,
        connect_args=dict(target.connect_args),
        isolation_level="AUTOCOMMIT",
        # what people say must not end in a log
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=2,
        pool_recycle=240,
    )
    event.listen(engine.sync_engine, "checkout", _require_open)
    return engine


def _require_open(connection: Any, *_: object) -> None:
    # asyncio has seen the server's goodbye already: no round trip, unlike pool_pre_ping's three
    if connection.driver_connection.is_closed():
        raise DisconnectionError("closed while idle")
