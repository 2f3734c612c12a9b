"""A company's database: roles that a DBA has made, and a schema or none, but never a superuser."""

import re
import secrets
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatbridge.adapters.embedded.programs import find_programs
from chatbridge.adapters.postgres.rights import quoted
from tests.postgres import engine_on

_PASSWORD = "of a role of the tests"


@dataclass(frozen=True)
class Company:
    """`owner` is to migrate and `app` to serve; both names need quotation marks."""

    dba: AsyncConnection
    owner: str
    app: str
    database: str
    url: str

    def url_of(self, role: str, password: str = _PASSWORD, **query: str) -> str:
        """The database's URL for this role."""
        url = make_url(self.url).set(username=role, password=password)
        return url.update_query_dict(query).render_as_string(hide_password=False)

    async def run(self, *statements: str) -> None:
        """What the DBA does; names stand in braces."""
        names = {"owner": self.owner, "app": self.app, "database": self.database}
        known = {name: quoted(value) for name, value in names.items()}
        for statement in statements:
            await self.dba.execute(text(statement.format(**known).replace(":", "\\:")))

    async def mend(self, sentence: str) -> None:
        """The statements that a refusal names, exactly as they are there."""
        for named in re.findall(r"`((?:grant|alter|create|revoke) [^`]+)`", sentence):
            for statement in named.split("; "):
                await self.dba.execute(text(statement))

    async def roles(self, *names: str) -> None:
        """Make roles that may sign in and no more."""
        for name in names:
            await self.dba.execute(
                text(f"create role {quoted(name)} login password '{_PASSWORD}' nosuperuser")
            )


@asynccontextmanager
async def company(url: str) -> AsyncGenerator[Company]:
    """The database of the URL without a trace of chatbridge, and two roles."""
    tag = secrets.token_hex(4)
    engine = engine_on(url)
    database = make_url(url).database or ""
    async with engine.connect() as dba:
        made = Company(dba, f'Shop-"owner" {tag}', f"Shop app {tag}", database, url)
        await made.run("drop schema chatbridge cascade")
        await made.roles(made.owner, made.app)
        try:
            yield made
        finally:
            await made.run(
                "drop schema if exists chatbridge cascade",
                "drop owned by {app}, {owner}",
                "drop role {app}, {owner}",
            )
    await engine.dispose()


def psql(url: str, script: str) -> None:
    """Run what was printed as a DBA would: piped into psql."""
    place = make_url(url)
    environment = {
        "PGHOST": place.host,
        "PGPORT": str(place.port or 5432),
        "PGDATABASE": place.database,
        "PGUSER": place.username,
        "PGPASSWORD": place.password,
    }
    done = subprocess.run(  # noqa: S603
        [str(find_programs() / "psql"), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1"],
        input=script,
        text=True,
        capture_output=True,
        env={name: value for name, value in environment.items() if value},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
