"""A model reads a conversation where OpenAI keeps it, which is nothing that is not kept here."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from agents import Agent

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.container import Container
from chatbridge.main import create_app
from tests.chatkit_client import add, create, events, retry, say
from tests.integration.http.person import Person, until_shown
from tests.integration.openai_conversations import OpenAI
from tests.round_trips import Trips, asked, fill
from tests.serving import SECRET, Served, served, settings_for, spawn
from tests.tcp_proxy import proxied

IN_TIME = 30.0


@pytest.fixture
async def openai() -> AsyncGenerator[OpenAI]:
    async with OpenAI().running() as here:
        yield here


def agent_of(openai: OpenAI, **more: Any) -> dict[str, Any]:
    known = {"model": "gpt", "base_url": openai.url, "api_key": "key"}
    return {**known, "memory": "openai_conversations", **more}


@asynccontextmanager
async def replica(openai: OpenAI, url: str, **more: Any) -> AsyncGenerator[Served]:
    async with served(settings_for(url, agent=agent_of(openai, **more))) as here:
        yield here


def rehearsing() -> Agent[Any]:
    """An agent that brings its model."""
    return Agent(name="rehearsing", model=OfflineModel())


async def until(met: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(IN_TIME):
        while not (found if isinstance(found := met(), bool) else await found):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def written(here: Served, person: Person, conversation: str) -> str:
    """The counterpart's id, once it holds all that is kept."""
    its = None

    async def whole() -> bool:
        nonlocal its
        its = await here.container.store().counterparts.of(person.name, conversation)  # type: ignore[arg-type]
        kept = await person.messages(conversation)
        return its is not None and its.through == len(kept)

    await until(whole)
    assert its
    return its.id


OWN_MODEL = {"model": "offline", "entry": "tests.integration.http.test_openai_memory:rehearsing"}
EXCHANGE = ["user: hello", "assistant: I was given 1"]


async def test_a_model_reads_what_openai_keeps_and_what_it_says_is_kept_there_too(
    openai: OpenAI, store_url: str
) -> None:
    async with replica(openai, store_url) as here:
        person = Person(here)
        conversation, _ = await person.say("hello")
        there = await written(here, person, conversation)
        assert openai.texts(there) == EXCHANGE
        openai.conversations[there][0]["content"][0]["text"] = "as OpenAI keeps it"
        await person.say("call", conversation)
        assert openai.given()[:2] == ["user: as OpenAI keeps it", "assistant: I was given 1"]
        assert await written(here, person, conversation) == there
        called = ["user: call", "function_call: add_task", "function_call_output: "]
        assert [*openai.texts(there)[2:]][:2] == called[:2]
        assert openai.texts(there)[4].startswith(called[2])
        assert openai.texts(there)[-1] == "assistant: I was given 5"
        await person.say("again", conversation)
        assert openai.given()[-2:] == ["assistant: I was given 5", "user: again"]
        await written(here, person, conversation)
        assert openai.asked == {"create": 1, "list": 2, "adding": 3, "add": 3}
        assert (await person.http.delete(person.path(conversation))).status_code == 204
        await until(lambda: not openai.conversations)
    assert openai.asked["delete"] == 1


async def test_openai_keeps_the_names_of_files_and_the_model_is_given_what_is_in_them(
    openai: OpenAI,
) -> None:
    async with replica(openai, "memory:") as here:
        person = Person(here)
        path, typed = f"/api/{person.name}/attachments", {"content-type": "text/plain"}
        new = await person.http.post(path, params={"name": "a.txt"}, content=b"sky", headers=typed)
        asked = {"message": "hello", "attachments": [new.json()["id"]]}
        turn = (await person.http.post(f"/api/{person.name}/chat", json=asked)).json()
        conversation = turn["conversation_id"]
        there = await written(here, person, conversation)
        assert openai.texts(there)[0].endswith("these files: “a.txt” (text/plain, 3 bytes)")
        await person.say("again", conversation)
        assert "\nsky\n-----" in openai.given()[0]
        assert openai.given()[-1] == "user: again"


async def test_what_a_turn_has_said_before_it_waited_is_read_with_it_and_written_once(
    openai: OpenAI, store_url: str
) -> None:
    asks = {"tasks_approval": ["add_task"]}
    async with served(settings_for(store_url, agent=agent_of(openai), mcp=asks)) as here:
        person = Person(here)
        conversation, _ = await person.say("hello")
        there = await written(here, person, conversation)
        await person.say("call", conversation)
        assert openai.texts(there) == EXCHANGE
        (call,) = (await person.messages(conversation))[-1]["tool_calls"]
        answer = {"call_id": call["id"], "decision": "reject"}
        turn = await person.http.post(person.path(conversation, "/answers"), json=answer)
        assert turn.json()["state"] == "completed", turn.text
        kinds = [item.split(":")[0] for item in openai.given()]
        assert kinds == ["user", "assistant", "user", "function_call", "function_call_output"]
        assert await written(here, person, conversation) == there
        assert openai.texts(there)[:-1] == openai.given()


