"""Over httpx and over aiohttp a model's endpoint is the same, whatever happens on the way."""

import asyncio
import socket
import struct
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx2
import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.api import Http
from chatbridge.adapters.openai.models import openai_model
from chatbridge.adapters.openai.over_aiohttp import OverAiohttp
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.turn_event import TurnEvent
from tests.contracts.agent_runner import asking, text_of
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import ScriptedEndpoint, message, responses

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n"
BEGUN = b"".join(responses(message("one two three"))[:4])


@pytest.fixture(params=["httpx", "aiohttp"])
def http(request: pytest.FixtureRequest) -> Http:
    return request.param


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def outcome(url: str, http: Http) -> tuple[str, str]:
    """What the person reads of the answer, and how it ended."""
    patience = Patience(first=20, idle=20, max_seconds=10)
    model = openai_model(
        model="m", base_url=url, api_key=None, api="responses", http=http, patience=patience
    )
    said: list[TurnEvent] = []
    runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="Help.")
    try:
        await runner.run(asking("hello", say=said.append))
    except AgentFailed as failure:
        return text_of(said), failure.code
    finally:
        await model.close()
    return text_of(said), "completed"


@asynccontextmanager
async def served(serve: Serve, scheme: str = "http") -> AsyncGenerator[str]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", 0) as server:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def says(answer: bytes, *, reset: bool = False) -> Serve:
    """Answers a request with these bytes, and then the connection closes or is reset."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        await writer.drain()
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    return serve


@asynccontextmanager
async def troubles() -> AsyncGenerator[dict[str, str]]:
    """Addresses at which something goes wrong on the way, by what it is."""
    again = b"HTTP/1.1 307 Again\r\nlocation: /v1/responses\r\ncontent-length: 0\r\n\r\n"
    serving = {
        "closed at once": says(b""),
        "reset at once": says(b"", reset=True),
        "closed amid the body": says(HEAD + BEGUN),
        "reset amid the body": says(HEAD + BEGUN, reset=True),
        "no HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        "redirected for ever": says(again.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")),
    }
    async with AsyncExitStack() as servers:
        at = {name: await servers.enter_async_context(served(how)) for name, how in serving.items()}
        no_tls = await servers.enter_async_context(served(says(b"HTTP/1.1 400 x\r\n\r\n"), "https"))
        yield at | {
            "nobody listens": "http://127.0.0.1:9/v1",
            "no such name": "http://nowhere.invalid/v1",
            "no TLS": no_tls,
        }


async def test_what_breaks_on_the_way_is_told_as_what_it_is(http: Http) -> None:
    async with troubles() as addresses:
        told = await asyncio.gather(*(outcome(url, http) for url in addresses.values()))
    begun = ("closed amid the body", "reset amid the body")
    assert dict(zip(addresses, told, strict=True)) == {
        name: ("one" if name in begun else "", "model_unavailable") for name in addresses
    }


class Proxy:
    """An HTTP proxy that notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b" ", 2)
        self.asked.append(method.decode())
        host = target.removeprefix(b"http://").split(b"/")[0]
        name, port = host.decode().split(":")
        far, near = await asyncio.open_connection(name, int(port))
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            near.write(head.replace(b"http://" + host, b"", 1))
        await asyncio.gather(_pumped(reader, near), _pumped(far, writer))


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
    writer.close()


async def test_proxies_of_the_environment_are_taken_and_spared(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    answer = says(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
    async with served(proxy) as through, served(answer) as plain, served(answer, "https") as tls:
        monkeypatch.setenv("HTTP_PROXY", through.removesuffix("/v1"))
        monkeypatch.setenv("HTTPS_PROXY", through.removesuffix("/v1"))
        assert await outcome(plain, http) == ("", "model_unauthorized")
        assert proxy.asked == ["POST"]
        assert await outcome(tls, http) == ("", "model_unavailable")
        assert {*proxy.asked[1:]} == {"CONNECT"}
        proxy.asked.clear()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert await outcome(plain, http) == ("", "model_unauthorized")
        assert proxy.asked == []
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert await outcome(plain, http) == ("", "model_unavailable")


async def test_who_stops_lets_go_of_the_connection_and_a_whole_answer_keeps_it(http: Http) -> None:
    async with ScriptedEndpoint().running() as endpoint:
        model = openai_model(
            model="m", base_url=endpoint.url, api_key=None, api="responses", http=http
        )
        runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="Help.")
        for _ in range(2):
            endpoint.answer(*responses(message("one two three")))
            await runner.run(asking("hello"))
        assert endpoint.connections == 1
        heard = asyncio.Event()
        endpoint.answer(BEGUN, ending="silence")
        running = asyncio.create_task(runner.run(asking("hello", say=lambda _: heard.set())))
        await heard.wait()
        running.cancel()
        await asyncio.wait({running})
        while endpoint.serving:
            await asyncio.wait({*endpoint.serving}, timeout=5)
        await model.close()


async def test_a_name_and_a_password_in_the_address_are_sent(http: Http) -> None:
    async with ScriptedEndpoint().running() as endpoint:
        endpoint.answer(*responses(message("one two three")))
        url = endpoint.url.replace("://", "://ada:p%40ss@")
        assert await outcome(url, http) == ("one two three", "completed")
        assert (
            f"authorization: basic {b64encode(b'ada:p@ss').decode().lower()}" in endpoint.heads[0]
        )


async def test_what_takes_too_long_is_still_a_time_out() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with served(silent) as url, OverAiohttp(Patience(), Unoffered(), timeout=0.1) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(url)
