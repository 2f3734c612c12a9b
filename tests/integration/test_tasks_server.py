"""The bundled task server over real HTTP, asked by a plain MCP client."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.domain.model.errors import Unavailable
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.task import TASK_TOOLS, Task
from chatbridge.domain.model.tool import CALL_KEY
from chatbridge.entrypoints.tasks.server import TASKS_PATH, TasksApp, tasks_server
from tests.integration.tool_servers import AUDIENCE, FakeTokens, app_with, read, serving

LIST_TOOLS = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
MCP_HEADERS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/list",
}


@pytest.fixture
def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
async def address(tokens: FakeTokens) -> AsyncIterator[str]:
    server = tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=True)
    async with serving(app_with(TasksApp(server))) as base:
        yield base + TASKS_PATH


@asynccontextmanager
async def asking(address: str, token: str, mode: str = "2026-07-28") -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode, cache=None) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is None
    return read(text_of(result))


async def failed(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


async def posted(address: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(follow_redirects=False) as http:
        return await http.post(address, json=LIST_TOOLS, headers=MCP_HEADERS | headers)


async def test_tasks_are_added_listed_changed_completed_and_deleted(
    address: str, tokens: FakeTokens
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        assert await called(client, "add_task", title=" milk ") == {
            "number": 1,
            "title": "milk",
            "done": False,
        }
        await called(client, "add_task", title="brød 🍞")
        assert (await called(client, "update_task", number=1, title="oat milk"))["done"] is False
        assert (await called(client, "complete_task", number=1))["done"] is True
        assert (await called(client, "delete_task", number=2))["title"] == "brød 🍞"
        only = {"tasks": [{"number": 1, "title": "oat milk", "done": True}]}
        assert await called(client, "list_tasks") == only
        assert await called(client, "list_tasks", numbers=[1, 2], show=False) == only
        assert await called(client, "list_tasks", numbers=[2]) == {"tasks": []}


async def test_no_schema_names_a_user_and_every_tool_says_what_it_does(
    address: str, tokens: FakeTokens
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert set(tools) == {*TASK_TOOLS, "describe_delete_task"}
    assert {name: set(tool.input_schema["properties"]) for name, tool in tools.items()} == {
        "add_task": {"title"},
        "list_tasks": {"numbers", "show"},
        "update_task": {"number", "title"},
        "complete_task": {"number"},
        "delete_task": {"number"},
        "describe_delete_task": {"number"},
        "rehearse": {"outcome", "seconds"},
    }
    assert "user" not in str([tool.input_schema for tool in tools.values()]).lower()
    assert all(tool.description for tool in tools.values())


async def test_there_is_no_rehearsal_unless_it_is_asked_for(tokens: FakeTokens) -> None:
    server = tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=False)

    assert "rehearse" not in {tool.name for tool in await server.list_tools()}


@pytest.mark.parametrize("forged", ["user", "user_id", "subject"])
async def test_a_user_that_the_model_makes_up_is_ignored(
    address: str, tokens: FakeTokens, forged: str
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        await called(client, "add_task", title="mine", **{forged: "bob"})
        assert len((await called(client, "list_tasks", **{forged: "bob"}))["tasks"]) == 1
    async with asking(address, tokens.token_for("bob")) as client:
        assert await called(client, "list_tasks") == {"tasks": []}


async def test_two_users_keep_their_tasks_apart(address: str, tokens: FakeTokens) -> None:
    async with (
        asking(address, tokens.token_for("alice")) as alice,
        asking(address, tokens.token_for("bob")) as bob,
    ):
        await asyncio.gather(
            *(called(alice, "add_task", title=f"a{n}") for n in range(10)),
            *(called(bob, "add_task", title=f"b{n}") for n in range(10)),
        )
        hers = (await called(alice, "list_tasks"))["tasks"]
        his = (await called(bob, "list_tasks"))["tasks"]

    assert {task["title"][0] for task in hers} == {"a"}
    assert {task["title"][0] for task in his} == {"b"}
    assert [task["number"] for task in hers] == list(range(1, 11))


async def test_an_older_client_is_understood_too(address: str, tokens: FakeTokens) -> None:
    async with asking(address, tokens.token_for("alice"), mode="legacy") as client:
        await called(client, "add_task", title="milk", user_id="bob")
        assert len((await called(client, "list_tasks"))["tasks"]) == 1


async def test_the_exact_address_answers_without_a_redirect(
    address: str, tokens: FakeTokens
) -> None:
    response = await posted(address, authorization=f"Bearer {tokens.token_for('alice')}")

    assert address.endswith("/mcp/tasks")
    assert response.status_code == 200
    assert "add_task" in response.text


async def test_any_host_name_of_a_deployment_is_good(address: str, tokens: FakeTokens) -> None:
    response = await posted(
        address,
        authorization=f"Bearer {tokens.token_for('alice')}",
        host="tools.example.org",
        origin="https://chat.example.org",
    )

    assert response.status_code == 200


async def test_no_token_is_answered_with_401(address: str) -> None:
    assert (await posted(address)).status_code == 401


@pytest.mark.parametrize("authorization", ["Bearer made-up", "Basic YTpi", "Bearer"])
async def test_a_bad_token_is_answered_with_401(address: str, authorization: str) -> None:
    assert (await posted(address, authorization=authorization)).status_code == 401


async def test_a_token_for_something_else_is_answered_with_401(
    address: str, tokens: FakeTokens
) -> None:
    token = tokens.token_for("alice", audience="chatbridge:session")

    assert (await posted(address, authorization=f"Bearer {token}")).status_code == 401


async def test_an_expired_token_is_answered_with_401(address: str, tokens: FakeTokens) -> None:
    token = tokens.token_for("alice", lifetime=timedelta(seconds=-1))

    assert (await posted(address, authorization=f"Bearer {token}")).status_code == 401


@pytest.mark.parametrize(
    "tool", ["update_task", "complete_task", "delete_task", "describe_delete_task"]
)
async def test_a_number_that_does_not_exist_is_said(
    address: str, tokens: FakeTokens, tool: str
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        said = await failed(client, tool, number=7, title="x")

    assert said.endswith("There is no task 7.")


@pytest.mark.parametrize("title", ["", "   ", "x" * 501])
async def test_a_title_that_can_not_be_kept_is_refused_in_words(
    address: str, tokens: FakeTokens, title: str
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        assert (await failed(client, "add_task", title=title)).endswith(
            "A task has 1 to 500 characters."
        )


async def test_a_title_keeps_no_nul(address: str, tokens: FakeTokens) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        assert (await called(client, "add_task", title="a\x00b"))["title"] == "a\ufffdb"


# a call that comes again


async def test_a_call_that_comes_again_under_its_key_happens_once(
    address: str, tokens: FakeTokens
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        for key in ("call_1", "call_1", "call_2", None, None):
            meta = {CALL_KEY: key} if key else {}
            added = await client.call_tool("add_task", {"title": "milk"}, meta=meta)
            assert not added.is_error
        listed = (await called(client, "list_tasks"))["tasks"]

    assert [task["number"] for task in listed] == [1, 2, 3, 4]


async def test_every_tool_that_changes_something_honours_the_key(
    address: str, tokens: FakeTokens
) -> None:
    changes = {
        "update_task": {"number": 1, "title": "oat milk"},
        "complete_task": {"number": 1},
        "delete_task": {"number": 1},
    }
    async with asking(address, tokens.token_for("alice")) as client:
        await called(client, "add_task", title="milk")
        for tool, arguments in changes.items():
            first, again = [
                await client.call_tool(tool, arguments, meta={CALL_KEY: tool}) for _ in range(2)
            ]
            assert not again.is_error
            assert text_of(again) == text_of(first)


async def test_another_call_under_the_same_key_is_refused_in_words(
    address: str, tokens: FakeTokens
) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        await client.call_tool("add_task", {"title": "milk"}, meta={CALL_KEY: "call_1"})
        other = await client.call_tool("add_task", {"title": "tea"}, meta={CALL_KEY: "call_1"})

    assert other.is_error
    assert text_of(other).endswith("Another call was made under this key, so nothing was done.")


async def test_a_key_is_its_owners(address: str, tokens: FakeTokens) -> None:
    for user in ("alice", "bob"):
        async with asking(address, tokens.token_for(user)) as client:
            await client.call_tool("add_task", {"title": user}, meta={CALL_KEY: "call_1"})
            listed = (await called(client, "list_tasks"))["tasks"]
            assert [task["title"] for task in listed] == [user]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "käse", 7, ["call_1"]])
async def test_a_key_that_is_none_is_refused(address: str, tokens: FakeTokens, key: object) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        result = await client.call_tool("add_task", {"title": "milk"}, meta={CALL_KEY: key})
        assert result.is_error
        assert text_of(result).endswith("takes 1 to 255 visible ASCII characters.")
        assert await called(client, "list_tasks") == {"tasks": []}


class AwayTasks(MemoryTaskRepository):
    async def add(self, user_id: UserId, title: str, *, key: str | None = None) -> Task:
        raise Unavailable("connection to 10.0.0.7 refused")


async def test_a_store_that_is_away_is_said_without_its_details(tokens: FakeTokens) -> None:
    server = tasks_server(AwayTasks(), tokens, audience=AUDIENCE, rehearsal=False)
    async with (
        serving(app_with(TasksApp(server))) as base,
        asking(base + TASKS_PATH, tokens.token_for("alice")) as client,
    ):
        said = await failed(client, "add_task", title="milk")

    assert said.endswith("The task store is away for a moment.")
    assert "10.0.0.7" not in said


async def test_a_rehearsed_failure_is_a_failed_result(address: str, tokens: FakeTokens) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        assert "as it was asked to" in await failed(client, "rehearse", outcome="fail")


async def test_a_rehearsed_crash_hides_its_text(address: str, tokens: FakeTokens) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        assert await failed(client, "rehearse", outcome="crash") == "Error executing tool rehearse"


async def test_a_rehearsed_delay_answers_in_the_end(address: str, tokens: FakeTokens) -> None:
    async with asking(address, tokens.token_for("alice")) as client:
        answer = await called(client, "rehearse", outcome="slow", seconds=0.05)

    assert answer == {"rehearsed": "slow", "seconds": 0.05}


async def test_the_app_can_be_run_again(tokens: FakeTokens) -> None:
    server = tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=False)
    app = app_with(TasksApp(server))
    for count in (1, 2):
        async with (
            serving(app) as base,
            asking(base + TASKS_PATH, tokens.token_for("alice")) as client,
        ):
            await called(client, "add_task", title="milk")
            assert len((await called(client, "list_tasks"))["tasks"]) == count


def test_making_the_server_leaves_logging_alone(tokens: FakeTokens) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=False)
        assert root.handlers == []
        assert root.level == level
    finally:
        root.handlers[:] = handlers
