"""What of a tool server's the model gets, and how the server learns who asks."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from jose import jwt
from jose.exceptions import JWTError
from mcp.server import MCPServer
from pydantic import BaseModel

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.container import Container
from chatbridge.domain.model.tool import Tool
from tests.integration.tool_servers import (
    Probe,
    behalf,
    names,
    older,
    probe_at,
    provider,
    request,
    serving,
)
from tests.serving import SECRET, settings_for

ALICE, BOB = behalf("alice"), behalf("bob")
SHARED = "a secret that one tool server shares with us"


class Draft(BaseModel):
    """A task that says itself whose it is."""

    user_id: str
    title: str


class Course:
    """A server as one is written in a course: it believes the `user_id` that it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []

    def app(self) -> Callable[..., Any]:
        """A new ASGI app over the same notes."""
        server = MCPServer("course")
        for tool in (self.add_task, self.list_tasks, self.count_users, self.add_draft):
            server.add_tool(tool, structured_output=False)
        return server.streamable_http_app(stateless_http=True)

    async def add_task(self, user_id: str, title: str, note: str = "") -> str:
        """Add a task for a user."""
        self.calls.append(("add_task", user_id, title, note))
        return title

    async def list_tasks(self, user_id: str) -> str:
        """List a user's tasks."""
        self.calls.append(("list_tasks", user_id))
        return "none"

    async def count_users(self, city: str = "everywhere") -> str:
        """Count."""
        self.calls.append(("count_users", city))
        return "2"

    async def add_draft(self, draft: Draft) -> str:
        """Add a task that says itself whose it is."""
        self.calls.append(("add_draft", draft.user_id))
        return "added"


@pytest.fixture
def course() -> Course:
    return Course()


@asynccontextmanager
async def tools_of(course: Course, **changes: Any) -> AsyncGenerator[McpToolProvider]:
    async with serving(course.app()) as base:
        at = HttpServer(name="course", url=f"{base}/mcp", **changes)
        async with provider(at) as tools:
            yield tools


async def listed(tools: McpToolProvider) -> dict[str, Tool]:
    return {tool.name: tool for tool in await tools.tools(ALICE)}


# the argument that names the user


async def test_the_model_does_not_see_the_argument_that_names_the_user(course: Course) -> None:
    async with tools_of(course, user_argument="user_id") as tools:
        found = await listed(tools)

    add, count = found["add_task"].parameters, found["count_users"].parameters
    assert set(add["properties"]) == {"title", "note"}
    assert add["required"] == ["title"]
    assert "user_id" not in str(found["list_tasks"].parameters)
    assert set(count["properties"]) == {"city"}


async def test_it_is_the_signed_in_user_whatever_the_model_says(course: Course) -> None:
    async with tools_of(course, user_argument="user_id") as tools:
        await tools.tools(ALICE)
        await tools.call(request("add_task", title="tea", user_id="bob"), ALICE)
        await tools.call(request("add_task", title="tea"), BOB)
        await tools.call(request("list_tasks", user_id={"forged": True}), BOB)
        await tools.call(request("count_users", city="Rome", user_id="bob"), ALICE)

    assert course.calls == [
        ("add_task", "alice", "tea", ""),
        ("add_task", "bob", "tea", ""),
        ("list_tasks", "bob"),
        ("count_users", "Rome"),
    ]


async def test_the_first_call_after_a_restart_names_the_user_too(course: Course) -> None:
    async with tools_of(course, user_argument="user_id") as tools:
        await tools.call(request("list_tasks", user_id="bob"), ALICE)

    assert course.calls == [("list_tasks", "alice")]


async def test_fifty_calls_at_once_each_name_their_own_user(course: Course) -> None:
    users = [f"user{number}" for number in range(50)]
    async with tools_of(course, user_argument="user_id") as tools:
        await asyncio.gather(
            *(tools.call(request("add_task", title=user), behalf(user)) for user in users)
        )

    assert sorted(course.calls) == sorted(("add_task", user, user, "") for user in users)


