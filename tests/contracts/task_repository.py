"""What every TaskRepository promises."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from chatbridge.domain.model.errors import Invalid, NotFound
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import Task
from chatbridge.ports.task_repository import TaskRepository

ALICE = UserId("alice")
BOB = UserId("bob")
KEY = "call_1"

KeyedCall = Callable[[TaskRepository, str | None], Awaitable[Task]]

# what is left of one task called "old"
CALLS: dict[str, tuple[KeyedCall, list[str]]] = {
    "add": (lambda tasks, key: tasks.add(ALICE, "new", key=key), ["old", "new"]),
    "update": (lambda tasks, key: tasks.update(ALICE, 1, title="new", key=key), ["new"]),
    "complete": (lambda tasks, key: tasks.update(ALICE, 1, done=True, key=key), ["old"]),
    "delete": (lambda tasks, key: tasks.delete(ALICE, 1, key=key), []),
}
every_call = pytest.mark.parametrize(("call", "left"), CALLS.values(), ids=CALLS.keys())


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

    # a call that comes again

    @every_call
    async def test_a_call_that_comes_again_under_its_key_happens_once(
        self, repository: TaskRepository, call: KeyedCall, left: list[str]
    ) -> None:
        await repository.add(ALICE, "old")
        first = await call(repository, KEY)
        tasks = await repository.list(ALICE)

        assert await call(repository, KEY) == first
        assert await repository.list(ALICE) == tasks
        assert [task.title for task in tasks] == left

    @every_call
    async def test_ten_at_once_under_one_key_happen_once(
        self, repository: TaskRepository, call: KeyedCall, left: list[str]
    ) -> None:
        await repository.add(ALICE, "old")
        answers = await asyncio.gather(*(call(repository, KEY) for _ in range(10)))

        assert answers == [answers[0]] * 10
        assert [task.title for task in await repository.list(ALICE)] == left

    async def test_a_task_that_is_added_again_takes_no_further_number(
        self, repository: TaskRepository
    ) -> None:
        for _ in range(3):
            await repository.add(ALICE, "a", key=KEY)

        assert (await repository.add(ALICE, "b")).number == 2

    @every_call
    async def test_another_call_under_a_used_key_is_refused_and_does_nothing(
        self, repository: TaskRepository, call: KeyedCall, left: list[str]
    ) -> None:
        task = await repository.add(ALICE, "old", key=KEY)

        with pytest.raises(Invalid) as refused:
            await call(repository, KEY)
        assert refused.value.code == "idempotency_key_reused"
        assert await repository.list(ALICE) == (task,)

    async def test_what_was_deleted_under_a_key_leaves_it_used(
        self, repository: TaskRepository
    ) -> None:
        await repository.add(ALICE, "a")
        await repository.delete(ALICE, 1, key=KEY)

        with pytest.raises(Invalid):
            await repository.update(ALICE, 1, done=True, key=KEY)

    async def test_other_keys_other_owners_and_no_key_are_other_calls(
        self, repository: TaskRepository
    ) -> None:
        for owner, key in (
            (ALICE, KEY),
            (ALICE, "call_2"),
            (BOB, KEY),
            (ALICE, None),
            (ALICE, None),
        ):
            await repository.add(owner, "a", key=key)

        assert len(await repository.list(ALICE)) == 4
        assert len(await repository.list(BOB)) == 1

    async def test_what_comes_again_is_answered_with_its_owners_own(
        self, repository: TaskRepository
    ) -> None:
        for owner in (ALICE, BOB):
            await repository.add(owner, f"of {owner}", key=KEY)

        for owner in (ALICE, BOB):
            assert (await repository.add(owner, f"of {owner}", key=KEY)).title == f"of {owner}"

    async def test_a_call_that_comes_again_does_not_undo_what_was_done_since(
        self, repository: TaskRepository
    ) -> None:
        await repository.add(ALICE, "a")
        await repository.update(ALICE, 1, title="b", key=KEY)
        await repository.update(ALICE, 1, title="c")

        assert (await repository.update(ALICE, 1, title="b", key=KEY)).title == "b"
        assert [task.title for task in await repository.list(ALICE)] == ["c"]

    async def test_a_call_that_failed_may_be_made_again_under_its_key(
        self, repository: TaskRepository
    ) -> None:
        with pytest.raises(NotFound):
            await repository.update(ALICE, 1, done=True, key=KEY)
        await repository.add(ALICE, "a")

        assert (await repository.update(ALICE, 1, done=True, key=KEY)).done
