"""The tasks in Postgres keep the contract."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.domain.model.errors import Unavailable
from tests.contracts.task_repository import ALICE, TaskRepositoryContract

SCHEMA = "chatbridge"


class TestPostgresTaskRepository(TaskRepositoryContract):
    @pytest.fixture
    def repository(self, clean_engine: AsyncEngine) -> PostgresTaskRepository:
        return PostgresTaskRepository(clean_engine, SCHEMA)

    async def test_a_list_ends_at_a_thousand(
        self, repository: PostgresTaskRepository, clean_engine: AsyncEngine
    ) -> None:
        async with clean_engine.connect() as connection:
            await connection.execute(
                text(
                    "insert into chatbridge.tasks (user_id, number, title)"
                    " select 'alice', n, 'task' from generate_series(1, 1001) n"
                )
            )

        assert len(await repository.list(ALICE)) == 1_000

    async def test_a_database_that_is_away_is_unavailable(self) -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://nobody@127.0.0.1:1/none", isolation_level="AUTOCOMMIT"
        )
        with pytest.raises(Unavailable):
            await PostgresTaskRepository(engine, SCHEMA).add(ALICE, "a")
        await engine.dispose()
