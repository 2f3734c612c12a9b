"""chatbridge behind a real nginx with the configuration of deploy/: what is slow, huge or away."""

import asyncio
import re
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from urllib.parse import urljoin

import httpx
import pytest
import uvicorn

from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from chatbridge.domain.model.limits import MAX_BODY
from tests.chatkit_client import create, events
from tests.ports import free_port
from tests.serving import SECRET, Spawned, spawn
from tests.system.conftest import Start
from tests.system.nginx import Front, fronted, seconds, thoughtless
from tests.tcp_proxy import TcpProxy
from tests.waiting import PATIENCE

MEBI = 2**20
HALF_OPEN = 500
TRIES = 50
ELSEWHERE = "127.0.0.2"
HEAD = b"POST /chatkit HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spawned]:
    spawned = await spawn(
        tmp_path_factory.mktemp("server"),
        CHATBRIDGE_DATABASE__URL="memory:",
        CHATBRIDGE_SECRET=SECRET,
    )
    yield spawned
    spawned.kill()


@pytest.fixture(scope="module")
async def front(server: Spawned) -> AsyncIterator[Front]:
    async with fronted(server.url) as front:
        yield front


@pytest.fixture
async def alice(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    async with front.client(token("alice")) as client:
        yield client


def token(user: str) -> str:
    issuer = JwtTokenIssuer(SECRET.encode())
    caller = Caller(user_id=UserId(user))
    return issuer.issue(caller, audience=DEVELOPMENT, lifetime=timedelta(hours=1)).token


def require_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:chatbridge:problem:{code}"
    assert set(problem) == {"type", "title", "status", "code", "detail"}


async def seconds_until_closed(front: Front, sent: bytes) -> float:
    """How long a connection lives on which only this is sent."""
    reader, writer = await front.connected()
    writer.write(sent)
    began = time.perf_counter()
    # nginx resets it
    with suppress(ConnectionError):
        await reader.read()
    writer.close()
    return time.perf_counter() - began


async def test_who_says_half_a_request_is_let_go(front: Front) -> None:
    header, body = seconds("client_header_timeout"), seconds("client_body_timeout")
    assert (header, body) == (10, 15)
    nothing, half_a_head, half_a_body = await asyncio.gather(
        seconds_until_closed(front, b""),
        seconds_until_closed(front, HEAD),
        seconds_until_closed(front, HEAD + b'Content-Length: 100\r\n\r\n{"type"'),
    )
    assert header - 1 < nothing < header + 5
    assert header - 1 < half_a_head < header + 5
    assert body - 1 < half_a_body < body + 5


async def test_headers_that_drip_are_not_waited_for(front: Front) -> None:
    _, writer = await front.connected()
    writer.write(HEAD)
    began = time.perf_counter()
    while not writer.is_closing() and time.perf_counter() - began < 30:
        with suppress(ConnectionError):
            writer.write(b"X-More: of it\r\n")
            await writer.drain()
        await asyncio.sleep(0.5)
    assert time.perf_counter() - began < seconds("client_header_timeout") + 5


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
async def test_a_huge_body_is_refused_and_never_gets_here(
    server: Spawned, front: Front, announced: bool
) -> None:
    before = server.peak()
    reader, writer = await front.connected()
    length = f"Content-Length: {300 * MEBI}" if announced else "Transfer-Encoding: chunked"
    writer.write(HEAD + f"{length}\r\n\r\n".encode())
    sending = asyncio.create_task(_pour(writer, 300 * MEBI, chunked=not announced))
    line = await reader.readline()
    sending.cancel()
    writer.close()
    assert line == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    assert server.peak() - before <= 1024


async def _pour(writer: StreamWriter, size: int, *, chunked: bool) -> None:
    piece = b"x" * 65_536
    framed = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
    for _ in range(size // len(piece)):
        writer.write(framed)
        await writer.drain()


async def test_the_limit_of_a_body_is_chatbridges_own(alice: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    largest = await alice.post("/chatkit", content=b" " * MAX_BODY, headers=headers)
    require_problem(largest, 422, "malformed_json")
    larger = await alice.post("/chatkit", content=b" " * (MAX_BODY + 1), headers=headers)
    require_problem(larger, 413, "too_large")


async def test_a_file_goes_on_as_it_comes_and_back(front: Front, alice: httpx.AsyncClient) -> None:
    file = b"milk,oats\n" * 300_000
    params = {"name": "a.csv", "mime_type": "text/csv", "size": len(file)}
    asked = {"type": "attachments.create", "params": params}
    new = (await alice.post("/chatkit", json=asked)).json()
    how = new["upload_descriptor"]
    assert how["url"].startswith(f"{front.url}/attachments/")
    path = how["url"].removeprefix(front.url)
    # refused by its address alone, when next to nothing of it has come
    reader, writer = await front.connected()
    wrong = path.replace("until=", "until=1")
    writer.write(f"PUT {wrong} HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nm".encode())
    async with asyncio.timeout(PATIENCE):
        assert await reader.readline() == b"HTTP/1.1 403 Forbidden\r\n"
    writer.close()
    assert (await alice.put(path, content=file)).status_code == 204
    got = await alice.get(f"/api/alice/attachments/{new['id']}")
    assert (got.status_code, got.content) == (200, file)
    form = {"file": ("b.csv", file, "text/csv")}
    assert (await alice.post("/chatkit/attachments", files=form)).json()["name"] == "b.csv"
    refused = await alice.put(path, content=b"x" * 27 * MEBI)
    require_problem(refused, 422, "attachment_too_large")


async def test_the_longest_token_gets_here(front: Front) -> None:
    async with front.client("x" * 8192) as client:
        require_problem(await client.get("/api/alice/tasks"), 401, "token_malformed")


async def test_an_answer_is_not_held_back(alice: httpx.AsyncClient) -> None:
    request = create("rehearse a slow tool for 1 seconds")
    async with alice.stream("POST", "/chatkit", json=request) as response:
        assert response.status_code == 200
        times = [time.perf_counter() async for _ in events(response)]
    assert times[-1] - times[0] > 0.5


async def test_half_open_connections_cost_others_nothing(front: Front) -> None:
    async with front.client() as client, AsyncExitStack() as open_ones:
        alone = await _seconds_of(client)
        for _ in range(HALF_OPEN):
            _, writer = await front.connected(ELSEWHERE)
            open_ones.callback(writer.close)
            writer.write(HEAD[:-9])
        among_them = await _seconds_of(client)
    assert among_them < 10 * alone + 1, f"{alone:.3f} s alone, {among_them:.3f} s among them"


async def _seconds_of(client: httpx.AsyncClient) -> float:
    answers = [await client.get("/healthz") for _ in range(TRIES)]
    assert all(answer.status_code == 200 for answer in answers)
    return sum(answer.elapsed.total_seconds() for answer in answers)


async def test_one_address_can_keep_only_so_many_requests_open(front: Front) -> None:
    async with AsyncExitStack() as open_ones:
        readers: list[StreamReader] = []
        for _ in range(201):
            reader, writer = await front.connected(ELSEWHERE)
            open_ones.callback(writer.close)
            writer.write(HEAD + b"Content-Length: 100\r\n\r\n")
            readers.append(reader)
        last = await _first(readers)
        async with front.client() as client:
            assert (await client.get("/healthz")).status_code == 200
    require_problem(last, 429, "too_many_requests")
    assert last.headers["retry-after"] == "1"


async def test_a_prefix_leads_here(server: Spawned) -> None:
    async with fronted(server.url, prefix="/chat/") as front, front.client(token("bob")) as bob:
        assert (await bob.get("/chat/")).status_code == 200
        assert (await bob.get("/healthz")).status_code == 404
        request = create("rehearse a slow tool for 20 seconds")
        async with bob.stream("POST", "/chat/chatkit", json=request) as response:
            found = re.fullmatch(r'<([^>]+)>; rel="stop"', response.headers["link"])
            assert found
            stop = urljoin(str(response.request.url), found[1])
            assert urljoin(front.url, "/chat/chatkit/threads/") in stop
            assert (await bob.post(stop)).json() == {"cancelled": True}
            async with asyncio.timeout(10):
                told = [event async for event in events(response)]
    assert told


async def test_chatbridge_learns_who_asks_and_how(alice: httpx.AsyncClient, front: Front) -> None:
    session = await alice.post("/api/alice/chatkit/session")
    assert session.json()["api_url"] == f"{front.url}/chatkit"


async def test_nobody_is_anybody_through_a_proxy_that_says_nothing_of_itself(
    server: Spawned,
) -> None:
    """With nginx's own defaults chatbridge sees a client on its own machine, at its own address."""
    somebody = {"Host": "chat.example.com"}
    async with (
        thoughtless(server.url) as url,
        httpx.AsyncClient(base_url=url, headers=somebody) as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        refused = await client.post("/development/token", json={"user": "alice"})
        require_problem(refused, 401, "key_missing")
        assert server.key not in (await client.get("/development")).text
        assert server.key not in (await client.get("/")).text
        client.headers["Authorization"] = f"Bearer {server.key}"
        assert (await client.post("/development/token", json={"user": "alice"})).is_success


async def test_what_is_not_encrypted_is_sent_where_it_is(front: Front) -> None:
    async with httpx.AsyncClient() as client:
        url, odd = f"http://127.0.0.1:{front.plain_port}/chatkit?a=b", {"Host": "evil.example"}
        answers = [await client.get(url), await client.get(url, headers=odd)]
    assert [answer.status_code for answer in answers] == [301, 301]
    there = {answer.headers["location"] for answer in answers}
    assert there == {"https://chat.example.com/chatkit?a=b"}


async def test_requests_share_connections(server: Spawned) -> None:
    url = httpx.URL(server.url)
    proxy = TcpProxy(url.host, url.port or 80)
    await proxy.start()
    async with fronted(f"http://127.0.0.1:{proxy.port}") as front, front.client() as client:
        for _ in range(20):
            assert (await client.get("/healthz")).status_code == 200
    await proxy.stop()
    assert len(proxy.trips) == 20
    # one for each of nginx's workers that was asked
    assert len({trip.connection for trip in proxy.trips}) <= 4


def test_nginx_ends_idle_connections_before_chatbridge_does() -> None:
    own = uvicorn.Config(None, host="127.0.0.1").timeout_keep_alive
    assert seconds("keepalive_timeout") < own


async def test_a_replica_that_is_gone_costs_no_request(server: Spawned) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with fronted(gone, server.url) as front, front.client(token("eve")) as eve:
        for _ in range(4):
            answer = await eve.post("/api/eve/chat", json={"message": "hello"})
            assert answer.status_code == 200
            assert (await eve.get("/api/eve/tasks")).status_code == 200


async def test_an_answer_goes_on_at_whichever_replica_is_asked(
    fresh_database: str, start: Start
) -> None:
    replicas = [await start(fresh_database) for _ in range(2)]
    urls = [replica.url for replica in replicas]
    ids: list[str] = []
    async with fronted(*urls) as front, front.client(token("fay")) as fay, asyncio.timeout(60):
        request = create("rehearse a long answer of 100 words")
        headers = {"X-Chatbridge-Stream": "resumable"}
        async with fay.stream("POST", "/chatkit", json=request, headers=headers) as response:
            path = f"/chatkit/threads/{response.headers['x-conversation-id']}/events"
            ids += await _some_ids(response)
        while True:
            headers = {"Last-Event-ID": ids[-1]}
            async with fay.stream("GET", path, headers=headers) as response:
                assert response.status_code == 200
                if not (more := await _some_ids(response)):
                    break
                ids += more
    turn, _ = ids[0].split("/")
    assert ids == [f"{turn}/{number}" for number in range(1, len(ids) + 1)]
    assert len(ids) > 25


async def _some_ids(response: httpx.Response) -> list[str]:
    """The ids of the next frames, of eight at most."""
    found: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("id: "):
            found.append(line.removeprefix("id: "))
        if len(found) == 8:
            break
    return found


async def test_no_replica_is_a_problem_document() -> None:
    async with fronted(f"http://127.0.0.1:{free_port()}") as front, front.client() as client:
        answer = await client.get("/healthz")
    require_problem(answer, 503, "server_away")
    assert answer.headers["retry-after"] == "1"


async def _first(readers: list[StreamReader]) -> httpx.Response:
    """The answer that comes first; which worker of nginx's counts whose is chance."""
    asking = [asyncio.create_task(_whole(reader)) for reader in readers]
    try:
        async with asyncio.timeout(PATIENCE):
            done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        return await done.pop()
    finally:
        for each in asking:
            each.cancel()
        await asyncio.wait(asking)


async def _whole(reader: StreamReader) -> httpx.Response:
    """The answer on a bare connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers["Content-Length"]))
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)
