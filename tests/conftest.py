"""The fixtures that every test may ask for: a Postgres of the run, migrated and clean."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck
from sqlalchemy.ext.asyncio import AsyncEngine

from tests import postgres

pytest.register_assert_rewrite("tests.contracts")

# how long an example takes is the machine's business, and a fixture may serve them all
hypothesis.settings.register_profile(
    "here",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("here")

_HERE = Path(__file__).resolve().parent
_HEADER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's server and make its template, unless nothing in the run can need them."""
    without = (_HERE / "unit", _HERE / "contracts")
    if hasattr(config, "workerinput") or not postgres.asks_for_postgres(config, without):
        return
    from chatbridge.adapters.postgres.migrate import upgrade

    try:
        server = postgres.choose()
        config.add_cleanup(lambda: postgres.clean_up(server))
        version = postgres.prepare(server, upgrade)
    except postgres.NoPostgres as reason:
        raise pytest.UsageError(f"no Postgres for the tests. {reason}") from reason
    note = f" ({server.note})" if server.note else ""
    config.stash[_HEADER] = f"postgres: {server.kind}, server_version {version}{note}"


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look through it for garbage took a fifth of a run's time."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_report_header(config: pytest.Config) -> str | None:
    """Which Postgres the run is on; pytest prints what came last first."""
    return config.stash.get(_HEADER, None)


@pytest.fixture(scope="session")
async def postgres_url() -> AsyncIterator[str]:
    """The URL of the database that the tests of this run share."""
    async with postgres.clone() as url:
        yield url


@pytest.fixture
async def fresh_database() -> AsyncIterator[str]:
    """The URL of a migrated database for one test, for what may not be shared (30-90 ms)."""
    async with postgres.clone() as url:
        yield url


@pytest.fixture(scope="session")
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the shared database, in AUTOCOMMIT, with a pool of five."""
    made = postgres.engine_on(postgres_url)
    yield made
    await made.dispose()


@pytest.fixture
async def clean_engine(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The engine on tables without rows; a test must have given back all its connections."""
    await postgres.delete_all_rows(engine)
    yield engine
    pool = engine.pool.status()
    await postgres.delete_all_rows(engine)
    assert "Current Checked out connections: 0" in pool