async def test_a_turn_that_was_not_completed_leaves_nothing_there_until_the_next_one_is(
    openai: OpenAI, store_url: str
) -> None:
    async with replica(openai, store_url) as here:
        person = Person(here)
        conversation, _ = await person.say("hello")
        there = await written(here, person, conversation)
        await person.say("fail", conversation)
        async with person.watching(add(conversation, "wait")) as (_, told):
            await until_shown(told, "I was given")
            await person.cancel(conversation)
        await person.ended(conversation)
        assert openai.texts(there) == EXCHANGE
        kept = await person.messages(conversation)
        await person.say("and now?", conversation)
        assert openai.given() == [
            *EXCHANGE,
            "user: fail",
            "assistant: I was given 3",
            "user: wait",
            "assistant: I was given 5",
            "user: and now?",
        ]
        assert await written(here, person, conversation) == there
        assert len(openai.conversations[there]) == len(kept) + 2
        assert openai.asked["create"] == 1


async def test_a_retry_is_answered_without_the_earlier_answer_and_a_new_one_is_made(
    openai: OpenAI, store_url: str
) -> None:
    async with replica(openai, store_url) as here:
        person = Person(here)
        conversation, told = await person.say("hello")
        items = [event["item"] for event in told if "item" in event]
        question = next(item["id"] for item in items if item["type"] == "user_message")
        there = await written(here, person, conversation)
        async with person.http.stream("POST", "/chatkit", json=retry(conversation, question)) as r:
            assert [e async for e in events(r)]
        assert openai.given() == ["user: hello"]
        await until(
            lambda: (
                [openai.texts(each) for each in openai.conversations] == [EXCHANGE]
                and there not in openai.conversations
            )
        )


