"""What is mounted and never started says so, and where."""

import logging

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from chatbridge.entrypoints.tasks.looked_for import look_for_tasks
from tests.unit.entrypoints.page.test_page import app_of, client_of


@pytest.mark.parametrize("path", ["/readyz", "/chatkit", "/api/alice/tasks", "/mcp/tasks"])
async def test_a_forgotten_lifespan_is_said(path: str) -> None:
    app, host = app_of(), FastAPI()
    host.mount("/chat", app)
    async with client_of(host) as client:
        answer = await client.get(f"/chat{path}")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_started")
        assert "lifespan_context" in answer.json()["detail"]
        assert (await client.get("/chat/healthz")).status_code == 200
        async with app.router.lifespan_context(app):
            assert (await client.get(f"/chat{path}")).status_code != 503
        assert (await client.get(f"/chat{path}")).status_code == 503


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (JSONResponse({"jsonrpc": "2.0", "id": 1, "result": {}}), ""),
        (JSONResponse({"detail": "Not Found"}, 404), "not served at http://host/mcp/tasks (404)"),
        (PlainTextResponse("<html>"), "not served at http://host/mcp/tasks (200)"),
    ],
)
async def test_tools_that_are_not_where_they_are_called_are_said_once_with_the_setting(
    found: JSONResponse, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Starlette(routes=[Route("/mcp/tasks", lambda _: found, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        await look_for_tasks("http://host/mcp/tasks", lambda: "token", http, pause=0)
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(told) == bool(said)
    assert said in "".join(told)
    assert ("CHATBRIDGE_MCP__TASKS_URL" in "".join(told)) == bool(said)
