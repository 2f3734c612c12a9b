"""Tool servers that are slow, hang, go down, change and come back."""

import asyncio
from typing import Any

import pytest

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.domain.model.tool import ToolResult
from tests.integration.tool_servers import (
    Probe,
    behalf,
    names,
    older,
    probe_at,
    provider,
    request,
    serving,
    started,
)
from tests.ports import free_port
from tests.waiting import until

ALICE, BOB = behalf("alice"), behalf("bob")
QUICK = ListingTimes(fresh=0.2, rest=0.2)
UNREACHED = "The tool server 'probe' can't be reached right now."


# slow and cancelled


async def test_a_tool_that_takes_too_long_is_called_once_and_told_to_stop() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base, timeout=0.5)) as tools:
        await tools.tools(ALICE)
        result = await tools.call(request("slow", seconds=5), ALICE)
        await until(lambda: probe.log == ["start", "cancelled"])
        assert not (await tools.call(request("echo", text="hi"), ALICE)).failed

    assert (result.failed, result.unknown) == (True, True)
    assert result.output == (
        "The tool did not answer within 0.5 s; whether the tool did its work is unknown. "
        "Check before trying again."
    )


async def test_cancelling_a_call_cancels_the_tool_and_no_other_call() -> None:
    probe = Probe()
    async with serving(probe.app()) as base, provider(probe_at(base)) as tools:
        await tools.tools(ALICE)
        other = asyncio.create_task(tools.call(request("slow", seconds=0.6), BOB))
        call = asyncio.create_task(tools.call(request("slow", seconds=5), ALICE))
        await until(lambda: probe.log == ["start", "start"])
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert (await other).output == "slept"
        await until(lambda: "cancelled" in probe.log)
    assert sorted(probe.log) == ["cancelled", "end", "start", "start"]


async def test_an_older_server_that_hangs_is_left_in_time() -> None:
    probe = Probe(stateless=False)
    inner = older(probe.app())

    async def never_letting_go(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") == "DELETE":
            await asyncio.sleep(30)
        await inner(scope, receive, send)

    async with (
        serving(never_letting_go) as base,
        provider(probe_at(base, timeout=0.5)) as tools,
    ):
        assert await names(tools)
        async with asyncio.timeout(10):
            result = await tools.call(request("slow", seconds=20), ALICE)

    assert "did not answer within 0.5 s" in result.output
    assert probe.log == ["start", "cancelled"]


# down


async def test_a_server_that_is_down_costs_only_its_own_tools() -> None:
    down = HttpServer(name="down", url=f"http://127.0.0.1:{free_port()}/mcp")
    async with serving(Probe().app()) as base, provider(down, probe_at(base)) as tools:
        assert "echo" in await names(tools)
        assert [away.source for away in tools.away(ALICE)] == ["down"]


async def test_a_server_that_is_down_at_the_start_is_there_when_it_comes_up() -> None:
    port = free_port()
    async with provider(probe_at(f"http://127.0.0.1:{port}"), times=QUICK) as tools:
        assert await names(tools) == []
        assert (await tools.call(request("echo", text="hi"), ALICE)).failed
        async with serving(Probe().app(), port):
            await asyncio.sleep(QUICK.rest)
            assert "echo" in await names(tools)
            assert (await tools.call(request("echo", text="hi"), ALICE)).output == "hi"


async def test_a_server_is_away_since_it_could_first_not_be_asked() -> None:
    at_once = ListingTimes(fresh=0, rest=0)
    port = free_port()
    async with provider(probe_at(f"http://127.0.0.1:{port}"), times=at_once) as tools:
        await names(tools)
        first = tools.away(ALICE)
        await names(tools)
        assert tools.away(ALICE) == first
        async with serving(Probe().app(), port):
            await names(tools)
            assert tools.away(ALICE) == ()
        await names(tools)
        assert tools.away(ALICE)[0].since > first[0].since


async def test_a_restarted_server_is_simply_asked_again() -> None:
    probe, port = Probe(), free_port()
    async with provider(probe_at(f"http://127.0.0.1:{port}"), times=QUICK) as tools:
        async with serving(probe.app(), port):
            await tools.call(request("echo", text="1"), ALICE)
            listed = await names(tools)
        away = await tools.call(request("echo", text="2"), ALICE)
        await asyncio.sleep(QUICK.fresh)
        stale = await names(tools)
        async with serving(probe.app(), port):
            back = await tools.call(request("echo", text="3"), ALICE)

    assert away == ToolResult(output=UNREACHED, failed=True)
    assert stale == listed
    assert (back.output, back.failed) == ("3", False)
    assert probe.log == ["echo 1", "echo 3"]


async def test_a_server_that_goes_down_in_the_middle_of_a_call_is_not_asked_again() -> None:
    probe, port = Probe(), free_port()
    running = await started(probe.app(), port)
    async with provider(probe_at(f"http://127.0.0.1:{port}")) as tools:
        await tools.tools(ALICE)
        call = asyncio.create_task(tools.call(request("slow", seconds=5), ALICE))
        await until(lambda: "start" in probe.log)
        await running.stop()
        async with serving(probe.app(), port):
            result = await call
            again = await tools.call(request("echo", text="hi"), ALICE)

    assert result.unknown
    assert "whether the tool did its work is unknown" in result.output
    assert probe.log.count("start") == 1
    assert again.output == "hi"


async def test_a_server_that_hangs_delays_a_turn_shortly_and_the_next_not_at_all() -> None:
    asked = 0

    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        nonlocal asked
        if scope["type"] == "http":
            asked += 1
            await asyncio.sleep(30)

    times = ListingTimes(patience=0.5, rest=60)
    async with serving(hanging) as base, provider(probe_at(base), times=times) as tools:
        async with asyncio.timeout(10):
            await asyncio.gather(*(tools.tools(ALICE) for _ in range(5)))
        assert asked == 1
        assert await names(tools) == []

    assert asked == 1


async def test_a_call_that_fails_does_not_have_a_hanging_server_asked_for_its_list() -> None:
    asked: list[str] = []
    hangs = False
    sound = Probe().app()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", []))
        asked.append(headers.get(b"mcp-method", b"").decode())
        if hangs:
            await asyncio.sleep(30)
        await sound(scope, receive, send)

    times = ListingTimes(fresh=0, patience=0.5, rest=60)
    async with serving(app) as base, provider(probe_at(base, timeout=0.5), times=times) as tools:
        listed = await names(tools)
        hangs = True
        assert await names(tools) == listed
        before = asked.count("tools/list")
        assert (await tools.call(request("echo", text="hi"), ALICE)).unknown
        assert await names(tools) == listed

    assert asked.count("tools/list") == before


# changed


async def test_a_list_that_changes_is_followed() -> None:
    port = free_port()
    before, after = Probe(offered=("echo", "fail")), Probe(offered=("fail", "slow"))
    async with provider(probe_at(f"http://127.0.0.1:{port}"), times=QUICK) as tools:
        async with serving(before.app(), port):
            assert await names(tools) == ["echo", "fail"]
        async with serving(after.app(), port):
            await asyncio.sleep(QUICK.fresh)
            assert await names(tools) == ["fail", "slow"]
            gone = await tools.call(request("echo", text="hi"), ALICE)
            new = await tools.call(request("slow", seconds=0), ALICE)

    assert gone.failed
    assert "echo" in gone.output
    assert (new.output, new.failed) == ("slept", False)