async def test_what_is_lost_or_out_of_reach_at_openai_fails_no_turn_and_is_made_again(
    openai: OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    async with replica(openai, "memory:") as here:
        person = Person(here)
        openai.refused = {"create": 500}
        conversation, _ = await person.say("hello")
        await until(lambda: "counterpart_not_written" in caplog.text)
        openai.refused = {}
        await person.say("and now?", conversation)
        assert openai.given() == [*EXCHANGE, "user: and now?"]
        there = await written(here, person, conversation)
        openai.refused = {"list": 500}
        await person.say("not read", conversation)
        openai.refused = {}
        assert openai.given()[-1] == "user: not read"
        assert await written(here, person, conversation) == there
        del openai.conversations[there]
        await person.say("gone", conversation)
        new = await written(here, person, conversation)
        assert (openai.texts(new)[:2], len(openai.texts(new))) == (EXCHANGE, 8)
        openai.refused = {"add": 500}
        await person.say("not added", conversation)
        await until(lambda: caplog.text.count("counterpart_not_written") == 2)
        openai.refused = {}
        await person.say("added", conversation)
        newest = await written(here, person, conversation)
        assert newest != new
        assert len(openai.texts(newest)) == 12
        await until(lambda: [*openai.conversations] == [newest])
    assert "counterpart_not_read" in caplog.text


async def test_what_could_not_be_deleted_is_deleted_later_also_by_another_start(
    openai: OpenAI, fresh_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    def soon(container: Container) -> None:
        container.left_counterparts.add_kwargs(first=0.05)

    async with served(settings_for(fresh_database, agent=agent_of(openai)), soon) as here:
        person = Person(here)

        async def delete_one() -> None:
            openai.refused = {"delete": 503}
            openai.asked.clear()
            conversation, _ = await person.say("hello")
            await written(here, person, conversation)
            assert (await person.http.delete(person.path(conversation))).status_code == 204
            await until(lambda: openai.asked["delete"] >= 2)
            assert (await person.http.get(person.path(conversation))).status_code == 404

        await delete_one()
        assert "counterpart_not_deleted" in caplog.text
        openai.refused = {}
        await until(lambda: not openai.conversations)
        await delete_one()
    openai.refused = {}
    # the setting is the window again
    async with replica(openai, fresh_database, memory="window") as here:
        await until(lambda: not openai.conversations)
        left = here.container.store().counterparts.left
        await until(lambda: is_empty(left))


async def is_empty(left: Callable[[], Awaitable[tuple[object, ...]]]) -> bool:
    return not await left()


async def test_a_server_that_is_killed_while_it_writes_costs_nothing_that_was_said(
    openai: OpenAI, fresh_database: str, tmp_path: Path
) -> None:
    settings = settings_for(fresh_database, agent=agent_of(openai))
    names = {name.upper(): str(value) for name, value in agent_of(openai).items()}
    environment = {f"CHATBRIDGE_AGENT__{name}": value for name, value in names.items()}
    killed = await spawn(
        tmp_path, DATABASE_URL=fresh_database, CHATBRIDGE_SECRET=SECRET, **environment
    )
    async with served(settings) as here:
        person = Person(here)
        there = httpx.AsyncClient(base_url=killed.url, headers=person.http.headers, timeout=20)
        async with there:
            conversation, _ = await say(there, create("hello"))
            first = await written(here, person, conversation)
            # elsewhere it goes on where it is
            await person.say("more", conversation)
            assert await written(here, person, conversation) == first
            openai.may_add.clear()
            await say(there, add(conversation, "last words"))
            await until(lambda: openai.asked["adding"] == 3)
            killed.kill()
        await person.say("still there?", conversation)
        assert openai.given()[-3:] == [
            "user: last words",
            "assistant: I was given 5",
            "user: still there?",
        ]
        assert len(openai.given()) == 7
        openai.may_add.set()
        second = await written(here, person, conversation)
        assert second != first
        assert len(openai.conversations[second]) == 8
        await until(lambda: [*openai.conversations] == [second])


async def test_who_is_quick_is_answered_with_all_that_was_said(openai: OpenAI) -> None:
    async with replica(openai, "memory:") as here:
        person = Person(here)
        openai.may_add.clear()
        conversation, _ = await person.say("hello")
        answer = asyncio.create_task(person.say("quick", conversation))
        await until(lambda: openai.asked["adding"] == 1)
        openai.may_add.set()
        await answer
        assert openai.given() == [*EXCHANGE, "user: quick"]
        await written(here, person, conversation)
        assert openai.asked["create"] == 1


async def test_a_long_conversation_is_read_by_its_last_hundred_items(openai: OpenAI) -> None:
    async with replica(openai, "memory:") as here:
        person = Person(here)
        conversation, _ = await person.say("hello")
        there = await written(here, person, conversation)
        openai.conversations[there] = 60 * openai.conversations[there]
        for n, item in enumerate(openai.conversations[there]):
            openai.conversations[there][n] = {**item, "id": f"item_of_many_{n}"}
        openai.asked.clear()
        await person.say("and now?", conversation)
        assert openai.asked["list"] == 5
        assert openai.given() == [*49 * EXCHANGE, *EXCHANGE[:0], "user: and now?"]


async def test_what_it_costs_is_counted_and_the_window_costs_nothing_of_it(
    openai: OpenAI, fresh_database: str
) -> None:
    counted: dict[str, list[int]] = {}
    async with proxied(fresh_database) as (proxy, url):
        trips = Trips(proxy)
        for memory in ("openai_conversations", "window"):
            async with replica(openai, url, memory=memory) as here:
                person = Person(here)
                await fill(here.container.store().engine)
                for _ in range(2):
                    await person.say("hello")  # the first use of each statement
                    await settled(here)
                conversation = None
                for _ in range(3):
                    trips.since()
                    openai.asked.clear()
                    conversation, _told = await person.say("hello", conversation)
                    await settled(here)
                    of_openai = openai.asked.total() - openai.asked["adding"]
                    counted.setdefault(memory, []).append(asked(trips.since()).total())
                    counted.setdefault(f"{memory} there", []).append(of_openai)
    assert counted == {
        "openai_conversations": [7, 6, 6],
        "openai_conversations there": [2, 2, 2],
        "window": [2, 2, 2],
        "window there": [0, 0, 0],
    }


async def settled(here: Served) -> None:
    """Nothing is being written any more, and nothing is swept."""
    await here.container.recall().close()


@pytest.mark.parametrize(
    ("agent", "server", "said"),
    [
        ({"api": "chat_completions"}, {}, "Chat Completions has no such thing"),
        ({"model": "offline"}, {}, "the offline model has no such thing"),
        (
            {"model": "offline", "entry": "tests.hosts.results:assistant"},
            {},
            "the offline model has no such thing: set CHATBRIDGE_AGENT__MODEL",
        ),
        ({**OWN_MODEL, "base_url": None, "api_key": None}, {}, "there is no key for it"),
        ({}, {"entry": "my_server:Mine"}, "a server of your own"),
    ],
)
def test_where_it_can_not_work_a_start_says_so(
    agent: dict[str, Any], server: dict[str, Any], said: str
) -> None:
    known = {"model": "gpt", "base_url": "http://127.0.0.1:1/v1", "api_key": "key"}
    memory = {"memory": "openai_conversations"}
    settings = settings_for("memory:", agent={**known, **memory, **agent}, server=server)
    with pytest.raises(ValueError, match=said):
        create_app(Container(settings=settings))
