"""The stand of every check, once straight to Postgres and once through PgBouncer."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from tests import postgres
from tests.faults.processes import Child, child
from tests.faults.stand import Stand, http_client
from tests.faults.table import Table
from tests.system.pgbouncer import pooled

_TABLE = pytest.StashKey[Table]()
POOLED_SHARE = 0.25
"""How much of a check's rounds are done again through PgBouncer."""


def pytest_configure(config: pytest.Config) -> None:
    """The table is the run's."""
    config.stash[_TABLE] = Table()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it."""
    table = terminalreporter.config.stash[_TABLE]
    if table.rows:
        terminalreporter.section("what was promised")
        for line in table.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
async def nursery() -> AsyncIterator[Child]:
    """Where replicas come from."""
    async with child("nursery") as started:
        yield started


class Bench:
    """Makes stands."""

    def __init__(self, nursery: Child, table: Table) -> None:
        self._nursery, self._table = nursery, table
        self._scale = float(os.environ.get("FAULT_ROUNDS", "1"))

    @asynccontextmanager
    async def stand(
        self, way: str = "direct", *, scale: float = 1.0, patch: str | None = None
    ) -> AsyncGenerator[Stand]:
        """A stand on a database of its own; `way` is `direct` or `pgbouncer`."""
        async with postgres.clone() as url:
            if way == "direct":
                async with self._on(url, url, way, scale, patch) as stand:
                    yield stand
            else:
                async with (
                    pooled(url) as pooler,
                    self._on(url, pooler.at(), way, scale * POOLED_SHARE, patch) as stand,
                ):
                    yield stand

    @asynccontextmanager
    async def on(self, url: str, *, scale: float = 1.0, patch: str | None = None) -> ...:
        """A stand on a database that a check has made itself."""
        async with self._on(url, url, "direct", scale, patch) as stand:
            yield stand

    @asynccontextmanager
    async def _on(
        self, direct: str, way: str, name: str, scale: float, patch: str | None
    ) -> AsyncGenerator[Stand]:
        with TemporaryDirectory(prefix="chatbridge-faults-") as home:
            model_log, tools_log = Path(home, "model.log"), Path(home, "tools.log")
            async with (
                child("model", str(model_log)) as model,
                child("tool_server", str(tools_log), direct) as tools,
                http_client() as client,
                asyncpg.create_pool(direct, min_size=0, max_size=4) as sql,
            ):
                stand = Stand(
                    direct=direct,
                    way=way,
                    name=name,
                    model_url=f"http://127.0.0.1:{model.first_word}/v1",
                    model_log=model_log,
                    tools_url=f"http://127.0.0.1:{tools.first_word}/mcp",
                    tools_log=tools_log,
                    home=Path(home),
                    nursery=self._nursery,
                    table=self._table,
                    client=client,
                    sql=sql,
                    scale=self._scale * scale,
                    patch=patch,
                )
                try:
                    yield stand
                finally:
                    await stand.close()


@pytest.fixture
def bench(nursery: Child, pytestconfig: pytest.Config) -> Bench:
    """For a check that needs something of its own."""
    return Bench(nursery, pytestconfig.stash[_TABLE])


@pytest.fixture(params=["direct", "pgbouncer"])
async def stand(request: pytest.FixtureRequest, bench: Bench) -> AsyncIterator[Stand]:
    """The check's stand."""
    async with bench.stand(request.param) as made:
        yield made


@pytest.fixture
async def direct_stand(bench: Bench) -> AsyncIterator[Stand]:
    """For what a pooler makes no difference to."""
    async with bench.stand() as made:
        yield made
