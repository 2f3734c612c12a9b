"""What every TaskRepository promises."""

import asyncio
from abc import ABC, abstractmethod
from datetime import timedelta

import pytest

from chatbridge.domain.model.errors import NotFound
from chatbridge.domain.model.identifiers import UserId
from chatbridge.ports.task_repository import TaskRepository

ALICE = UserId("alice")
BOB = UserId("bob")


class TaskRepositoryContract(ABC):
    @pytest.fixture
    @abstractmethod
    def repository(self) -> TaskRepository: ...

    async def test_a_new_task_is_open_and_comes_back_whole(
        self, repository: TaskRepository
    ) -> None:
        task = await repository.add(ALICE, "Käse & 'brød' — 🧀")

        assert (task.number, task.title, task.done) == (1, "Käse & 'brød' — 🧀", False)
        assert task.created_at.utcoffset() == timedelta(0)
        assert task.updated_at.utcoffset() == timedelta(0)
        assert await repository.list(ALICE) == (task,)

    async def test_who_has_no_tasks_lists_none(self, repository: TaskRepository) -> None:
        assert await repository.list(ALICE) == ()

    async def test_each_owner_counts_from_one(self, repository: TaskRepository) -> None:
        await repository.add(ALICE, "a")
        await repository.add(ALICE, "b")

        assert (await repository.add(BOB, "c")).number == 1
        assert [task.number for task in await repository.list(ALICE)] == [1, 2]

    async def test_a_number_is_never_used_again(self, repository: TaskRepository) -> None:
        await repository.add(ALICE, "a")
        last = await repository.add(ALICE, "b")
        await repository.delete(ALICE, last.number)

        assert (await repository.add(ALICE, "c")).number == 3

    async def test_tasks_added_at_the_same_time_have_each_their_number(
        self, repository: TaskRepository
    ) -> None:
        added = await asyncio.gather(*(repository.add(ALICE, f"task {n}") for n in range(20)))

        assert sorted(task.number for task in added) == list(range(1, 21))
        assert len(await repository.list(ALICE)) == 20

    async def test_tasks_are_listed_by_number_whatever_was_changed_last(
        self, repository: TaskRepository
    ) -> None:
        for title in ("a", "b", "c"):
            await repository.add(ALICE, title)
        await repository.update(ALICE, 1, done=True)

        assert [task.title for task in await repository.list(ALICE)] == ["a", "b", "c"]

    async def test_a_new_title_leaves_the_rest(self, repository: TaskRepository) -> None:
        before = await repository.add(ALICE, "a")
        await repository.update(ALICE, 1, done=True)
        task = await repository.update(ALICE, 1, title="b")

        assert (task.number, task.title, task.done) == (1, "b", True)
        assert task.created_at == before.created_at
        assert task.updated_at >= before.updated_at
        assert await repository.list(ALICE) == (task,)

    async def test_what_is_done_can_be_undone(self, repository: TaskRepository) -> None:
        await repository.add(ALICE, "a")
        await repository.update(ALICE, 1, done=True)
        task = await repository.update(ALICE, 1, done=False)

        assert (task.title, task.done) == ("a", False)

    async def test_a_deleted_task_is_answered_and_gone(self, repository: TaskRepository) -> None:
        task = await repository.add(ALICE, "a")

        assert await repository.delete(ALICE, 1) == task
        assert await repository.list(ALICE) == ()

    @pytest.mark.parametrize("number", [-1, 0, 2, 2**31, 2**80])
    async def test_a_number_that_does_not_exist_is_not_found(
        self, repository: TaskRepository, number: int
    ) -> None:
        await repository.add(ALICE, "a")

        with pytest.raises(NotFound):
            await repository.update(ALICE, number, done=True)
        with pytest.raises(NotFound):
            await repository.delete(ALICE, number)

    async def test_nobody_else_can_see_change_or_delete_a_task(
        self, repository: TaskRepository
    ) -> None:
        task = await repository.add(ALICE, "a")

        assert await repository.list(BOB) == ()
        with pytest.raises(NotFound):
            await repository.update(BOB, 1, title="b")
        with pytest.raises(NotFound):
            await repository.delete(BOB, 1)
        assert await repository.list(ALICE) == (task,)

    async def test_the_same_number_of_another_owner_is_another_task(
        self, repository: TaskRepository
    ) -> None:
        mine = await repository.add(ALICE, "a")
        await repository.add(BOB, "b")
        await repository.update(BOB, 1, done=True)
        await repository.delete(BOB, 1)

        assert await repository.list(ALICE) == (mine,)
