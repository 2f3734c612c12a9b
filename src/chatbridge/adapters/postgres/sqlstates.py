"""What each SQLSTATE means here, and the sentence with the statement that mends it."""

from dataclasses import dataclass

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a SQLSTATE means: for those who ask, for those who run chatbridge, and whether the same
    again may go well."""

    refusal: Refusal[Unavailable]
    sentence: str
    passing: bool = False


AWAY, REFUSED, LACKS = (
    refusals.database_unavailable,
    refusals.database_refused,
    refusals.schema_missing,
)
_IN_THE_WAY = Meaning(AWAY, "Another transaction was in the way.", passing=True)
_GOING = Meaning(AWAY, "The server at {server} is starting, or going down.", passing=True)
_TOO_LONG = Meaning(AWAY, "The database took longer than its own limits allow.")
_OLDER = Meaning(
    LACKS, "The schema {schema} lacks what this version needs: run `chatbridge migrate`."
)
_TAKEN = Meaning(
    REFUSED,
    "The schema {schema} already has something by the name of one of chatbridge's tables or "
    "functions: name another schema in CHATBRIDGE_DATABASE__SCHEMA.",
)

MEANINGS = {
    "08": Meaning(AWAY, "The connection to {server} was lost.", passing=True),
    "25006": Meaning(
        REFUSED,
        "The server only reads: name the primary in DATABASE_URL, or "
        "`alter role {role} in database {database} set default_transaction_read_only = off`.",
    ),
    "28000": Meaning(
        REFUSED,
        "The role {role} may not sign in at {server}: `alter role {role} login`, and a line for it "
        "in the server's pg_hba.conf; a server that wants TLS needs `?sslmode=require` behind "
        "DATABASE_URL.",
    ),
    "28P01": Meaning(
        REFUSED,
        "There is no role {role} with this password: mend DATABASE_URL, or "
        "`create role {role} login password '...'`, or `alter role {role} password '...'`.",
    ),
    "3D000": Meaning(
        REFUSED,
        "There is no database {database} at {server}: mend DATABASE_URL, or "
        "`create database {database} encoding 'UTF8' template template0`.",
    ),
    "3F000": _OLDER,
    "40001": _IN_THE_WAY,
    "40P01": _IN_THE_WAY,
    "42501": Meaning(
        REFUSED,
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
    "53": Meaning(AWAY, "The server at {server} has no room or no memory left.", passing=True),
    "53300": Meaning(
        AWAY,
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
    "08P01": Meaning(
        AWAY,
        "What answers at {server} lets nobody through, as a pooler does that does not know the "
        "database {database}, the role {role} or its password: mend DATABASE_URL, or its lists.",
        passing=True,
    ),
    "42501": Meaning(
        REFUSED,
        "The role {role} may not connect to the database {database}: "
        "`grant connect on database {database} to {role}`.",
    ),
    "55000": Meaning(
        REFUSED,
        "The database {database} takes no connections: "
        "`alter database {database} allow_connections true`.",
    ),
    "57P05": _GOING,
}
"""What means something else, or anything at all, only while a connection is made."""

SOMETHING = Meaning(REFUSED, "The database at {server} refuses chatbridge.")
