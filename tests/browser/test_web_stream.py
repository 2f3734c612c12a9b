"""The web app between a browser and chatbridge: what it passes on, and when."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from scripts import web as scripts_web
from scripts.web import Child, Web
from tests.browser.endpoint import PATIENCE
from tests.browser.in_this_loop import served_here
from tests.browser.web_stack import PASSWORD, environment
from tests.files_of_people import PDF, picture
from tests.ports import free_port

EVENTS = 40
PAUSE = 0.025
PART = b"x" * 1_000_000


class Source:
    """What stands where chatbridge would: 40 events, and a note of all that reaches it."""

    url: str

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self.sent: list[float] = []
        self.headers: dict[str, str] = {}
        self.body = b""
        self.left = asyncio.Event()
        self.query = ""
        self.endless = self.breaks = self.idle = False
        self.came = asyncio.Event()
        self.cache_control = "no-cache, no-transform"

    async def answer(self, request: Request) -> Response:
        """POST /chatkit, and GET of an answer's events."""
        self.headers, self.body = dict(request.headers), await request.body()
        self.query = request.url.query
        if self.idle:
            return Response(status_code=204)
        return StreamingResponse(
            self._events(),
            media_type="text/event-stream",
            headers={
                "Cache-Control": self.cache_control,
                "Link": '<chatkit/threads/thr_1/cancel>; rel="stop"',
                "Set-Cookie": "source=1",
                "X-Chatbridge-Stream": "resumable",
                "X-Conversation-Id": "thr_1",
                "X-Turn-Id": "turn_1",
                "X-Inside": "a secret",
            },
        )

    async def file(self, request: Request) -> Response:
        """PUT and GET of a file: what has come so far is seen at once, and so is what is sent."""
        self.headers, self.query = dict(request.headers), request.url.query
        if request.method == "PUT":
            async for part in request.stream():
                self.body += part
                self.came.set()
            return Response(status_code=204)
        headers = {
            "Cache-Control": "private, max-age=300",
            "Content-Disposition": "inline",
            "Content-Length": str(2 * len(PART)),
        }
        return StreamingResponse(self._halves(), media_type="image/png", headers=headers)

    async def _halves(self) -> AsyncIterator[bytes]:
        yield PART
        await self.came.wait()
        yield PART

    async def _events(self) -> AsyncIterator[str]:
        try:
            while self.endless or len(self.sent) < EVENTS:
                self.sent.append(time.monotonic())
                yield f'data: {{"event": {len(self.sent)}, "text": "{"word " * 20}"}}\n\n'
                if self.breaks and len(self.sent) == EVENTS // 2:
                    raise ConnectionError("as the test wanted it")
                await asyncio.sleep(PAUSE)
        finally:
            self.left.set()


@pytest.fixture(scope="module")
async def sources() -> AsyncIterator[Source]:
    """The server of `source`."""
    source = Source()
    routes = [
        Route("/chatkit", source.answer, methods=["POST"]),
        Route("/chatkit/threads/thr_1/events", source.answer),
        Route("/attachments/att_1", source.file, methods=["GET", "PUT"]),
    ]
    async with served_here(Starlette(routes=routes)) as url:
        source.url = url
        yield source


@pytest.fixture
def source(sources: Source) -> Source:
    """The source, which has not been asked yet."""
    sources.forget()
    return sources


