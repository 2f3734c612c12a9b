"""The tasks in memory keep the contract."""

import pytest

from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from tests.contracts.task_repository import ALICE, TaskRepositoryContract


class TestMemoryTaskRepository(TaskRepositoryContract):
    @pytest.fixture
    def repository(self) -> MemoryTaskRepository:
        return MemoryTaskRepository()

    async def test_a_list_ends_at_a_thousand(self, repository: MemoryTaskRepository) -> None:
        for number in range(1_001):
            await repository.add(ALICE, f"task {number}")

        assert len(await repository.list(ALICE)) == 1_000
