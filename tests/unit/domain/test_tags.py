"""What can be named with `@`, whatever the host's own function makes of the question."""

import asyncio
import logging
from typing import Any

import pytest

from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.errors import AgentFailed, Unavailable
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.limits import MAX_DATA, MAX_TAGS, MAX_TITLE
from chatbridge.domain.services.tags import Tags, task_search

ADA = Caller(user_id=UserId("ada"), claims={"team": "red"})
MILK = {"id": "m", "title": "Milk"}


def finding(found: Any, **settings: Any) -> Tags:
    async def search(caller: Caller, query: str) -> Any:
        return found

    return Tags(search=search, **settings)


async def test_a_search_is_told_who_asks_and_what_was_typed() -> None:
    def search(caller: Caller, query: str) -> list[dict[str, Any]]:
        return [{"id": query, "title": f"{caller.claims['team']} {query}", "data": {"n": 1}}]

    (tag,) = await Tags(search=search).find(ADA, "mil")
    assert (tag.id, tag.title, tag.data, tag.interactive) == ("mil", "red mil", {"n": 1}, False)
    assert await Tags().find(ADA, "mil") == ()


@pytest.mark.parametrize("found", [None, "Milk", {"items": [MILK]}, 7, (each for each in [MILK])])
async def test_what_is_no_list_is_a_failure(found: Any) -> None:
    with pytest.raises(AgentFailed, match="has failed here"):
        await finding(found).find(ADA, "")


@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(1), KeyboardInterrupt()])
async def test_a_search_that_fails_is_said_in_words(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def search(caller: Caller, query: str) -> Any:
        raise error

    with pytest.raises(AgentFailed) as failed:
        await Tags(search=search).find(ADA, "")
    assert failed.value.code == "tag_search_failed"
    assert "secret" not in failed.value.detail
    assert caplog.records[0].exc_info


async def test_what_is_refused_in_a_search_is_refused_as_it_is() -> None:
    def search(caller: Caller, query: str) -> Any:
        raise Unavailable("The CRM is away.")

    with pytest.raises(Unavailable, match="CRM"):
        await Tags(search=search).find(ADA, "")


async def test_a_search_that_never_answers_is_left_even_if_it_does_not_listen() -> None:
    left = asyncio.Event()

    async def search(caller: Caller, query: str) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            left.set()
            await asyncio.sleep(0.2)

    with pytest.raises(AgentFailed) as failed:
        await Tags(search=search, seconds=0.01).find(ADA, "")
    assert failed.value.code == "tag_search_slow"
    await left.wait()


async def test_what_can_be_no_tag_is_left_out_and_the_rest_is_found() -> None:
    odd = [None, 5, "m", {}, {"id": "a"}, {"title": "a"}, {"id": 5, "title": "a"}]
    odd += [{"id": "a", "title": "\n \t"}, {"id": "x" * 201, "title": "a"}]
    odd += [{"id": "b\0", "title": "a"}, {"id": "c", "title": "\ud800"}]
    odd += [{"id": "d", "title": "a", "data": {"x": "y" * MAX_DATA}}]
    assert [tag.id for tag in await finding([*odd, MILK, MILK]).find(ADA, "")] == ["m"]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Milk\nand <b>tea</b>", "Milk and <b>tea</b>"),
        ("\u202eklim\u202c @home", "klim @home"),
        ("x" * 10_000, "x" * MAX_TITLE),
    ],
)
async def test_a_title_is_one_short_line(title: str, shown: str) -> None:
    (tag,) = await finding([{"id": "m", "title": title, "data": {1, 2}}]).find(ADA, "")
    assert (tag.title, tag.data) == (shown, {})


async def test_only_so_many_are_found_and_so_much() -> None:
    many = [{"id": str(n), "title": "Milk"} for n in range(500)]
    assert len(await finding(many).find(ADA, "")) == MAX_TAGS
    large = [{**each, "data": {"x": "y" * 9_000}} for each in many]
    assert len(await finding(large).find(ADA, "")) == MAX_DATA // 9_000


async def test_what_fails_to_be_said_of_a_tag_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def words(caller: Caller, tag: Any) -> Any:
        match tag["id"]:
            case "failing":
                raise ValueError
            case "slow":
                await asyncio.Event().wait()
            case "odd":
                return 5
            case "none":
                return None
            case _:
                return f"{tag['text']} of {caller.user_id}\0" + "x" * 9_000
        return None

    ids = ("failing", "slow", "odd", "none", "m", "m")
    tags = [{"id": id, "text": "Milk", "data": {}} for id in ids]
    told = await Tags(words=words, seconds=0.05).told(ADA, tags)
    assert [*told] == ["m"]
    assert told["m"].startswith("Milk of ada\ufffdx")
    assert len(told["m"]) == 8_000
    assert len(caplog.records) == 3
    all_of = [{"id": str(n), "text": "Milk", "data": {}} for n in range(200)]
    assert sum(map(len, (await Tags(words=words).told(ADA, all_of)).values())) == MAX_DATA
    assert await Tags().told(ADA, tags) == {}


async def test_the_callers_own_tasks_are_found_the_open_ones_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    tasks = MemoryTaskRepository()
    for title in ("Buy milk", "Buy oat milk", "Call Tom"):
        await tasks.add(ADA.user_id, title)
    await tasks.add(UserId("bob"), "Buy milk for Bob")
    await tasks.update(ADA.user_id, 1, done=True)
    find = Tags(search=task_search(tasks)).find
    found = await find(ADA, "MILK buy")
    assert [(tag.id, tag.title) for tag in found] == [
        ("task_2", "Buy oat milk"),
        ("task_1", "Buy milk"),
    ]
    assert (found[0].data, found[1].data["state"]) == ({"number": "2", "state": "open"}, "done")
    assert [tag.id for tag in await find(ADA, "3")] == ["task_3"]
    assert len(await find(ADA, "")) == 3
