"""What is mounted and never started says so, and where."""

import pytest
from fastapi import FastAPI

from tests.unit.entrypoints.page.test_page import app_of, client_of


@pytest.mark.parametrize("path", ["/readyz", "/chatkit", "/api/alice/tasks", "/mcp/tasks"])
async def test_a_forgotten_lifespan_is_said(path: str) -> None:
    app, host = app_of(), FastAPI()
    host.mount("/chat", app)
    async with client_of(host) as client:
        answer = await client.get(f"/chat{path}")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_started")
        assert "bridge.lifespan" in answer.json()["detail"]
        assert (await client.get("/chat/healthz")).status_code == 200
        async with app.router.lifespan_context(app):
            assert (await client.get(f"/chat{path}")).status_code != 503
        assert (await client.get(f"/chat{path}")).status_code == 503
