"""An error that nobody has expected: what the caller is told, and what the log is."""

import httpx
from fastapi import FastAPI

from chatbridge.container import Container
from chatbridge.main import create_app
from tests.serving import settings_for
from tests.unit.entrypoints.logs.lines import written

CANARY = "my diagnosis is private"


def app_that_fails() -> FastAPI:
    app = create_app(Container(settings=settings_for("memory:")))

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError(CANARY)

    return app


async def test_it_is_a_problem_with_the_requests_id_and_one_line_with_its_place() -> None:
    transport = httpx.ASGITransport(app=app_that_fails())
    with written() as log:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.get("/fails", headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["cache-control"] == "no-store"
    (line,) = [each for each in log.getvalue().splitlines() if " ERROR " in each]
    assert "a request was not answered request_id=mine | LookupError at tests/unit/" in line
    assert CANARY not in log.getvalue()
