"""A tool server's process and the pipes to it: a message a line, and none longer than is read."""

import asyncio
import logging
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from anyio.abc import Process as AnyioProcess
from mcp import StdioServerParameters
from mcp.client.stdio import get_default_environment
from mcp.os.posix.utilities import terminate_posix_process_tree
from mcp.shared.message import SessionMessage
from mcp_types import (
    INTERNAL_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from chatbridge.adapters.mcp.envelopes import message_in
from chatbridge.adapters.mcp.exchange import LARGEST_ANSWER

_log = logging.getLogger(__name__)

_CHUNK = 65_536
_ENDING = 2.0
_LAST_WORDS = 0.2
_LONGEST_ASIDE = 1024**2
_MOST_ASIDES = 1_000
_TOO_LONG = f"more than {LARGEST_ANSWER // 1024**2} MiB in one line, not read. Ask for less."
_WORDS = (b'"method"', b'"result"', b'"error"')
_HEAD = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\b')


@asynccontextmanager
async def messages(
    parameters: StdioServerParameters, end: Callable[[], None], aside: Callable[[str], None]
) -> AsyncGenerator[tuple[Any, Any]]:
    """The streams of what it says and is told; `end` is called before they tell that it is over,
    `aside` with each line that it writes to its standard error, up to 1,000 of them.

    It is over too when a line is longer than 8 MiB. On leaving the process is made to end.
    Raises OSError where it can't be started.
    """
    process, transport = await _started(parameters)
    heard, read = anyio.create_memory_object_stream[SessionMessage](0)
    write, told = anyio.create_memory_object_stream[SessionMessage](0)
    pipes = _Pipes(process, end)
    try:
        async with heard, read, write, told, anyio.create_task_group() as group:
            group.start_soon(pipes.hear, heard)
            group.start_soon(pipes.hear_aside, aside)
            group.start_soon(pipes.tell, told, heard)
            try:
                yield read, write
            finally:
                read.close()
                with anyio.CancelScope(shield=True):
                    await _ended(process)
                    with anyio.move_on_after(_LAST_WORDS):
                        await pipes.silent.wait()
                group.cancel_scope.cancel()
    finally:
        transport.close()


class _Pipes:
    def __init__(self, process: Process, end: Callable[[], None]) -> None:
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._stderr = cast(asyncio.StreamReader, process.stderr)
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self.silent = asyncio.Event()
        self._end = end
        self._waiting: dict[Any, str] = {}

    async def hear(self, heard: ObjectSendStream[SessionMessage]) -> None:
        """Pass on what the process says."""
        async with heard:
            try:
                async for line in _lines(self._stdout, LARGEST_ANSWER):
                    message = self._message_in(line)
                    if message is None:
                        await asyncio.sleep(0)
                    else:
                        await heard.send(SessionMessage(message))
                    if len(line) > LARGEST_ANSWER:
                        break
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                _log.debug("a message came after its reader had gone")
            finally:
                self._end()
        # a process that waits until its words are read does not end
        while await self._stdout.read(_CHUNK):
            pass

    async def hear_aside(self, aside: Callable[[str], None]) -> None:
        """Pass on what the process writes to its standard error."""
        said = 0
        async for line in _lines(self._stderr, _LONGEST_ASIDE):
            if line.strip() and said < _MOST_ASIDES:
                aside(line.decode(errors="replace"))
                said += 1
        # it waits until its words are read
        while await self._stderr.read(_CHUNK):
            pass
        self.silent.set()

    async def tell(
        self,
        told: ObjectReceiveStream[SessionMessage],
        heard: ObjectSendStream[SessionMessage],
    ) -> None:
        """Pass on what the process is told."""
        try:
            async for each in told:
                self._note(each.message)
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                self._stdin.write(text.encode() + b"\n")
                await self._stdin.drain()
        except OSError:
            self._end()
            await heard.aclose()

    def _note(self, message: JSONRPCMessage) -> None:
        match message:
            case JSONRPCRequest():
                self._waiting[message.id] = message.method
            case JSONRPCNotification(method="notifications/cancelled", params=dict(params)):
                self._waiting.pop(params.get("requestId"), None)
            case _:
                pass

    def _message_in(self, line: bytes) -> JSONRPCMessage | None:
        if len(line) > LARGEST_ANSWER:
            return self._too_long(line)
        if not any(word in line for word in _WORDS):
            return None
        try:
            message = message_in(line, self._only_call())
        except ValueError:
            return None
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._waiting.pop(message.id, None)
        return message

    def _too_long(self, line: bytes) -> JSONRPCMessage | None:
        head = _HEAD.match(line[:1_000])
        asked = int(head[1]) if head else self._only_call()
        if asked not in self._waiting:
            return None
        error = ErrorData(code=INTERNAL_ERROR, message=_TOO_LONG)
        return JSONRPCError(jsonrpc="2.0", id=asked, error=error)

    # A sloppy server answers a notification with an error, which is no request's.
    def _only_call(self) -> Any:
        calls = [asked for asked, method in self._waiting.items() if method == "tools/call"]
        return calls[0] if len(calls) == 1 else None


async def _lines(pipe: asyncio.StreamReader, longest: int) -> AsyncIterator[bytes]:
    """Each line. Of one that is too long only what was read by then comes, and nothing after it."""
    held = bytearray()
    while len(held) <= longest and (chunk := await pipe.read(_CHUNK)):
        held += chunk
        if b"\n" in chunk:
            *lines, held = held.split(b"\n")
            for line in lines:
                yield bytes(line)
    yield bytes(held)


async def _started(
    parameters: StdioServerParameters,
) -> tuple[Process, asyncio.SubprocessTransport]:
    loop = asyncio.get_running_loop()
    env = get_default_environment() | (parameters.env or {})
    # on Windows a command may be a script, which is found by its ending
    command = shutil.which(parameters.command, path=env.get("PATH")) or parameters.command
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(limit=_CHUNK, loop=loop),
        command,
        *parameters.args,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=env,
        start_new_session=True,
    )
    return Process(transport, protocol, loop), transport


async def _ended(process: Process) -> None:
    """Its input ends, and by force it itself, with all that it has started, where it stays."""
    cast(asyncio.StreamWriter, process.stdin).close()
    try:
        async with asyncio.timeout(_ENDING):
            await process.wait()
            return
    except TimeoutError:
        _log.debug("a tool server's process is ended by force")
    if sys.platform == "win32":
        process.kill()
    else:
        await terminate_posix_process_tree(cast(AnyioProcess, process), _ENDING)
