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
from time import monotonic
from typing import Self, TypeVar

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chatbridge.adapters.postgres.rights import quoted
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.refusals import Refusal
from chatbridge.domain.model.words import Words

T = TypeVar("T")

_log = logging.getLogger(__name__)

CALL_SECONDS = 6.0
"""How long a call of a repository may take, with all its tries."""

_AGAIN_AFTER = (0.05, 0.2, 0.5)
_MOST_WORDS = 300
# data that can't be kept: of a wrong form, against a constraint, beyond a limit
_DATA = ("22", "23", "54")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a SQLSTATE means: for those who ask, for those who run chatbridge, and whether the same
    again may go well."""

    refusal: Refusal[Unavailable]
    sentence: str
    passing: bool = False


_AWAY, _REFUSED, _LACKS = (
    refusals.database_unavailable,
    refusals.database_refused,
    refusals.schema_missing,
)
_IN_THE_WAY = Meaning(_AWAY, "Another transaction was in the way.", passing=True)
_GOING = Meaning(_AWAY, "The server at {server} is starting, or going down.", passing=True)
_TOO_LONG = Meaning(_AWAY, "The database took longer than its own limits allow.")
_OLDER = Meaning(
    _LACKS, "The schema {schema} lacks what this version needs: run `chatbridge migrate`."
)
_TAKEN = Meaning(
    _REFUSED,
    "The schema {schema} already has something by the name of one of chatbridge's tables or "
    "functions: name another schema in CHATBRIDGE_DATABASE__SCHEMA.",
)

MEANINGS = {
    "08": Meaning(_AWAY, "The connection to {server} was lost.", passing=True),
    "25006": Meaning(
        _REFUSED,
        "The database only reads: name the primary in DATABASE_URL, or "
        "`alter role {role} in database {database} set default_transaction_read_only = off`.",
    ),
    "28000": Meaning(
        _REFUSED,
        "The role {role} may not sign in at {server}: `alter role {role} login`, and a line for it "
        "in the server's pg_hba.conf; a server that wants TLS needs `?sslmode=require` behind "
        "DATABASE_URL.",
    ),
    "28P01": Meaning(
        _REFUSED,
        "There is no role {role} with this password: mend DATABASE_URL, or "
        "`create role {role} login password '...'`, or `alter role {role} password '...'`.",
    ),
    "3D000": Meaning(
        _REFUSED,
        "There is no database {database} at {server}: mend DATABASE_URL, or "
        "`create database {database} encoding 'UTF8' template template0`.",
    ),
    "3F000": _OLDER,
    "40001": _IN_THE_WAY,
    "40P01": _IN_THE_WAY,
    "42501": Meaning(
        _REFUSED,
        "The role {role} lacks a right: what serves needs what "
        "`chatbridge migrate --grants {role}` prints, and what migrates has to own the schema "
        "{schema} and all that is in it.",
    ),
    "42703": _OLDER,
    "42710": _TAKEN,
    "42723": _TAKEN,
    "42883": _OLDER,
    "42P01": _OLDER,
    "42P07": _TAKEN,
    "53": Meaning(_AWAY, "The server at {server} has no room or no memory left.", passing=True),
    "53300": Meaning(
        _AWAY,
        "The server at {server} has no connection left for the role {role}: lower "
        "CHATBRIDGE_DATABASE__POOL_SIZE, put a pooler between, or raise the server's "
        "`max_connections` or the role's limit: `alter role {role} connection limit 100`.",
        passing=True,
    ),
    "55P03": _TOO_LONG,
    "57014": _TOO_LONG,
    "57P01": _GOING,
    "57P02": _GOING,
    "57P03": _GOING,
}
"""By SQLSTATE, or by its class: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

AT_CONNECT = {
    "42501": Meaning(
        _REFUSED,
        "The role {role} may not connect to the database {database}: "
        "`grant connect on database {database} to {role}`.",
    ),
    "55000": Meaning(
        _REFUSED,
        "The database {database} takes no connections: "
        "`alter database {database} allow_connections true`.",
    ),
    "57P05": _GOING,
}
"""What means something else, or anything at all, only while a connection is made."""

_SOMETHING = Meaning(_REFUSED, "The database at {server} refuses chatbridge.")
_FOR_OPERATORS = {
    _AWAY: refusals.database_away,
    _REFUSED: refusals.database_refuses,
    _LACKS: refusals.schema_lacks,
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
        host = url.host or url.query.get("host", "its host")
        server = f"{host}:{url.port}" if url.port else str(host)
        role, database = (quoted(name) if name else "ROLE" for name in (url.username, url.database))
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
        if meaning.refusal is _AWAY:
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
        return AT_CONNECT.get(state) or known or _SOMETHING
    return known


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _words(error: BaseException) -> str:
    said = " ".join(str(getattr(error, "orig", None) or error).split())[:_MOST_WORDS]
    return ": ".join(filter(None, (_sqlstate(error) or type(error).__name__, said)))


def _explanation(error: Exception, place: Place, *, aloud: bool) -> Unavailable:
    if isinstance(error, DBAPIError):
        meaning = _meaning(error) or _SOMETHING
    else:
        meaning = Meaning(_AWAY, _of_the_network(error))
    _tell(error)
    words, state = _words(error), _sqlstate(error)
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


# what a server says may quote what was to be kept
def _tell(error: BaseException) -> None:
    state = _sqlstate(error)
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
