"""The conformance suite of the Model Context Protocol, for what a server asks of a person."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

TOOL_SERVERS = Path(__file__).parent / "tool_servers"
SUITE = TOOL_SERVERS / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
CLIENT = f"{sys.executable} -m tests.system.conformance_client"
PATIENCE = 60.0


@pytest.mark.parametrize(
    ("scenario", "version"),
    [
        ("elicitation-sep1034-client-defaults", "2025-11-25"),
        ("sep-2322-client-request-state", "2026-07-28"),
    ],
)
async def test_what_a_server_asks_is_answered_as_the_protocol_says(
    scenario: str, version: str
) -> None:
    if not SUITE.exists():
        pytest.fail(f"no {SUITE}: `make test-system` installs it, with Node 20.9 or later")
    older = ("--import", str(TOOL_SERVERS / "older-node.mjs"))
    which = ("--command", CLIENT, "--scenario", scenario, "--spec-version", version)
    suite = await asyncio.create_subprocess_exec(
        "node", *older, str(SUITE), "client", *which, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        told, _ = await suite.communicate()

    assert suite.returncode == 0, told.decode()
    assert "Passed: 5/5, 0 failed" in told.decode()