async def test_a_tool_that_takes_the_user_out_of_reach_is_not_offered(
    course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    async with tools_of(course, user_argument="user_id") as tools:
        assert "add_draft" not in await names(tools)
        result = await tools.call(request("add_draft", draft={"user_id": "bob"}), ALICE)

    assert result.output == "There is no tool 'add_draft'."
    assert "'add_draft' is not offered: it takes `user_id` inside of another" in caplog.text
    assert course.calls == []


async def test_without_the_setting_arguments_are_the_models(course: Course) -> None:
    async with tools_of(course) as tools:
        found = await listed(tools)
        await tools.call(request("add_task", title="tea", user_id="bob"), ALICE)

    assert set(found["add_task"].parameters["properties"]) == {"user_id", "title", "note"}
    assert course.calls == [("add_task", "bob", "tea", "")]


# some of the tools


async def test_only_the_named_tools_are_offered_and_can_be_called(
    course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    only = ("list_tasks", "add_task", "fly")
    named = {"tools": only, "approval": ("add_task", "drive")}
    async with tools_of(course, user_argument="user_id", **named) as tools:
        assert await names(tools) == ["add_task", "list_tasks"]
        asks = [tool.asks for tool in await tools.tools(ALICE)]
        refused = await tools.call(request("count_users"), ALICE)

    assert (refused.output, refused.failed) == ("There is no tool 'count_users'.", True)
    assert asks == ["approval", None]
    assert "tool server course: it has no tool fly, which its `tools` names" in caplog.text
    assert "tool server course: it has no tool drive, which its `approval` names" in caplog.text
    assert course.calls == []


# the token


def container_with(**server: Any) -> Container:
    return Container(settings=settings_for("memory:", mcp={"servers": {"probe": server}}))


def bearers(probe: Probe) -> list[str]:
    return [headers.get("authorization", "").removeprefix("Bearer ") for headers in probe.headers]


def claims_of(token: str, audience: str, secret: str = SHARED) -> dict[str, Any]:
    return jwt.decode(token, secret, algorithms=["HS256"], audience=audience, issuer="chatbridge")


@pytest.mark.parametrize("audience", [None, "urn:course"])
@pytest.mark.parametrize("of_today", [True, False])
async def test_a_server_that_shares_a_secret_is_told_who_asks(
    audience: str | None, of_today: bool
) -> None:
    probe = Probe(stateless=of_today)
    async with serving(probe.app() if of_today else older(probe.app())) as base:
        url = f"{base}/mcp"
        container = container_with(
            url=url,
            headers={"X-Api-Key": "k"},
            send_user_token={"secret": SHARED, "audience": audience},
        )
        tools = container.tools()
        await tools.tools(ALICE)
        await tools.call(request("echo", text="hi"), BOB)
        await tools.close()

    tokens = bearers(probe)
    claims = [claims_of(token, audience or url) for token in tokens]
    # the older protocol ends with a goodbye of the session's
    assert {"alice", "bob"} == {each["sub"] for each in claims}
    assert claims[-1]["sub"] == "bob"
    assert {each["exp"] - each["iat"] for each in claims} == {60}
    assert all(set(each) == {"iss", "aud", "sub", "iat", "exp"} for each in claims)
    assert {headers["x-api-key"] for headers in probe.headers} == {"k"}


async def test_its_token_opens_nothing_of_ours_and_no_other_servers() -> None:
    probe = Probe()
    async with serving(probe.app()) as base:
        url = f"{base}/mcp"
        container = container_with(
            url=url, send_user_token={"secret": SHARED, "audience": "chatbridge:tasks"}
        )
        await container.tools().tools(ALICE)
        await container.tools().close()

    token = bearers(probe)[0]
    assert claims_of(token, "chatbridge:tasks")["sub"] == "alice"
    with pytest.raises(Exception, match="signature"):
        container.issuer().verify(token, audience="chatbridge:tasks")
    for secret in (SECRET, "a secret that another tool server shares"):
        with pytest.raises(JWTError):
            claims_of(token, "chatbridge:tasks", secret)


async def test_a_redirect_takes_no_token_to_another_address() -> None:
    away = Probe()

    async with serving(away.app()) as elsewhere:

        async def redirecting(scope: Any, receive: Any, send: Any) -> None:
            location = (b"location", f"{elsewhere}/mcp".encode())
            await send({"type": "http.response.start", "status": 307, "headers": [location]})
            await send({"type": "http.response.body"})

        async with serving(redirecting) as base:
            container = container_with(url=f"{base}/mcp", send_user_token={"secret": SHARED})
            assert "echo" not in await names(container.tools())
            await container.tools().close()

    assert away.requests == []


async def test_without_a_secret_no_token_is_sent() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base)) as tools:
        await tools.call(request("echo", text="hi"), ALICE)

    assert set(bearers(probe)) == {""}
