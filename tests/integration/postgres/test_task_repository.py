"""The tasks in Postgres keep the contract."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.domain.model.errors import Unavailable
from tests.contracts.task_repository import ALICE, BOB, KEY, TaskRepositoryContract

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

    async def test_a_key_is_used_on_every_replica(
        self, repository: PostgresTaskRepository, clean_engine: AsyncEngine
    ) -> None:
        elsewhere = postgres_engine(clean_engine.url.render_as_string(hide_password=False), 5)
        replicas = (repository, PostgresTaskRepository(elsewhere, SCHEMA))
        try:
            answers = await asyncio.gather(
                *(replicas[n % 2].add(ALICE, "a", key=KEY) for n in range(20))
            )
        finally:
            await elsewhere.dispose()

        assert answers == [answers[0]] * 20
        assert len(await repository.list(ALICE)) == 1

    async def test_a_key_is_forgotten_by_the_next_call_after_a_day(
        self, repository: PostgresTaskRepository, clean_engine: AsyncEngine
    ) -> None:
        for owner in (ALICE, BOB):
            await repository.add(owner, "a", key=KEY)
        async with clean_engine.connect() as connection:
            await connection.execute(
                text("update chatbridge.task_calls set called_at = called_at - interval '25 hours'")
            )
            await repository.add(ALICE, "b", key="call_2")
            kept = await connection.execute(
                text("select user_id, key from chatbridge.task_calls order by user_id, key")
            )
            assert [tuple(row) for row in kept] == [(ALICE, "call_2"), (BOB, KEY)]

    async def test_a_database_that_is_away_is_unavailable(self) -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://nobody@127.0.0.1:1/none", isolation_level="AUTOCOMMIT"
        )
        with pytest.raises(Unavailable):
            await PostgresTaskRepository(engine, SCHEMA).add(ALICE, "a")
        await engine.dispose()
