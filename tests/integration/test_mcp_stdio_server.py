"""The agent's tools from a child process, which is killed and comes back."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from tests.integration.tool_servers import behalf, request

ALICE = behalf("alice")
# run with -P: the tests' folders are named after what they test, as modules of the library are
TINY = str(Path(__file__).with_name("tiny_stdio_server.py"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
async def tools(log: Path) -> AsyncIterator[McpToolProvider]:
    server = StdioServer(
        name="tiny",
        command=sys.executable,
        args=["-P", TINY],
        env={"TINY_LOG": str(log)},
        timeout=10,
        starting=30,
        approval=("die",),
    )
    provider = McpToolProvider([server])
    yield provider
    await provider.close()


async def process_of(tools: McpToolProvider) -> int:
    result = await tools.call(request("process"), ALICE)
    assert not result.failed, result.output
    return int(result.output)


def noted(log: Path) -> list[str]:
    return log.read_text().split()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_process_serves_all_calls_and_ends_with_the_provider(
    tools: McpToolProvider,
) -> None:
    listed = await tools.tools(ALICE)
    processes = {await process_of(tools) for _ in range(3)}
    (process,) = processes
    failed = await tools.call(request("fail"), ALICE)
    await tools.close()

    assert [t.name for t in listed] == ["process", "die", "meet", "fail", "flood", "key"]
    assert {t.name: t.asks for t in listed if t.asks} == {"die": "approval"}
    assert (failed.output, failed.failed) == ("“No.”", True)
    assert not alive(process)


async def test_calls_to_one_process_do_not_wait_for_each_other(tools: McpToolProvider) -> None:
    results = await asyncio.gather(
        *(tools.call(request("meet"), behalf(f"user{n}")) for n in range(8))
    )

    assert [result.output for result in results] == ["met"] * 8


async def test_a_killed_process_is_started_again_by_the_next_call(tools: McpToolProvider) -> None:
    first = await process_of(tools)
    os.kill(first, signal.SIGKILL)
    await asyncio.sleep(0.5)
    second = await process_of(tools)

    assert second != first


async def test_a_call_during_which_the_process_dies_is_not_repeated(
    tools: McpToolProvider, log: Path
) -> None:
    await tools.tools(ALICE)
    result = await tools.call(request("die"), ALICE)
    await process_of(tools)

    assert result.failed
    assert "whether the tool did its work is unknown" in result.output
    assert noted(log) == ["die", "process"]


async def test_a_line_that_is_too_long_is_not_read_and_the_next_call_has_a_new_process(
    tools: McpToolProvider,
) -> None:
    first = await process_of(tools)
    result = await tools.call(request("flood"), ALICE)

    assert (result.failed, result.unknown) == (True, False)
    assert "more than 8 MiB in one line, not read" in result.output
    assert await process_of(tools) != first
    await tools.close()
    assert not alive(first)


async def test_the_calls_id_travels_with_it(tools: McpToolProvider) -> None:
    call = request("key")

    assert (await tools.call(call, ALICE)).output == call.call_id


async def test_a_cancelled_caller_leaves_the_process_to_the_others(
    tools: McpToolProvider,
) -> None:
    impatient = asyncio.create_task(tools.call(request("process"), ALICE))
    patient = asyncio.create_task(process_of(tools))
    # both have begun, and neither can have an answer
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == await process_of(tools)
    assert impatient.cancelled()


async def test_a_command_that_does_not_exist_costs_only_its_own_tools() -> None:
    provider = McpToolProvider([StdioServer(name="none", command="/nowhere/at-all")])
    assert await provider.tools(ALICE) == ()
    result = await provider.call(request("fly"), ALICE)
    await provider.close()

    assert result.failed
