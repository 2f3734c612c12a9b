"""Pages of other origins: those that are named may call the API, and nothing is opened besides."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from starlette.types import Message

from chatbridge.entrypoints.cors import add_cors
from chatbridge.entrypoints.page.routes import further_files
from tests.unit.entrypoints.page.test_page import app_of, client_of, production

HERE, ELSEWHERE = "http://localhost:3000", "http://localhost:3001"
OPEN = [
    "/chatkit",
    "/chatkit/threads/conv_1/cancel",
    "/chatkit/threads/conv_1/events",
    "/chatkit/threads/conv_1/feedback",
    "/api/alice/conversations",
]
CLOSED = ["/", "/development/token", "/page/page.js", "/mcp/tasks", "/docs", "/openapi.json"]
NEEDED = (
    "authorization, content-type, accept-language, chatkit-frame-instance-id, "
    "idempotency-key, last-event-id, x-chatbridge-on-busy, x-chatbridge-stream"
)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """An app that names one origin."""
    return app_of(cors_origins=[HERE])


async def preflight(app: Any, path: str, origin: str, **changes: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": NEEDED}
    async with client_of(app) as client:
        return await client.options(path, headers={"Origin": origin, **asked, **changes})


async def asked(app: Any, path: str, origin: str, method: str = "POST") -> httpx.Response:
    async with client_of(app) as client:
        return await client.request(method, path, headers={"Origin": origin})


def opened(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-allow")]


@pytest.mark.parametrize("path", OPEN)
async def test_a_page_of_a_named_origin_may_ask_and_read(app: FastAPI, path: str) -> None:
    told = await preflight(app, path, HERE)
    assert told.status_code == 200
    assert told.headers["access-control-allow-origin"] == HERE
    answer = await asked(app, path, HERE)
    assert answer.json()["code"] == "not_started"
    assert answer.headers["access-control-allow-origin"] == HERE
    assert "Origin" in answer.headers["vary"]
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed == {
        "Link",
        "Retry-After",
        "X-Chatbridge-Feedback",
        "X-Chatbridge-Waiting",
        "X-Chatbridge-Stream",
        "X-Conversation-Id",
        "X-Request-Id",
        "X-Turn-Id",
    }
    assert "access-control-allow-credentials" not in {**told.headers, **answer.headers}


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize(
    "origin",
    [ELSEWHERE, "http://localhost", "https://localhost:3000", f"{HERE}.evil.example", "null", ""],
)
async def test_a_page_of_another_origin_may_not(app: FastAPI, path: str, origin: str) -> None:
    told = await preflight(app, path, origin)
    assert told.status_code == 400
    assert "access-control-allow-origin" not in told.headers
    assert "access-control-allow-origin" not in (await asked(app, path, origin)).headers


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("origin", [HERE, ELSEWHERE])
async def test_nothing_else_is_opened_to_anybody(app: FastAPI, path: str, origin: str) -> None:
    assert not opened(await preflight(app, path, origin))
    for method in ("GET", "POST"):
        assert not opened(await asked(app, path, origin, method))


@pytest.mark.parametrize("name", ["chatkit.js", *further_files()])
async def test_the_element_may_be_loaded_by_a_page_of_a_named_origin(
    app: FastAPI, name: str
) -> None:
    answer = await asked(app, f"/page/{name}", HERE, "GET")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, HERE)
    assert not opened(await asked(app, f"/page/{name}", ELSEWHERE, "GET"))


async def test_a_header_that_nobody_needs_is_refused(app: FastAPI) -> None:
    changes = {"Access-Control-Request-Headers": "x-other"}
    assert (await preflight(app, "/chatkit", HERE, **changes)).status_code == 400


async def test_nobody_is_let_in_where_nobody_is_named() -> None:
    for closed in (production(), app_of(cors_origins="[]")):
        assert not opened(await preflight(closed, "/chatkit", HERE))
        assert not opened(await asked(closed, "/chatkit", HERE))


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        ("http://127.0.0.1:5173", True),
        ("http://localhost", True),
        ("https://[::1]:8443", True),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://evil.example:127", False),
        ("null", False),
    ],
)
async def test_every_page_of_this_machine_is_let_in_in_development(
    origin: str, let_in: bool
) -> None:
    app = app_of()
    for answer in (await preflight(app, "/chatkit", origin), await asked(app, "/chatkit", origin)):
        assert answer.headers.get("access-control-allow-origin") == (origin if let_in else None)


async def test_who_is_not_let_in_is_named_in_the_log_once_with_the_setting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for app, now in ((production(), "none"), (app_of(cors_origins=[HERE]), HERE)):
        caplog.clear()
        for _ in range(3):
            await asked(app, "/chatkit", ELSEWHERE)
            await asked(app, "/chatkit", "null")
            await asked(app, "/chatkit", "http://x\nERROR forged")
            await asked(app, "/chatkit", "http://127.0.0.1:8000")
            await asked(app, "/", ELSEWHERE)
        named, *nameless = [record.getMessage() for record in caplog.records]
        assert named == (
            f"A page of {ELSEWHERE} is not let in: CHATBRIDGE_CORS_ORIGINS names the origins that "
            f"are (now: {now})."
        )
        assert {len(nameless), "forged" in str(nameless)} == {2, False}
        for number in range(100):
            await asked(app, "/chatkit", f"http://a{number}.example")
        assert len(caplog.records) == 20


async def test_below_a_path_of_a_host_the_same_is_open(app: FastAPI) -> None:
    host = FastAPI()
    host.mount("/chat", app)
    assert opened(await preflight(host, "/chat/chatkit", HERE))
    assert not opened(await preflight(host, "/chat/development/token", HERE))


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.com",
        "null",
        "",
        "example.com",
        "https://a.example/",
        "https://a.example/path",
        "https://A.example",
        "https://a.example:443",
        "http://a.example:80",
        "https://u@a.example",
        "ftp://a.example",
        "https://a.example\n",
    ],
)
def test_what_is_no_exact_origin_is_refused_at_start(origin: str) -> None:
    with pytest.raises(ValueError, match="CHATBRIDGE_CORS_ORIGINS"):
        add_cors(FastAPI(), [origin])


async def test_a_stream_goes_through_piece_by_piece() -> None:
    """Each piece is asked for only when the one before it has been sent."""
    sent: list[bytes] = []

    async def pieces() -> Any:
        for number in range(3):
            yield b"%d" % number
            assert sent == [b"%d" % before for before in range(number + 1)]

    app = FastAPI()
    app.add_api_route("/chatkit", lambda: StreamingResponse(pieces()))
    add_cors(app, [HERE])

    async def send(message: Message) -> None:
        if message.get("body"):
            sent.append(message["body"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/chatkit",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"origin", HERE.encode())],
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    await app(scope, receive, send)
    assert sent == [b"0", b"1", b"2"]
