"""The stand of every check, once straight to Postgres and once through PgBouncer."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest

from tests import postgres
from tests.faults import patches
from tests.faults.processes import Child, Helper, child, helper
from tests.faults.stand import Stand, http_client
from tests.faults.table import Table
from tests.system.pgbouncer import pooled

_TABLE = pytest.StashKey[Table]()
POOLED_SHARE = 0.25
"""How much of a check's rounds are done again through PgBouncer."""


def pytest_configure(config: pytest.Config) -> None:
    """The table is the run's."""
    config.stash[_TABLE] = Table()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it has of it."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["promised"] = session.config.stash[_TABLE].rows


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it from a worker that has ended; one that crashed has none."""
    rows = getattr(node, "workeroutput", {}).get("promised", [])
    node.config.stash[_TABLE].rows += map(tuple, rows)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it."""
    table = terminalreporter.config.stash[_TABLE]
    if table.rows:
        terminalreporter.section("what was promised")
        for line in table.lines():
            terminalreporter.write_line(line)


class Bench:
    """Makes stands, all with the same model and tool server."""

    def __init__(self, nursery: Child, model: Helper, tools: Helper, table: Table) -> None:
        self._nursery, self._model, self._tools, self._table = nursery, model, tools, table
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
    async def on(
        self, url: str, *, scale: float = 1.0, patch: str | None = None
    ) -> AsyncGenerator[Stand]:
        """A stand on a database that a check has made itself."""
        async with self._on(url, url, "direct", scale, patch) as stand:
            yield stand

    @asynccontextmanager
    async def _on(
        self, direct: str, way: str, name: str, scale: float, patch: str | None
    ) -> AsyncGenerator[Stand]:
        with TemporaryDirectory(prefix="chatbridge-faults-") as home:
            async with (
                http_client() as client,
                asyncpg.create_pool(direct, min_size=0, max_size=4) as sql,
            ):
                stand = Stand(
                    direct=direct,
                    way=way,
                    name=name,
                    model=self._model.again(),
                    tools=self._tools.again(),
                    home=Path(home),
                    nursery=self._nursery,
                    table=self._table,
                    client=client,
                    sql=sql,
                    scale=self._scale * scale,
                    patch=patch,
                )
                try:
                    if patch:
                        await patches.apply_to(sql, patch)
                    yield stand
                finally:
                    await stand.close()


@pytest.fixture(scope="session")
async def bench(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """For a check that needs something of its own."""
    home = tmp_path_factory.mktemp("helpers")
    async with (
        child("nursery") as nursery,
        helper("model", "/v1", home) as model,
        helper("tool_server", "/mcp", home) as tools,
    ):
        yield Bench(nursery, model, tools, pytestconfig.stash[_TABLE])


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
