"""A tool server says in words what a call would do, and a person reads it where they are asked."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from chatbridge.adapters.mcp.approval import Approval
from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.domain.model.tool import CALL_KEY, DESCRIBED_BY
from tests.chatkit_client import add, say
from tests.integration.http.waiting_stage import Api, CountingTools, Stage, buttons, stage
from tests.integration.scripted_endpoint import ScriptedEndpoint
from tests.integration.tool_servers import behalf, provider, request, serving
from tests.waiting import until

READS = ToolAnnotations(read_only_hint=True)
DESTROYS = ToolAnnotations(destructive_hint=True)
EVIL = "Pay **5**\n<b>to</b> \u202eada\x1b[2J"


class Shop:
    """Each `pay_...` is described by a tool that does it in its own way; who was asked, and how."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.paid: list[tuple[str, Any]] = []

    def app(self) -> Callable[..., Any]:
        server = MCPServer("shop")
        ways = (self.well, self.slow, self.wrong, self.huge, self.empty, self.writes)
        for way in ways:
            name = way.__name__
            server.add_tool(
                way,
                name=f"say_{name}",
                annotations=None if name == "writes" else READS,
                structured_output=False,
            )
        for name in (*(way.__name__ for way in ways), "absent"):
            server.add_tool(
                self.pay,
                name=f"pay_{name}",
                annotations=DESTROYS,
                structured_output=False,
                meta={DESCRIBED_BY: f"say_{name}"},
            )
        return server.streamable_http_app(stateless_http=True)

    async def pay(self, sum: int, user: str, context: Context) -> str:
        """Pay somebody."""
        self.paid.append((user, _key(context)))
        return f"paid {sum}"

    async def well(self, sum: int, user: str, context: Context) -> str:
        """Say what it would do."""
        self.asked.append(("well", user, _key(context)))
        return EVIL.replace("5", str(sum))

    async def slow(self) -> str:
        """Take too long."""
        self.asked.append(("slow", "", None))
        await asyncio.sleep(30)
        return "Too late"

    async def wrong(self) -> str:
        """Fail."""
        raise ToolError("Pay nobody")

    async def huge(self) -> str:
        """Say too much."""
        return "x" * 100_000

    async def empty(self) -> str:
        """Say nothing."""
        return " \n"

    async def writes(self) -> str:
        """Does not say of itself that it only reads."""
        self.asked.append(("writes", "", None))
        return "Written"


def _key(context: Context) -> Any:
    return (context.request_context.meta or {}).get(CALL_KEY)


@asynccontextmanager
async def tools_of(shop: Shop, approval: Approval = "auto") -> AsyncGenerator[McpToolProvider]:
    async with serving(shop.app()) as base:
        at = HttpServer(name="shop", url=f"{base}/mcp", user_argument="user", approval=approval)
        async with provider(at) as tools:
            yield tools


@asynccontextmanager
async def shopping(shop: Shop) -> AsyncGenerator[Stage]:
    api = Api("responses")
    async with (
        ScriptedEndpoint().running() as endpoint,
        tools_of(shop) as tools,
        stage("memory:", endpoint, tools, api) as here,
    ):
        yield Stage(here, endpoint, CountingTools(), api)


async def test_a_person_reads_what_the_server_says_and_else_the_arguments(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop, names = Shop(), ("well", "slow", "wrong", "huge", "empty", "writes", "absent")
    async with shopping(shop) as on:
        on.model(*((f"pay_{name}", {"sum": 5}) for name in names), then="Paid.")
        with caplog.at_level(logging.WARNING):
            thread, shown = await on.ask()
        offered = {tool["name"] for tool in on.endpoint.requests[0]["tools"]}
        assert await on.reload(thread) == shown
        calls = [call for each in await on.kept(thread) for call in each["tool_calls"]]
        well = next(call for call in calls if call["name"] == "pay_well")
        card, said = json.dumps(shown[-1]), on.api.read
        for call in calls:
            decision = "approve" if call is well else "reject"
            await on.answer(thread, call["id"], decision=decision)
        model_reads = str([said(each) for each in on.endpoint.requests])
    words = {call["name"].removeprefix("pay_"): call["proposal"]["words"] for call in calls}
    described = r"Pay **5** <b>to</b> \u202eada\x1b[2J"
    assert words == {**dict.fromkeys(names, ""), "well": described, "huge": "x" * 300 + "…"}
    # as text, beside what it would be called with
    assert json.dumps({"type": "Text", "value": described})[1:-1] in card
    assert card.count('"value": "Pay ') == len(names) - 1
    assert card.count(r"\"sum\": 5") == len(names)
    assert "what pay_slow would do is not described (TimeoutError)" in caplog.text
    assert "Pay **5**" not in model_reads
    # for the person who is asked, under a key that is not the call's
    assert {who: user for who, user, _ in shop.asked} == {"well": on.user, "slow": ""}
    ((payer, key),) = shop.paid
    assert (payer, key) == (on.user, well["id"])
    assert key not in [theirs for _, _, theirs in shop.asked]
    assert offered == {*(f"pay_{name}" for name in names), "say_writes"}


async def test_an_answer_is_stopped_while_a_server_is_asked() -> None:
    shop = Shop()
    async with shopping(shop) as on:
        on.model(("pay_slow", {"sum": 5}))
        asking = asyncio.create_task(on.ask())
        await until(lambda: bool(shop.asked))
        where = f"/api/{on.user}/conversations"
        (thread,) = [each["id"] for each in (await on.client.get(where)).json()["items"]]
        assert await on.cancel(thread)
        await asking
        assert buttons(await on.reload(thread)) == []
        on.endpoint.answers.clear()
        on.endpoint.answer(*on.api.text("Fine."))
        await say(on.client, add(thread, "well?"))
        assert (await on.kept(thread))[-1]["content"] == "Fine."
    assert shop.paid == []


@pytest.mark.parametrize(
    ("approval", "is_asked"), [("always", False), (("pay_well",), True), (("say_well",), False)]
)
async def test_a_tool_that_would_ask_itself_is_not_asked(
    approval: Approval, is_asked: bool
) -> None:
    shop = Shop()
    async with tools_of(shop, approval) as tools:
        user = behalf("alice")
        assert "say_well" not in [tool.name for tool in await tools.tools(user)]
        words = await tools.describe(request("pay_well", sum=5), user)
    assert words == (EVIL if is_asked else "")
    assert bool(shop.asked) is is_asked
