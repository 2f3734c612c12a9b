"""How our role stands in a database: asked of the catalog before anything is done, and judged.

The catalog answers every role, in every state; so each thing that is lacking is known by itself,
whatever language the server's messages are in, and is told with the statement that mends it.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatbridge.adapters.postgres.rights import (
    FUNCTIONS,
    REPORTS,
    RIGHTS,
    TABLES,
    VERSION,
    lacking,
    quoted,
)
from chatbridge.adapters.postgres.statements import in_schema
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Unavailable

OLDEST_SERVER = 15
"""The oldest major version of Postgres that is tried; what is older may lack what we use."""

_STANDING = text("""
select current_user::text as role, current_database()::text as database,
  current_setting('server_version') as server,
  current_setting('server_version_num')::integer / 10000 as major,
  (select pg_encoding_to_char(d.encoding) from pg_database d
    where d.datname = current_database())::text as encoding,
  pg_is_in_recovery() as is_standby,
  current_setting('transaction_read_only') = 'on' as only_reads,
  has_database_privilege(current_database(), 'create') as may_make_schemas,
  coalesce((select has_language_privilege(l.oid, 'usage') from pg_language l
    where l.lanname = 'plpgsql'), false) as has_plpgsql,
  n.oid is not null as has_schema,
  coalesce(has_schema_privilege(n.oid, 'usage'), false) as may_use,
  coalesce(has_schema_privilege(n.oid, 'create'), false) as may_make,
  (select coalesce(json_agg(c.relname::text), '[]') from pg_class c
    join json_array_elements_text(cast(:names as json)) w (name) on c.relname = w.name
    where c.relnamespace = n.oid) as relations,
  (select coalesce(json_agg(json_build_array(w.name, w.privilege)), '[]')
    from json_to_recordset(cast(:rights as json)) w (name text, privilege text)
    join pg_class c on c.relname = w.name and c.relnamespace = n.oid
    where not has_table_privilege(c.oid, w.privilege)) as rights,
  (select coalesce(json_agg(distinct w.name), '[]')
    from json_to_recordset(cast(:rights as json)) w (name text, privilege text)
    join pg_class c on c.relname = w.name and c.relnamespace = n.oid
    where row_security_active(c.oid) and not exists (select from pg_policy p
      where p.polrelid = c.oid and p.polpermissive
      and p.polcmd in ('*', case w.privilege
        when 'select' then 'r' when 'insert' then 'a' when 'update' then 'w' else 'd' end)
      and exists (select from unnest(p.polroles) r (id)
        where r.id = 0 or pg_has_role(r.id, 'usage')))) as closed,
  (select coalesce(json_agg(json_build_array(p.proname, has_function_privilege(p.oid, 'execute'))),
    '[]') from pg_proc p where p.pronamespace = n.oid) as functions
from (select 1) one left join pg_namespace n on n.nspname = :schema
""")

_NAMES = json.dumps([*RIGHTS, REPORTS])
_RIGHTS = [[name, right] for name, all_of in RIGHTS.items() for right in all_of]
_WANTED = json.dumps([{"name": name, "privilege": right} for name, right in _RIGHTS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the catalog says. `rights` and `functions` are those that the role lacks, `closed` the
    tables whose row level security lets it do nothing, `missing` the tables and functions that are
    not there; `revision` is None where there is none, or none that the role may read.
    """

    schema: str
    role: str
    database: str
    server: str
    major: int
    encoding: str
    is_standby: bool
    only_reads: bool
    may_make_schemas: bool
    has_plpgsql: bool
    has_schema: bool
    may_use: bool
    may_make: bool
    relations: list[str] = field(default_factory=list[str])
    rights: list[list[str]] = field(default_factory=list[list[str]])
    functions: list[str] = field(default_factory=list[str])
    closed: list[str] = field(default_factory=list[str])
    missing: list[str] = field(default_factory=list[str])
    revision: str | None = None

    @property
    def may_read_revision(self) -> bool:
        """Whether there is one, and the role may read it."""
        there = VERSION in self.relations and self.may_use
        return there and [VERSION, "select"] not in self.rights

    @property
    def is_ours(self) -> bool:
        """Whether all of chatbridge's tables are there."""
        return {*self.relations} >= TABLES


async def standing(connection: AsyncConnection, schema: str) -> Standing:
    """Ask; two round trips at most."""
    named = {"schema": schema, "names": _NAMES, "rights": _WANTED}
    (row,) = (await connection.execute(_STANDING, named)).mappings()
    found: dict[str, Any] = {**row, "schema": schema}
    found["rights"] = [right for right in _RIGHTS if right in row["rights"]]
    may_call = dict(row["functions"])
    found["functions"] = [name for name in FUNCTIONS if may_call.get(name) is False]
    found["missing"] = sorted({*TABLES, *FUNCTIONS} - {*row["relations"], *may_call})
    known = Standing(**found)
    if not known.may_read_revision:
        return known
    query = text(in_schema("select version_num from {s}.alembic_version", schema))
    revision = (await connection.execute(query)).scalar()
    return replace(known, revision=revision)


def require_servable(known: Standing, *, older: set[str], own: str | None) -> None:
    """Raise Unavailable unless the role can serve; `older` are the revisions that are too old, and
    `own` is this version's."""
    _require_a_fit_server(known)
    if not known.has_schema:
        raise refusals.schema_lacks(
            f"The database {known.database} has no schema {known.schema}: run `chatbridge migrate`."
        )
    if not known.may_use:
        raise _lacks(known, f"grant usage on schema {quoted(known.schema)} to {quoted(known.role)}")
    if VERSION not in known.relations:
        raise refusals.schema_lacks(
            f"The schema {known.schema} has no tables of chatbridge's: run `chatbridge migrate`."
        )
    if known.closed:
        raise _closed(known)
    _require_this_version(known, older, own)
    if known.rights or known.functions:
        statements = lacking(known.schema, known.role, known.rights, known.functions)
        raise _lacks(known, "; ".join(statements))


