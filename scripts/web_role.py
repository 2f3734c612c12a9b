"""A role of the web app's own: it may use the schema of the accounts, and sees nothing else."""

import asyncio
import secrets
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chatbridge.adapters.postgres.database_url import parse

SCHEMA = "better_auth"

_LONGEST_NAME = 63


class NoRole(Exception):
    """It can't be made; the text is for the person."""


@contextmanager
def own_role(database_url: str) -> Generator[str]:
    """The database's URL for the web app, good for as long as the context lasts.

    The accounts' tables must be there. Raises NoRole.
    """
    url = make_url(database_url)
    name, password = f"{url.database}_web"[:_LONGEST_NAME], secrets.token_urlsafe(24)
    gone = (
        f'revoke all on all tables in schema {SCHEMA} from "{name}"',
        f'revoke all on schema {SCHEMA} from "{name}"',
        f'drop role "{name}"',
    )
    if asyncio.run(_is_there(database_url, name)):
        # whoever made it was killed
        _do(database_url, *gone)
    _do(
        database_url,
        f"create role \"{name}\" login nosuperuser nocreatedb nocreaterole password '{password}'",
        f'grant usage on schema {SCHEMA} to "{name}"',
        f'grant select, insert, update, delete on all tables in schema {SCHEMA} to "{name}"',
    )
    try:
        yield url.set(username=name, password=password).render_as_string(hide_password=False)
    finally:
        _do(database_url, *gone)


def _do(database_url: str, *statements: str) -> None:
    async def all_or_none() -> None:
        async with _engine(database_url).begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    try:
        asyncio.run(all_or_none())
    except DBAPIError as error:
        # the statement has the password in it
        raise NoRole(
            f"The web app's role can't be made ({type(error.orig).__name__}): the role of "
            "DATABASE_URL needs CREATEROLE; or set WEB_DATABASE_URL to the URL of a role that may "
            f"use the schema {SCHEMA}."
        ) from None


async def _is_there(database_url: str, name: str) -> bool:
    asked = text("select exists (select from pg_roles where rolname = :name)")
    async with _engine(database_url).connect() as connection:
        return bool(await connection.scalar(asked, {"name": name}))


def _engine(database_url: str) -> AsyncEngine:
    target = parse(database_url)
    return create_async_engine(target.url, connect_args=target.connect_args, poolclass=NullPool)
