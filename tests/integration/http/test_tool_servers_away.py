"""A tool server that goes and comes while people chat: what they see of it on both surfaces."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from tests.chatkit_client import Json, add, create, items, say, shown, text_of, without_times
from tests.integration.http.asking import somebody
from tests.integration.tool_servers import Probe, probe_at, serving
from tests.ports import free_port
from tests.serving import Served, served, settings_for

# every turn asks anew
AT_ONCE = ListingTimes(fresh=0, rest=0)
AWAY = "Tools of weather: Failed"


@asynccontextmanager
async def chatting(store_url: str, port: int) -> AsyncGenerator[Served]:
    """chatbridge with one tool server, which may be at the port."""
    weather = probe_at(f"http://127.0.0.1:{port}", name="weather")
    tools = McpToolProvider([weather], times=AT_ONCE)
    async with served(
        settings_for(store_url), lambda container: container.tools.override(tools)
    ) as service:
        yield service


def badges_in(told: list[Json]) -> list[str]:
    return [item["copy_text"] for item in told if item["type"] == "widget"]


async def reloaded(http: httpx.AsyncClient, thread: str) -> list[Json]:
    response = await http.post("/chatkit", json=items(thread))
    return [without_times(item) for item in response.json()["data"]]


async def test_the_chat_goes_on_without_it_and_says_so_once(store_url: str) -> None:
    async with chatting(store_url, free_port()) as service:
        http = service.as_user(somebody())
        thread, first = await say(http, create("add a task: buy oat milk"))
        _, second = await say(http, add(thread, "hello"))

        assert badges_in(shown(first)) == [AWAY]
        assert "'weather' is not available right now" in str(first)
        assert text_of(shown(first)[-1]).startswith("The task tools are not available")
        assert badges_in(shown(second)) == []
        assert text_of(shown(second)[-1])
        assert await reloaded(http, thread) == shown(first) + shown(second)


async def test_it_is_said_again_when_it_goes_again(store_url: str) -> None:
    port = free_port()
    async with chatting(store_url, port) as service:
        http = service.as_user(somebody())
        thread, down = await say(http, create("hello"))
        async with serving(Probe().app(), port):
            _, up = await say(http, add(thread, "hello"))
        _, down_again = await say(http, add(thread, "hello"))

    assert [badges_in(shown(told)) for told in (down, up, down_again)] == [[AWAY], [], [AWAY]]


async def test_the_rest_surface_says_it_too(store_url: str) -> None:
    user = somebody()
    async with chatting(store_url, free_port()) as service:
        http = service.as_user(user)
        answer = (await http.post(f"/api/{user}/chat", json={"message": "hello"})).json()
        path = f"/api/{user}/conversations/{answer['conversation_id']}/messages"
        kept = (await http.get(path)).json()["items"]

    [call] = answer["messages"][0]["tool_calls"]
    assert (call["name"], call["state"]) == ("tools of weather", "failed")
    assert "not available right now" in call["output"]
    assert [m["tool_calls"] for m in kept if m["tool_calls"]] == [[call]]
