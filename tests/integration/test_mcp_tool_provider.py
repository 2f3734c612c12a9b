"""The agent's tools over real MCP: streamable HTTP to real uvicorn servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from chatbridge.adapters.mcp.answers import LONGEST_OUTPUT
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.adapters.memory.task_repository import MemoryTaskRepository
from chatbridge.domain.model.attachment import Link
from chatbridge.domain.model.tool import ToolResult
from chatbridge.entrypoints.tasks.server import TASKS_PATH, TasksApp, tasks_server
from tests.integration.tool_servers import (
    AUDIENCE,
    MEETING,
    PROBE_TOOLS,
    FakeTokens,
    Probe,
    app_with,
    behalf,
    names,
    older,
    probe_at,
    provider,
    read,
    request,
    serving,
)
from tests.ports import free_port

ALICE, BOB = behalf("alice"), behalf("bob")
QUICK = ListingTimes(fresh=0.2, rest=0.2)


@pytest.fixture
def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
async def tasks(tokens: FakeTokens) -> AsyncIterator[McpToolProvider]:
    server = tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=True)
    async with serving(app_with(TasksApp(server))) as base:
        at = HttpServer(
            name="tasks",
            url=base + TASKS_PATH,
            token=lambda on_behalf: tokens.token_for(on_behalf.user_id),
            one_list=True,
        )
        async with provider(at) as tools:
            yield tools


# who asks


async def test_no_tool_lets_the_model_choose_the_user(tasks: McpToolProvider) -> None:
    tools = await tasks.tools(ALICE)

    assert "add_task" in [tool.name for tool in tools]
    assert all("user" not in str(tool.parameters).lower() for tool in tools)
    assert all(tool.description for tool in tools)


async def test_a_forged_user_is_ignored(tasks: McpToolProvider) -> None:
    await tasks.call(request("add_task", title="mine", user_id="bob", user="bob"), ALICE)

    assert read((await tasks.call(request("list_tasks"), BOB)).output) == {"tasks": []}
    hers = read((await tasks.call(request("list_tasks", user_id="bob"), ALICE)).output)
    assert [task["title"] for task in hers["tasks"]] == ["mine"]


async def test_fifty_calls_at_once_are_each_made_for_their_own_user(
    tasks: McpToolProvider,
) -> None:
    users = [behalf(f"user{number}") for number in range(50)]
    await asyncio.gather(
        *(tasks.call(request("add_task", title=user.user_id), user) for user in users)
    )
    lists = await asyncio.gather(*(tasks.call(request("list_tasks"), user) for user in users))

    for user, listed in zip(users, lists, strict=True):
        assert [task["title"] for task in read(listed.output)["tasks"]] == [user.user_id]


async def test_each_call_brings_a_token_of_its_own(
    tasks: McpToolProvider, tokens: FakeTokens
) -> None:
    await tasks.tools(ALICE)
    before = len(tokens.issued)
    await tasks.call(request("list_tasks"), ALICE)
    await tasks.call(request("list_tasks"), BOB)

    fresh = list(tokens.issued.values())[before:]
    assert [caller.user_id for caller, _, _ in fresh] == ["alice", "bob"]


async def test_a_token_that_is_not_accepted_is_a_failed_call(tokens: FakeTokens) -> None:
    lifetimes = {"alice": timedelta(minutes=1), "bob": timedelta(seconds=-1)}
    server = tasks_server(MemoryTaskRepository(), tokens, audience=AUDIENCE, rehearsal=False)
    async with serving(app_with(TasksApp(server))) as base:
        at = HttpServer(
            name="tasks",
            url=base + TASKS_PATH,
            token=lambda on_behalf: tokens.token_for(
                on_behalf.user_id, lifetime=lifetimes[on_behalf.user_id]
            ),
            one_list=True,
        )
        async with provider(at) as tools:
            await tools.tools(ALICE)
            refused = await tools.call(request("list_tasks"), BOB)
            accepted = await tools.call(request("list_tasks"), ALICE)

    assert refused == ToolResult(
        output="The tool server 'tasks' refused the call (HTTP status 401: “invalid_token; "
        "Authentication required”); nothing was done.",
        failed=True,
    )
    assert not accepted.failed


async def test_a_foreign_server_gets_its_headers_and_no_token_and_no_cookie() -> None:
    probe = Probe()
    inner = probe.app()

    async def baking(scope: Any, receive: Any, send: Any) -> None:
        async def with_cookie(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", b"who=alice")]
            await send(message)

        await inner(scope, receive, with_cookie if scope["type"] == "http" else send)

    async with serving(baking) as base:
        at = HttpServer(name="probe", url=f"{base}/mcp", headers={"x-api-key": "k"})
        async with provider(at) as tools:
            await tools.tools(ALICE)
            await tools.call(request("echo", text="hi"), BOB)

    assert all(headers["x-api-key"] == "k" for headers in probe.headers)
    assert not any("authorization" in headers or "cookie" in headers for headers in probe.headers)


# one call, one request


async def test_a_call_is_one_request_and_a_list_is_kept() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base)) as tools:
        await asyncio.gather(*(tools.tools(ALICE) for _ in range(10)))
        await tools.tools(BOB)
        for _ in range(3):
            await tools.call(request("echo", text="hi"), ALICE)

    assert probe.requests == ["POST server/discover", "POST tools/list"] + ["POST tools/call"] * 3


@pytest.mark.parametrize("of_today", [True, False])
async def test_each_calls_id_travels_with_it(of_today: bool) -> None:
    probe = Probe(stateless=of_today)
    app = probe.app() if of_today else older(probe.app())
    calls = [request("echo", text="hi") for _ in range(2)]
    async with serving(app) as base, provider(probe_at(base)) as tools:
        for call in calls:
            await tools.call(call, ALICE)

    assert probe.keys == [call.call_id for call in calls]


async def test_a_call_that_comes_again_happens_once(tasks: McpToolProvider) -> None:
    call = request("add_task", title="milk")
    answers = await asyncio.gather(*(tasks.call(call, ALICE) for _ in range(5)))
    listed = read((await tasks.call(request("list_tasks"), ALICE)).output)

    assert answers == [answers[0]] * 5
    assert [task["title"] for task in listed["tasks"]] == ["milk"]


async def test_eight_users_do_not_wait_for_each_other() -> None:
    async with (
        serving(Probe(offered=["meet"]).app()) as base,
        provider(probe_at(base)) as tools,
    ):
        results = await asyncio.gather(
            *(tools.call(request("meet"), behalf(f"user{n}")) for n in range(MEETING))
        )

    assert [result.output for result in results] == ["met"] * MEETING


async def test_an_older_server_is_asked_in_its_own_way() -> None:
    probe = Probe(stateless=False)
    async with serving(older(probe.app())) as base, provider(probe_at(base)) as tools:
        assert "echo" in await names(tools)
        slept = await asyncio.gather(
            *(tools.call(request("slow", seconds=0.2), ALICE) for _ in range(4))
        )

    assert [result.output for result in slept] == ["slept"] * 4
    assert probe.requests.count("DELETE") == 5


async def test_an_argument_that_must_be_a_header_too_is_sent_as_one() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base)) as tools:
        await tools.tools(ALICE)
        result = await tools.call(request("mirror", place="north"), ALICE)

    assert (result.output, result.failed) == ("north", False)
    assert probe.headers[-1]["mcp-param-place"] == "north"


# what comes back


async def test_text_files_links_and_pictures_come_back() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("media"), ALICE)

    assert (result.output, result.failed) == (
        "before\nin a file\na map: https://maps.example/1\nafter",
        False,
    )
    assert [(each.name, each.media_type, each.data) for each in result.made] == [
        ("media", "image/png", b"hi"),
        ("a.txt", "", b"in a file"),
    ]
    assert result.links == (Link(uri="https://maps.example/1", name="a map"),)


async def test_a_very_long_answer_is_cut_and_says_so() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("echo", text="x" * 60_000), ALICE)

    assert result.output.startswith("x" * LONGEST_OUTPUT + "\n")
    assert result.output.endswith("[Cut here: 60,000 characters, of which 50,000 are shown.]")


async def test_a_failure_that_the_tool_puts_into_words_is_a_failed_result() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("fail"), ALICE)

    assert (result.output, result.failed) == ("“The printer is out of paper.”", True)


async def test_a_crash_is_a_failed_result_without_its_text() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("crash"), ALICE)

    assert (result.output, result.failed) == ("“Error executing tool crash”", True)


async def test_a_protocol_error_is_a_failed_result_with_its_text() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("protocol"), ALICE)

    assert result.failed
    assert result.output == "The tool server 'probe' answered with an error: “upstream exploded”"


async def test_arguments_that_do_not_fit_are_a_failed_result() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("slow", seconds="long"), ALICE)

    assert result.failed
    assert "seconds" in result.output


async def test_an_unknown_tool_is_a_failed_result() -> None:
    async with serving(Probe().app()) as base, provider(probe_at(base)) as tools:
        result = await tools.call(request("fly"), ALICE)

    assert (result.output, result.failed) == ("There is no tool 'fly'.", True)


# names


async def test_a_name_that_is_taken_gets_its_servers_before_it() -> None:
    first, second = Probe(), Probe()
    async with serving(first.app()) as one, serving(second.app()) as two:
        servers = (probe_at(one, name="one"), probe_at(two, name="my server"))
        async with provider(*servers) as tools:
            listed = await names(tools)
            assert await names(tools) == listed
            await tools.call(request("echo", text="a"), ALICE)
            await tools.call(request("my_server_echo", text="b"), ALICE)

    assert listed == [*PROBE_TOOLS, *(f"my_server_{name}" for name in PROBE_TOOLS)]
    assert (first.log, second.log) == (["echo a"], ["echo b"])


async def test_a_name_keeps_its_meaning_when_an_earlier_server_comes_up() -> None:
    first, second, port = Probe(), Probe(), free_port()
    async with serving(second.app()) as two:
        servers = (probe_at(f"http://127.0.0.1:{port}", name="one"), probe_at(two, name="two"))
        async with provider(*servers, times=QUICK) as tools:
            assert "echo" in await names(tools)
            async with serving(first.app(), port):
                await asyncio.sleep(QUICK.fresh)
                assert {"echo", "one_echo"} <= set(await names(tools))
                await tools.call(request("echo", text="second"), ALICE)

    assert (first.log, second.log) == ([], ["echo second"])


def test_two_servers_of_one_name_are_refused() -> None:
    at = HttpServer(name="tasks", url="http://127.0.0.1:1/mcp")

    with pytest.raises(ValueError, match="same name"):
        McpToolProvider([at, at])