@asynccontextmanager
async def next_start(directory: Path, ready_at: str, **more: str) -> AsyncGenerator[str]:
    """`next start` of the app in `directory`; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    child = Child(
        name="next start",
        command=[
            scripts_web.node(),
            str(scripts_web.NEXT),
            "start",
            "-H",
            "127.0.0.1",
            "-p",
            str(port),
        ],
        directory=directory,
        environment=environment(NEXT_TELEMETRY_DISABLED="1", NODE_ENV="production", **more)
        | {"BETTER_AUTH_URL": url},
        log=directory / ".next" / f"{port}.log",
        ready_at=url + ready_at,
    )
    try:
        await asyncio.to_thread(child.start)
        yield url
    finally:
        await asyncio.to_thread(child.stop)
        child.log.unlink()


@pytest.fixture(scope="module")
async def app(web: Web, sources: Source) -> AsyncIterator[str]:
    """The web app in front of the source; its way to it."""
    more = {
        "CHATBRIDGE_URL": sources.url,
        "DATABASE_URL": web.app.environment["DATABASE_URL"],
        "BETTER_AUTH_SECRET": web.app.environment["BETTER_AUTH_SECRET"],
    }
    async with next_start(scripts_web.FRONTEND, "/api/auth/ok", **more) as url:
        yield f"{url}/api/chatbridge/chatkit"


REWRITES = """export default {
  turbopack: { root: import.meta.dirname + "/.." },
  rewrites: () => [{ source: "/chatkit", destination: process.env.CHATBRIDGE_URL + "/chatkit" }],
};
"""


@pytest.fixture(scope="module")
async def rewriting_app(web: Web, sources: Source) -> AsyncIterator[str]:
    """What it would be with nothing but a rewrite in `next.config`."""
    directory = scripts_web.FRONTEND / ".rewrites"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "pages").mkdir(parents=True)
    (directory / "pages" / "index.js").write_text("export default () => null;\n")
    (directory / "instrumentation.js").write_text("export function register() {}\n")
    (directory / "next.config.mjs").write_text(REWRITES)
    (directory / "package.json").write_text('{"private": true}\n')
    more = {"CHATBRIDGE_URL": sources.url}
    try:
        await asyncio.to_thread(
            subprocess.run,
            [scripts_web.node(), str(scripts_web.NEXT), "build"],
            cwd=directory,
            env=environment(NEXT_TELEMETRY_DISABLED="1", **more),
            check=True,
            capture_output=True,
        )
        async with next_start(directory, "/", **more) as url:
            yield f"{url}/chatkit"
    finally:
        shutil.rmtree(directory)


async def arrivals(url: str, encoding: str, method: str = "POST") -> list[float]:
    """When each event came."""
    came: list[float] = []
    async with (
        httpx.AsyncClient(headers={"Accept-Encoding": encoding}, timeout=20) as client,
        client.stream(method, url, json={"type": "x"} if method == "POST" else None) as response,
    ):
        assert response.status_code == 200
        text = ""
        async for piece in response.aiter_text():
            text += piece
            came += [time.monotonic()] * (text.count("\n\n") - len(came))
    assert len(came) == EVENTS
    return came


def stretch(came: list[float], sent: list[float]) -> float:
    """How long the events took to come, as a part of how long they took to be sent."""
    return (came[-1] - came[0]) / (sent[-1] - sent[0])


@pytest.mark.parametrize("encoding", ["identity", "gzip", "gzip, deflate, br, zstd"])
@pytest.mark.parametrize("cache_control", ["no-cache, no-transform", "no-cache"])
async def test_a_stream_arrives_as_it_was_sent(
    app: str, source: Source, encoding: str, cache_control: str
) -> None:
    source.cache_control = cache_control
    came = await arrivals(app, encoding.replace(", br, zstd", ""))
    assert stretch(came, source.sent) >= 0.6
    delays = sorted(c - s for c, s in zip(came, source.sent, strict=True))
    # what is read at last was written at last: nothing is held until the next event
    assert delays[EVENTS // 2] < max(b - a for a, b in pairwise(source.sent)) * 4


async def test_an_answer_that_is_taken_up_again_arrives_as_it_is_sent(
    app: str, source: Source
) -> None:
    came = await arrivals(f"{app}/threads/thr_1/events", "gzip", "GET")
    assert stretch(came, source.sent) >= 0.6


async def test_where_no_answer_is_running_the_app_says_so_too(app: str, source: Source) -> None:
    source.idle = True
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.get(f"{app}/threads/thr_1/events")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_with_a_rewrite_instead_it_would_come_all_at_once(
    rewriting_app: str, source: Source
) -> None:
    source.cache_control = "no-cache"
    came = await arrivals(rewriting_app, "gzip")
    assert stretch(came, source.sent) < 0.6


@pytest.mark.parametrize(("method", "below"), [("POST", ""), ("GET", "/threads/thr_1/events")])
async def test_a_reader_who_leaves_is_noticed(
    app: str, source: Source, method: str, below: str
) -> None:
    source.endless = True
    body = {"type": "x"} if method == "POST" else None
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream(method, app + below, json=body) as response,
    ):
        async for _ in response.aiter_raw():
            break
    async with asyncio.timeout(PATIENCE):
        await source.left.wait()


async def test_a_stream_that_breaks_off_does_not_look_whole(app: str, source: Source) -> None:
    source.breaks = True
    with pytest.raises(httpx.TransportError):
        await arrivals(app, "identity")


async def test_only_the_headers_that_are_meant_for_it_reach_the_server(
    app: str, source: Source
) -> None:
    origin = app.partition("/api/")[0]
    account = {"name": "Hed", "email": "hed@example.com", "password": PASSWORD}
    sent = {
        "X-Forwarded-For": "10.0.0.1",
        "X-Evil": "1",
        "X-Request-Id": "req-1",
        "ChatKit-Frame-Instance-Id": "frame-1",
        "Accept-Language": "de",
        "Idempotency-Key": "key-1",
        "Last-Event-ID": "turn_1/7",
        "X-Chatbridge-On-Busy": "interrupt",
        "X-Chatbridge-Stream": "resumable",
    }
    async with httpx.AsyncClient(headers=sent, timeout=20) as client:
        sign_up = f"{origin}/api/auth/sign-up/email"
        await client.post(sign_up, headers={"Origin": origin}, json=account)
        token = (await client.get(f"{origin}/api/auth/token")).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        answer = await client.post(app, json={"type": "x"})
        here = source.headers
        await client.get(f"{app}/threads/thr_1/events", params={"after": "turn_1/7"})
    assert source.query == "after=turn_1%2F7"
    for passed in ("Idempotency-Key", "Last-Event-ID"):
        assert here[passed.lower()] == source.headers[passed.lower()] == sent[passed]
    assert here["x-chatbridge-on-busy"] == "interrupt"
    assert here["x-chatbridge-stream"] == "resumable"
    assert here["authorization"] == f"Bearer {token}"
    assert here["x-request-id"] == "req-1"
    assert here["chatkit-frame-instance-id"] == "frame-1"
    assert here["accept-language"] == "de"
    assert not {"cookie", "x-evil", "x-forwarded-for", "x-forwarded-host"} & here.keys()
    assert answer.headers["link"] == '<chatkit/threads/thr_1/cancel>; rel="stop"'
    assert answer.headers["x-conversation-id"] == "thr_1"
    assert answer.headers["x-turn-id"] == "turn_1"
    assert answer.headers["x-chatbridge-stream"] == "resumable"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert not {"set-cookie", "x-inside", "x-powered-by"} & answer.headers.keys()


async def test_a_long_message_is_passed_on_whole(app: str, source: Source) -> None:
    text: Any = "x" * 900_000
    async with httpx.AsyncClient(timeout=20) as client:
        await client.post(app, json={"text": text})
        assert len(source.body) > len(text)
        refused = await client.post(app, json={"text": text * 2})
    assert refused.status_code == 413


async def test_a_file_is_passed_on_as_it_comes_either_way(app: str, source: Source) -> None:
    url = app.replace("/chatkit", "/attachments/att_1?until=9&signature=f")

    async def halves() -> AsyncIterator[bytes]:
        yield PART
        await source.came.wait()
        yield PART

    async with httpx.AsyncClient(timeout=20, cookies={"a": "secret"}) as client:
        sent = {"Content-Type": "image/png"}
        assert (await client.put(url, content=halves(), headers=sent)).status_code == 204
        assert source.body == PART * 2
        assert (source.query, source.headers["content-type"]) == (
            "until=9&signature=f",
            "image/png",
        )
        assert "cookie" not in source.headers
        source.came.clear()
        async with client.stream("GET", url) as answer:
            got = b""
            async for part in answer.aiter_bytes():
                got += part
                source.came.set()
    assert got == PART * 2
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=300"
    assert answer.headers["content-disposition"] == "inline"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_files_come_to_chatbridge_and_back_by_the_app_alone(web: Web) -> None:
    account = {"name": "Fil", "email": "fil@example.com", "password": PASSWORD}
    way = f"{web.url}/api/chatbridge"
    async with httpx.AsyncClient(timeout=20) as page, httpx.AsyncClient() as image:
        sign_up = f"{web.url}/api/auth/sign-up/email"
        await page.post(sign_up, headers={"Origin": web.url}, json=account)
        token = (await page.get(f"{web.url}/api/auth/token")).json()["token"]
        asked = {"Authorization": f"Bearer {token}"}
        params = {"name": "cat.png", "mime_type": "image/png", "size": 1_000}
        create = {"type": "attachments.create", "params": params}
        new = (await page.post(f"{way}/chatkit", json=create, headers=asked)).json()
        how = new["upload_descriptor"]
        assert how["url"].startswith(f"{way}/attachments/{new['id']}?")
        put = await page.put(how["url"], headers=how["headers"], content=picture())
        assert (put.status_code, put.content) == (204, b"")
        assert new["preview_url"].startswith(f"{way}/attachments/")
        shown = await image.get(new["preview_url"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
        part = await image.get(new["preview_url"], headers={"range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, b"PNG")
        assert part.headers["content-range"] == f"bytes 1-3/{len(shown.content)}"
        form = {"file": ("a.pdf", PDF, "application/pdf")}
        assert (await page.post(f"{way}/chatkit/attachments", files=form)).status_code == 401
        brought = await page.post(f"{way}/chatkit/attachments", files=form, headers=asked)
        assert brought.json()["name"] == "a.pdf"
        new = (await page.post(f"{way}/chatkit", json=create, headers=asked)).json()
        # refused by its length before it is read, and in the middle of it
        for huge in (PART * 26, several(PART, 3)):
            refused = await page.put(new["upload_descriptor"]["url"], content=huge)
            assert (refused.status_code, refused.json()["code"]) == (422, "attachment_too_large")


async def several(part: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield part
