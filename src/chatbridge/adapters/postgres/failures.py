"""What goes wrong between here and Postgres: tried again, or told in the domain's words.

Two read of it. Whoever asks chatbridge for something learns that it can't be had just now
(`translated`); whoever runs it learns why, and which statement mends it (`explained`).
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf
from time import monotonic
from typing import Self, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chatbridge.adapters.postgres.rights import quoted
from chatbridge.adapters.postgres.sqlstates import (
    AT_CONNECT,
    AWAY,
    LACKS,
    MEANINGS,
    REFUSED,
    SOMETHING,
    Meaning,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.words import Words

T = TypeVar("T")

_log = logging.getLogger(__name__)

CALL_SECONDS = 6.0
"""How long a call of a repository may take, with all its tries."""

_AGAIN_AFTER = (0.05, 0.2, 0.5)
_MOST_WORDS = 300
_TOLD_AGAIN_AFTER = 60.0
_told: dict[str, float] = {}
# data that can't be kept: of a wrong form, against a constraint, beyond a limit
_DATA = ("22", "23", "54")


_FOR_OPERATORS = {
    AWAY: refusals.database_away,
    REFUSED: refusals.database_refuses,
    LACKS: refusals.schema_lacks,
}


@dataclass(frozen=True, slots=True)
class Place:
    """What a database URL names, as SQL and people write it."""

    role: str
    database: str
    schema: str
    server: str

    @classmethod
    def of(cls, url: URL, schema: str) -> Self:
        """Without a name in the URL, the driver takes one from the environment."""
        hosts, ports = (url.query.get(name, "") for name in ("host", "port"))
        pairs = zip(str(hosts).split(","), str(ports).split(","), strict=False)
        several = ", ".join(":".join(filter(None, pair)) for pair in pairs)
        server = f"{url.host}:{url.port or 5432}" if url.host and not hosts else several
        role = quoted(url.username or "ROLE")
        database = quoted(url.database or url.username or "DATABASE")
        return cls(role, database, quoted(schema), server)


@contextmanager
def translated() -> Generator[None]:
    """Raise Unavailable in place of whatever says that the database can't be used just now."""
    try:
        yield
    except (OSError, TimeoutError, PoolTimeoutError) as error:
        raise _away(error) from error
    except DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None and error.connection_invalidated:
            raise _away(error) from error
        if meaning is None:
            raise
        if meaning.refusal is AWAY:
            raise _away(error) from error
        _tell(error)
        raise meaning.refusal() from error


@contextmanager
def explained(place: Place, *, aloud: bool = False) -> Generator[None]:
    """Raise Unavailable with what is to be done by whoever runs chatbridge, whatever went wrong.

    `aloud`: with the server's own words, for a terminal; else with no more than its SQLSTATE.
    """
    try:
        yield
    except (OSError, SQLAlchemyError) as error:
        raise _explanation(error, place, aloud=aloud) from error


async def once(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, which must not be repeated. Raises Unavailable, after CALL_SECONDS at most."""
    with translated():
        async with asyncio.timeout(CALL_SECONDS):
            done = await work()
    _outage.is_over()
    return done


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work, which must be harmless to repeat, until no passing failure stops it.

    A serialization failure, a deadlock, a lost connection or a silent one is tried again up to
    three times, within CALL_SECONDS; what then still fails is raised as Unavailable.
    """
    with translated():
        async with asyncio.timeout(CALL_SECONDS):
            done = await _persistently(work)
    _outage.is_over()
    return done


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
        meaning = _meaning(error)
        return error.connection_invalidated or bool(meaning and meaning.passing)
    return isinstance(error, OSError)


def _meaning(error: DBAPIError) -> Meaning | None:
    """None for what is a mistake of ours, or of the data."""
    state = _sqlstate(error)
    known = MEANINGS.get(state) or MEANINGS.get(state[:2])
    # SQLAlchemy names no statement for what happens before the first one
    if error.statement is None:
        return AT_CONNECT.get(state) or known or SOMETHING
    return known


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _words(error: BaseException) -> str:
    said = " ".join(str(getattr(error, "orig", None) or error).split())[:_MOST_WORDS]
    return ": ".join(filter(None, (_sqlstate(error) or type(error).__name__, said)))


def _explanation(error: Exception, place: Place, *, aloud: bool) -> Unavailable:
    words, state = _words(error), _sqlstate(error)
    if isinstance(error, DBAPIError):
        meaning = _meaning(error) or SOMETHING
        # the driver's own words, where the server has said nothing
        aloud = aloud or not state
    else:
        meaning = Meaning(AWAY, _of_the_network(error))
    # whoever asks again and again is told the sentence once, by Readiness
    _log.info("database: it says %s", Words(words))
    sentence = meaning.sentence.format(**asdict(place)).removesuffix(".")
    cause = words if aloud else state and f"SQLSTATE {state}"
    return _FOR_OPERATORS[meaning.refusal](f"{sentence} ({cause})." if cause else f"{sentence}.")


def _of_the_network(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                "The certificate of {server} can't be verified: name its authority by "
                "`sslrootcert` in DATABASE_URL, and the host as the certificate does."
            )
        case socket.gaierror():
            return "Nobody knows the name {server}: mend DATABASE_URL."
        case ConnectionRefusedError():
            return "Nobody listens at {server}: start the server, or mend DATABASE_URL."
        case TimeoutError() | PoolTimeoutError():
            return "The database at {server} does not answer in time."
        case ConnectionError() if "SSL" in str(error):
            return (
                "The server at {server} has no TLS, which DATABASE_URL asks for: "
                "`alter system set ssl = on` and a certificate, or `sslmode=disable`."
            )
        case _:
            return "The database at {server} can't be reached."


# A journal asks twenty times a second. What a server says may quote what was to be kept.
def _tell(error: BaseException) -> None:
    state = _sqlstate(error)
    if monotonic() - _told.get(state, -inf) < _TOLD_AGAIN_AFTER:
        return
    _told[state] = monotonic()
    _log.warning("database: refused (%s%s)", type(error).__name__, state and f", SQLSTATE {state}")
    _log.info("database: it says %s", Words(_words(error)))


class _Outage:
    """Of the database of this process: told when it begins and when it is over."""

    def __init__(self) -> None:
        self._since: float | None = None

    def goes_on(self, error: BaseException) -> None:
        """It could not be used."""
        if self._since is None:
            self._since = monotonic()
            _log.warning("database: away (%s)", type(error).__name__)

    def is_over(self) -> None:
        """It has answered."""
        if self._since is not None:
            seconds, self._since = monotonic() - self._since, None
            _log.warning("database: back after %.0f s", seconds)


_outage = _Outage()


def _away(error: BaseException) -> Unavailable:
    _outage.goes_on(error)
    return refusals.database_unavailable()
