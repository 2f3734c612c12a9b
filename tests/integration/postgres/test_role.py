"""A role that no row-level security holds for is reported at the start, and only reported."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatbridge.settings import Settings
from tests.ports import free_port
from tests.postgres import engine_on
from tests.serving import SECRET, served, settings_for

_PASSWORD = "of a role of the tests"
_RIGHTS = (
    "grant usage on schema chatbridge to {role}",
    "grant all on all tables in schema chatbridge to {role}",
)


@asynccontextmanager
async def role(connection: AsyncConnection, attributes: str) -> AsyncGenerator[str]:
    """A role of these attributes that may use chatbridge's schema."""
    name = f"chatbridge_test_{secrets.token_hex(4)}"
    await connection.execute(text(f"create role {name} login password '{_PASSWORD}' {attributes}"))
    try:
        for right in _RIGHTS:
            await connection.execute(text(right.format(role=name)))
        yield name
    finally:
        await connection.execute(text(f"drop owned by {name}"))
        await connection.execute(text(f"drop role {name}"))


@pytest.fixture
async def connection(fresh_database: str) -> AsyncIterator[AsyncConnection]:
    engine = engine_on(fresh_database)
    async with engine.connect() as opened:
        yield opened
    await engine.dispose()


def reported(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "row-level security" in line]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("nosuperuser nobypassrls", None),
        ("bypassrls", "has BYPASSRLS"),
        ("superuser", "is a superuser"),
    ],
)
@pytest.mark.parametrize("suffix", ["", "?pgbouncer=true"], ids=["direct", "pooled"])
async def test_the_log_says_whether_the_role_bypasses_row_level_security(
    fresh_database: str,
    connection: AsyncConnection,
    caplog: pytest.LogCaptureFixture,
    attributes: str,
    said: str | None,
    suffix: str,
) -> None:
    async with role(connection, attributes) as name:
        url = make_url(fresh_database).set(username=name, password=_PASSWORD)
        settings = settings_for(url.render_as_string(hide_password=False) + suffix)
        async with served(settings) as service:
            assert (await service.as_user("alice").get("/readyz")).status_code == 200
    if said is None:
        assert reported(caplog) == []
    else:
        (line,) = reported(caplog)
        assert f"the role {name} {said}" in line
        assert "nobypassrls" in line
        assert _PASSWORD not in caplog.text


async def test_a_database_that_is_away_is_not_asked_in_vain(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    async with served(settings_for(url)) as service:
        assert (await service.as_user(None).get("/healthz")).status_code == 200
    assert reported(caplog) == []


async def test_the_embedded_server_is_ours_and_not_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(_env_file=None, secret=SECRET, PORT=free_port(), data_dir=tmp_path)
    async with served(settings) as service:
        assert (await service.as_user("alice").get("/readyz")).status_code == 200
    assert reported(caplog) == []
