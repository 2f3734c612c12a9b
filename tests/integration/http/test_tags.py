"""What is named with `@`, from the search to what the model reads."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import httpx
import pytest
from dependency_injector.providers import Object

from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.errors import Unavailable
from chatbridge.entrypoints.chatkit.words import words_of
from chatbridge.host import Host
from tests.chatkit_client import Json, create, items, say, text_of
from tests.scripted_agent import ScriptedAgent
from tests.serving import Served, served, settings_for

TOM = {"type": "input_tag", "id": "tom", "text": "Tom\n<b>", "data": {"age": 3}, "group": "People"}


def search(caller: Caller, query: str) -> Any:
    match query:
        case "fail":
            raise ValueError(caller)
        case "away":
            raise Unavailable("The CRM is away.")
        case "odd":
            return "Tom"
        case _:
            return [{"id": f"{query}{n}", "title": caller.user_id} for n in range(500)]


async def words(caller: Caller, tag: Mapping[str, Any]) -> str:
    if tag["id"] != "tom":
        raise ValueError(tag)
    return f"{caller.user_id} knows {tag['id']}: {tag['data']['age']}"


@pytest.fixture(scope="module")
async def agent() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture(scope="module")
async def here(agent: ScriptedAgent) -> AsyncGenerator[Served]:
    def given(container: Any) -> None:
        container.agent.override(agent)
        container.host.override(Object(Host(tag_words=words)))

    settings = settings_for("memory:", tags={"search": f"{__name__}:search"})
    async with served(settings, given) as here:
        yield here


async def found(client: httpx.AsyncClient, user: str, query: str) -> httpx.Response:
    return await client.get(f"/api/{user}/tags", params={"q": query})


async def test_a_hosts_search_answers_whom_it_is_about_or_says_why_not(here: Served) -> None:
    ada = here.as_user("ada")
    told = (await found(ada, "ada", "x")).json()["items"]
    assert len(told) == 50
    assert told[0] == {
        "id": "x0",
        "title": "ada",
        "icon": None,
        "group": None,
        "interactive": False,
        "data": {},
    }
    refused = {
        "fail": (502, "tag_search_failed"),
        "odd": (502, "tag_search_failed"),
        "away": (503, "unavailable"),
        "x" * 201: (422, "invalid_request"),
    }
    for query, (status, code) in refused.items():
        answer = await found(ada, "ada", query)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await found(ada, "bob", "x")).status_code == 403
    assert (await found(here.as_user(None), "ada", "x")).status_code == 401


def tagged(*content: Json) -> Json:
    request = create("")
    request["params"]["input"]["content"] = content
    return request


async def test_a_message_keeps_its_tags_and_the_model_is_told_of_them(
    here: Served, agent: ScriptedAgent
) -> None:
    ada = here.as_user("ada")
    other = {**TOM, "id": "other", "text": "Tom", "interactive": True}
    content = [{"type": "input_text", "text": "Who is older, "}, TOM, other]
    asking = await ada.send(
        ada.build_request("POST", "/chatkit", json=tagged(*content)), stream=True
    )
    run = await agent.next_run("ada")
    read = words_of(run.request.window[-1])
    assert read.splitlines()[0] == "Who is older, @Tom <b>@Tom"
    assert read.splitlines()[3:] == [
        '{"name": "Tom <b>", "id": "tom", "group": "People", "data": {"age": 3}, '
        '"known": "ada knows tom: 3"}',
        '{"name": "Tom", "id": "other", "group": "People", "data": {"age": 3}}',
    ]
    run.finish("Neither.")
    thread = run.request.on_behalf.conversation_id
    await asking.aread()
    kept = (await ada.post("/chatkit", json=items(thread))).json()["data"][0]
    assert kept["content"][1:] == [{**TOM, "interactive": False}, other]
    assert "known" not in str(kept)
    assert "tags_told" not in str(kept)
    conversation = f"/api/ada/conversations/{thread}"
    told = (await ada.get(f"{conversation}/messages")).json()["items"][0]
    assert told["content"] == "Who is older, @Tom <b>@Tom"
    assert (await ada.get(conversation)).json()["title"] == "Who is older, @Tom <b>@Tom"


async def test_a_task_that_is_named_is_found_and_completed() -> None:
    async with served(settings_for("memory:")) as here:
        ada = here.as_user("ada")
        for _ in range(2):
            await say(ada, create("add a task: Buy milk"))
        _, second = (await found(ada, "ada", "milk")).json()["items"]
        assert (await found(here.as_user("bob"), "bob", "milk")).json()["items"] == []
        tag = {"type": "input_tag", "id": second["id"], "text": second["title"]}
        tag |= {"group": second["group"], "data": second["data"], "interactive": True}
        thread, _ = await say(ada, tagged({"type": "input_text", "text": "complete "}, tag))
        kept = (await ada.post("/chatkit", json=items(thread))).json()["data"]
        assert "Buy milk" in text_of(kept[-1])
        tasks = (await ada.get("/api/ada/tasks")).json()["items"]
        assert [task["done"] for task in tasks] == [False, True]