def _require_this_version(known: Standing, older: set[str], own: str | None) -> None:
    if known.may_read_revision and (known.revision is None or known.revision in older):
        raise refusals.schema_lacks(
            f"The schema {known.schema} is at the revision {known.revision or 'none'}, which is "
            "older than this version of chatbridge: run `chatbridge migrate`."
        )
    if known.missing and known.revision is not None and known.revision == own:
        raise _lost(known, f"is at the revision {own}", known.missing)
    if known.missing:
        raise refusals.schema_lacks(
            f"The schema {known.schema} is at the revision {known.revision} and has no "
            f"{', '.join(known.missing)}: this version of chatbridge is too old for it, or it is "
            "another application's. Name another schema in CHATBRIDGE_DATABASE__SCHEMA, and run "
            "`chatbridge migrate`."
        )


def require_whole(known: Standing) -> None:
    """Raise Unavailable where something is gone that this version's migrations have made."""
    lost = [*known.missing, *({REPORTS} - {*known.relations})]
    if lost:
        raise _lost(known, f"is at the revision {known.revision}", lost)


def _lost(known: Standing, how: str, what: list[str]) -> Unavailable:
    return refusals.schema_lacks(
        f"The schema {known.schema} {how} and has lost {', '.join(what)}: restore it from a "
        "backup, or name a new schema in CHATBRIDGE_DATABASE__SCHEMA and run `chatbridge migrate`."
    )


def require_migratable(known: Standing, *, revisions: set[str]) -> None:
    """Raise Unavailable unless the role can migrate; `revisions` are all that are known here."""
    _require_a_fit_server(known)
    schema, role = quoted(known.schema), quoted(known.role)
    if not known.has_schema and not known.may_make_schemas:
        raise refusals.database_refuses(
            f"The role {known.role} may not make the schema {known.schema}: "
            f"`create schema {schema} authorization {role}`, or "
            f"`grant create on database {quoted(known.database)} to {role}` (SQLSTATE 42501)."
        )
    if known.has_schema and not (known.may_use and known.may_make):
        raise refusals.database_refuses(
            f"The role {known.role} may make no tables in the schema {known.schema}: "
            f"`grant usage, create on schema {schema} to {role}` (SQLSTATE 42501)."
        )
    if not known.has_plpgsql:
        raise refusals.database_refuses(
            f"The role {known.role} may write no functions: `create extension plpgsql`, "
            f"`grant usage on language plpgsql to {role}` (SQLSTATE 42501)."
        )
    _require_our_schema(known, revisions)


def _require_our_schema(known: Standing, revisions: set[str]) -> None:
    if VERSION in known.closed:
        raise _closed(known)
    if VERSION in known.relations and not known.may_read_revision:
        raise refusals.database_refuses(
            f"The role {known.role} may not read {known.schema}.{VERSION}: migrate with the role "
            "that made it (SQLSTATE 42501)."
        )
    if known.revision is not None and known.revision not in revisions:
        raise refusals.database_refuses(
            f"The schema {known.schema} is at the revision {known.revision}, which this version of "
            "chatbridge does not know: "
            + (
                "a newer one has migrated it, so migrate with that."
                if known.is_ours
                else "another application's Alembic has made it, so name another schema in "
                "CHATBRIDGE_DATABASE__SCHEMA."
            )
        )
    if known.revision is None and known.is_ours:
        raise _lost(known, "has chatbridge's tables", [f"its revision, the row of {VERSION}"])
    foreign = sorted({*known.relations} & {*TABLES, REPORTS})
    if known.revision is None and foreign:
        raise refusals.database_refuses(
            f"The schema {known.schema} already has {', '.join(foreign)}, made by somebody else: "
            "name another schema in CHATBRIDGE_DATABASE__SCHEMA (SQLSTATE 42P07)."
        )


def _require_a_fit_server(known: Standing) -> None:
    database = quoted(known.database)
    if known.major < OLDEST_SERVER:
        raise refusals.database_refuses(
            f"The server is Postgres {known.server}; chatbridge needs {OLDEST_SERVER} or later."
        )
    if known.encoding != "UTF8":
        raise refusals.database_refuses(
            f"The database {known.database} is encoded in {known.encoding}, which can't hold all "
            "that people write: `create database NAME encoding 'UTF8' template template0`, and "
            "name that in DATABASE_URL."
        )
    if known.is_standby:
        raise refusals.database_refuses(
            "The server is a standby, which only reads: name the primary in DATABASE_URL, or all "
            f"servers, `@one:5432,two:5432/{known.database}?target_session_attrs=read-write` "
            "(SQLSTATE 25006)."
        )
    if known.only_reads:
        raise refusals.database_refuses(
            f"The role {known.role} only reads: `alter role {quoted(known.role)} in database "
            f"{database} set default_transaction_read_only = off` (SQLSTATE 25006)."
        )


def _lacks(known: Standing, statements: str) -> Unavailable:
    return refusals.database_refuses(
        f"The role {known.role} lacks rights in the schema {known.schema}: `{statements}`; "
        f"`chatbridge migrate --grants {known.role}` prints all that it needs (SQLSTATE 42501)."
    )


def _closed(known: Standing) -> Unavailable:
    statements = "; ".join(
        f"alter table {quoted(known.schema, table)} disable row level security"
        for table in known.closed
    )
    return refusals.database_refuses(
        f"Row level security without a policy for the role {known.role} keeps it from tables in "
        f"the schema {known.schema}: `{statements}` (SQLSTATE 42501)."
    )
