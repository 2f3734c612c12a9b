"""What is read of what a process prints."""

import sys
from collections.abc import Sequence
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from chatbridge.adapters.mcp.child_process import messages

HEARD = "import sys, time; out = sys.stdout.buffer; sys.stdin.readline()\n"
STARTED = '{"jsonrpc": "2.0", "id": 1, "result": {"a": "'
CALL = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/call")
ANOTHER = JSONRPCRequest(jsonrpc="2.0", id=2, method="tools/call")
LIST = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/list")
CANCELLED = JSONRPCNotification(
    jsonrpc="2.0", method="notifications/cancelled", params={"requestId": 2}
)
Told = Sequence[JSONRPCRequest | JSONRPCNotification]


async def said(code: str, told: Told = (CALL,)) -> list[Any]:
    """All messages of a process that waits for as many lines as it is told, and runs the code."""
    ended: list[bool] = []
    heard = HEARD + "sys.stdin.readline();" * (len(told) - 1) + code
    at = StdioServerParameters(command=sys.executable, args=["-ISc", heard])
    async with messages(at, lambda: ended.append(True), print) as (read, write):
        for each in told:
            await write.send(SessionMessage(each))
        found = [each.message async for each in read]
        assert ended
    return found


def endless(begins: str) -> str:
    return f"out.write({begins.encode()!r})\nwhile True: out.write(b'x' * 100_000)"


def printing(*lines: str) -> str:
    return f"print({chr(10).join(lines)!r}, flush=True)"


async def test_a_line_without_end_is_an_error_of_the_call_that_it_answers() -> None:
    (error,) = await said(endless(STARTED), [CALL, ANOTHER])
    assert isinstance(error, JSONRPCError)
    assert (error.id, error.error.message[:16]) == (1, "more than 8 MiB ")


async def test_of_one_call_it_is_the_answer_wherever_its_id_stands() -> None:
    (error,) = await said(endless("x"))
    assert isinstance(error, JSONRPCError)
    assert error.id == 1


async def test_where_nobody_knows_whose_it_is_nobody_is_told() -> None:
    assert await said(endless("x"), [CALL, ANOTHER]) == []


async def test_one_that_is_as_long_as_may_be_is_read() -> None:
    room = 8 * 1024**2 - len(STARTED) - len('"}}')
    (answer,) = await said(f"out.write({STARTED.encode()!r} + b'x' * {room} + b'\"}}}}\\n')")
    assert isinstance(answer, JSONRPCResponse)
    assert len(answer.result["a"]) == room


async def test_what_is_no_message_is_passed_over() -> None:
    found = await said(printing("Hello!", "", "{}", "[1]", '{"id": 1, "result": "done"}'))
    assert [each.result for each in found] == [{"content": "done"}]


@pytest.mark.parametrize("told", [[CALL], [CALL, ANOTHER, CANCELLED]])
async def test_an_answer_without_an_id_is_the_only_calls(told: Told) -> None:
    (error,) = await said(printing('{"jsonrpc": "2.0", "id": null, "error": "no"}'), told)
    assert (error.id, error.error.message) == (1, "no")


@pytest.mark.parametrize("told", [[LIST], [CALL, ANOTHER]])
async def test_it_is_nobodys_where_it_may_be_anothers(told: Told) -> None:
    (error,) = await said(printing('{"jsonrpc": "2.0", "id": null, "error": "no"}'), told)
    assert error.id is None
