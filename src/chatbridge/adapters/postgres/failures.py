"""What goes wrong between here and Postgres, in the domain's words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable

T = TypeVar("T")

_log = logging.getLogger(__name__)

CALL_SECONDS = 6.0
"""How long a call of a repository may take, with all its tries."""

_AGAIN_AFTER = (0.05, 0.2, 0.5)
# serialization failure, deadlock; the server is going down, has crashed, is starting
_PASSING = ("40001", "40P01", "57P01", "57P02", "57P03")
# undefined schema, table, function, column: an older schema, or none
_NO_SCHEMA = ("3F000", "42P01", "42883", "42703")
# cancelled by statement_timeout, or by lock_timeout
_TOO_LONG = ("57014", "55P03")
# data that can't be kept: of a wrong form, against a constraint, beyond a limit
_DATA = ("22", "23", "54")
# wrong user or password; no such database
_REFUSED = ("28000", "28P01", "3D000")


@contextmanager
def translated() -> Generator[None]:
    """Raise Unavailable in place of whatever says that the database can't be used just now."""
    try:
        yield
    except (OSError, TimeoutError, PoolTimeoutError) as error:
        raise _away(error) from error
    except DBAPIError as error:
        if _sqlstate(error) in _NO_SCHEMA:
            raise refusals.schema_missing() from error
        if _sqlstate(error) in _REFUSED:
            raise refusals.database_refused() from error
        if _passing(error) or _sqlstate(error) in _TOO_LONG:
            raise _away(error) from error
        raise


async def once(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, which must not be repeated. Raises Unavailable, after CALL_SECONDS at most."""
    with translated():
        async with asyncio.timeout(CALL_SECONDS):
            return await work()


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, which must be harmless to repeat, until no passing failure stops it.

    A serialization failure, a deadlock, a lost connection or a silent one is tried again up to
    three times, within CALL_SECONDS; what then still fails is raised as Unavailable.
    """
    with translated():
        async with asyncio.timeout(CALL_SECONDS):
            return await _persistently(work)


async def _persistently(work: Callable[[], Awaitable[T]]) -> T:
    for pause in _AGAIN_AFTER:
        try:
            return await work()
        except (SQLAlchemyError, OSError) as error:
            if not _passing(error):
                raise
            _log.info("database: trying again after %s", type(error).__name__)
            await asyncio.sleep(pause)
    return await work()


def unkeepable(error: Exception) -> bool:
    """Whether the data itself is at fault, so that the same again would fail again."""
    if isinstance(error, DBAPIError):
        return _sqlstate(error).startswith(_DATA)
    return isinstance(error, TypeError | ValueError)


def _passing(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        state = _sqlstate(error)
        return error.connection_invalidated or state in _PASSING or state.startswith(("08", "53"))
    return isinstance(error, OSError)


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _away(error: BaseException) -> Unavailable:
    _log.warning("database: away (%s)", type(error).__name__)
    return refusals.database_unavailable()
