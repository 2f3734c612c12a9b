"""The bundled task list in the chat: what is shown of it, and what a click there does."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatbridge.domain.model.identifiers import UserId
from tests.chatkit_client import Json, add, create, items, say, text_of
from tests.hosts.scripts import action
from tests.serving import Served, served, settings_for


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Served]:
    directory: Path = tmp_path_factory.mktemp("tasks")
    async with served(settings_for("memory:", data_dir=directory)) as here:
        yield here


class Person:
    """Whose tasks they are, in one conversation."""

    def __init__(self, here: Served, name: str) -> None:
        self.client: httpx.AsyncClient = here.as_user(name)
        self.name, self.thread = name, ""
        self.tasks = here.container.store().tasks

    async def says(self, text: str) -> list[Json]:
        """The items that this adds to what is kept."""
        before = len(await self.kept()) if self.thread else 0
        asked = add(self.thread, text) if self.thread else create(text)
        self.thread, _ = await say(self.client, asked)
        return (await self.kept())[before:]

    async def adds(self, *titles: str) -> None:
        for title in titles:
            await self.tasks.add(UserId(self.name), title)

    async def kept(self) -> list[Json]:
        return (await self.client.post("/chatkit", json=items(self.thread))).json()["data"]

    async def clicks(self, item: Json, number: Any) -> httpx.Response:
        pressed = action(self.thread, item["id"], "tasks.complete", {"number": number}, sync=True)
        return await self.client.post("/chatkit", json=pressed)

    async def open_tasks(self) -> list[str]:
        told = (await self.client.get(f"/api/{self.name}/tasks")).json()["items"]
        return [task["title"] for task in told if not task["done"]]


def lists(told: list[Json]) -> list[Json]:
    return [i for i in told if i["type"] == "widget" and i["widget"]["type"] == "ListView"]


def rows(item: Json) -> list[tuple[str, bool]]:
    """The title of each row, and whether it can be clicked."""
    return [
        (row["children"][1]["value"], "onClickAction" in row) for row in item["widget"]["children"]
    ]


def said(item: Json) -> str:
    return item["widget"]["status"]["text"]


async def test_a_click_completes_a_task_and_a_stale_list_says_what_has_become_of_it(
    here: Served,
) -> None:
    ada = Person(here, "ada")
    await ada.adds("tea", "milk", "bread")
    told = await ada.says("list my tasks")
    (shown,) = lists(told)
    assert (said(shown), rows(shown)) == (
        "Your open tasks",
        [("tea", True), ("milk", True), ("bread", True)],
    )
    assert text_of(told[-1]).startswith("You have 3 tasks, 3 open:")

    answer = await ada.clicks(shown, 2)
    assert answer.status_code == 200, answer.text
    (now,) = lists(await ada.kept())
    assert answer.json()["updated_item"] == now
    assert (said(now), rows(now)) == (
        "Done: milk",
        [("tea", True), ("milk", False), ("bread", True)],
    )
    assert await ada.open_tasks() == ["tea", "bread"]
    # it offers no click on what is done
    assert (await ada.clicks(shown, 2)).status_code == 409

    # what has changed meanwhile is seen by the click
    assert lists(await ada.says("complete task 1")) == []
    answer = await ada.clicks(shown, 1)
    assert said(answer.json()["updated_item"]) == "Was done already: tea"
    await ada.says("delete task 3")
    waiting = (await ada.kept())[-1]["widget"]["children"][0]["children"][0]["key"]
    approved = {"call_id": waiting, "decision": "approve"}
    path = f"/api/ada/conversations/{ada.thread}/answers"
    assert (await ada.client.post(path, json=approved)).status_code == 200
    answer = await ada.clicks(shown, 3)
    assert said(answer.json()["updated_item"]) == "Task 3 is not there any more"
    assert rows(answer.json()["updated_item"]) == [("tea", False), ("milk", False)]
    for forged in (4, "1", None):
        assert (await ada.clicks(shown, forged)).status_code in (409, 422)

    bob = Person(here, "bob")
    bob.thread = ada.thread
    assert (await bob.clicks(shown, 1)).status_code == 403


async def test_where_several_may_be_meant_the_person_picks_one_and_a_look_shows_nothing(
    here: Served,
) -> None:
    eve = Person(here, "eve")
    await eve.adds("buy oat milk", "buy soy milk", "call mum")
    told = await eve.says("complete the milk one")
    (shown,) = lists(told)
    assert (said(shown), [title for title, _ in rows(shown)]) == (
        "Which one is done?",
        ["buy oat milk", "buy soy milk"],
    )
    assert text_of(told[-1]).startswith("Several tasks match **milk**. Which one?")
    (await eve.clicks(shown, 2)).raise_for_status()
    assert await eve.open_tasks() == ["buy oat milk", "call mum"]

    assert lists(await eve.says("complete call mum")) == []
    (shown,) = lists(await eve.says("list my tasks"))
    assert rows(shown) == [("buy oat milk", True)]


async def test_of_a_thousand_tasks_the_newest_are_told_and_each_can_be_clicked(
    here: Served,
) -> None:
    fay = Person(here, "fay")
    await fay.adds("x" * 500, *(f"task {n}" for n in range(2, 1001)))
    await fay.tasks.update(UserId("fay"), 1000, done=True)
    (shown,) = lists(await fay.says("list my tasks"))
    assert (said(shown), len(rows(shown))) == ("The newest 100 of your open tasks", 100)
    assert (rows(shown)[0], rows(shown)[-1]) == (("task 900", True), ("task 999", True))
    now = (await fay.clicks(shown, 950)).json()["updated_item"]
    assert (said(now), len(rows(now))) == ("Done: task 950", 100)
