"""The connection pool, and what becomes of its connections when one goes silent."""

import logging
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatbridge.adapters.postgres.database_url import parse

POOL_SECONDS = 2.0
"""How long a call waits for a connection when all are in use."""

_GOODBYE_SECONDS = 1.0
_ONLY_READS = "25006"

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
        pool_timeout=POOL_SECONDS,
        pool_recycle=240,
    )
    links = _Links()
    event.listen(engine.sync_engine, "connect", links.heard)
    event.listen(engine.sync_engine, "checkin", links.heard)
    event.listen(engine.sync_engine, "checkout", links.require_alive)
    event.listen(engine.sync_engine, "handle_error", links.failed)
    return engine


class _Links:
    """When each connection of a pool last answered, and when one last did not.

    A link on which packets vanish says nothing: only a timeout tells. What has not answered since
    then is given up, so that a pool of dead connections costs one timeout and not one for each.
    """

    def __init__(self) -> None:
        self._silence = -inf

    def heard(self, _: Any, record: Any) -> None:
        record.info["heard"] = monotonic()

    def require_alive(self, connection: Any, record: Any, _: Any) -> None:
        driver = connection.driver_connection
        if record.info["heard"] < self._silence:
            driver.terminate()
        # asyncio has seen the server's goodbye already: no round trip, unlike pool_pre_ping's three
        if driver.is_closed():
            raise DisconnectionError("closed while idle")

    def failed(self, context: ExceptionContext) -> None:
        # after a failover this may be a standby, and another connection lead to the primary
        if getattr(context.original_exception, "sqlstate", None) == _ONLY_READS:
            context.is_disconnect = True
        if context.connection is None or not isinstance(context.original_exception, TimeoutError):
            return
        self._silence = monotonic()
        # on a living link the driver asks the server to stop the statement, and goes then; on a
        # dead one SQLAlchemy would wait twice as long
        if silent := context.connection.connection.dbapi_connection:
            with suppress(TimeoutError, OSError):
                silent.run_async(_say_goodbye)
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


async def _say_goodbye(driver: Any) -> None:
    await driver.close(timeout=_GOODBYE_SECONDS)
