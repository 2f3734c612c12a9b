"""A workflow of Agent Builder's, as it is exported, served by `--agent`."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.chatkit_client import Json
from tests.integration.scripted_endpoint import (
    ScriptedEndpoint,
    function_call,
    message,
    responses,
)
from tests.serving import spawn

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@asynccontextmanager
async def served(
    directory: Path, entry: str, endpoint: ScriptedEndpoint
) -> AsyncIterator[httpx.AsyncClient]:
    """Alice at `chatbridge serve --agent entry` in a copy of the examples."""
    shutil.copytree(EXAMPLES, directory, dirs_exist_ok=True)
    environment = {
        "CHATBRIDGE_DATABASE__URL": "memory:",
        "CHATBRIDGE_AGENT__TOOLS": "none",
        "CHATBRIDGE_AGENT__MODEL": "m",
        "CHATBRIDGE_AGENT__API_KEY": "key",
        "CHATBRIDGE_AGENT__BASE_URL": endpoint.url,
    }
    server = await spawn(directory, "--agent", entry, **environment)
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            client.headers["Authorization"] = f"Bearer {server.key}"
            signed_in = await client.post("/development/token", json={"user": "alice"})
            client.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
            yield client
    finally:
        await asyncio.to_thread(server.stop)


async def answer_to(client: httpx.AsyncClient, text: str) -> Json:
    """The turn that answers it."""
    response = await client.post("/api/alice/chat", json={"message": text})
    assert response.status_code == 200, response.text
    return response.json()


def instructed(endpoint: ScriptedEndpoint) -> list[Any]:
    """Which model was asked each time, and by what instructions, up to the date."""
    return [(a["model"], a["instructions"].split("\n\nToday")[0]) for a in endpoint.requests]


async def test_the_branches_of_an_export_are_served_as_handoffs(tmp_path: Path) -> None:
    async with (
        ScriptedEndpoint().running() as endpoint,
        served(tmp_path, "agent_builder_served:assistant", endpoint) as alice,
    ):
        endpoint.answer(*responses(function_call("transfer_to_order_agent", call_id="1")))
        endpoint.answer(*responses(function_call("order_status", '{"number": "1001"}', "2")))
        endpoint.answer(*responses(message("It is on its way.")))
        turn = await answer_to(alice, "where is my order 1001?")
        conversation = turn["conversation_id"]
        kept = await alice.get(f"/api/alice/conversations/{conversation}/messages")
    assert turn["state"] == "completed"
    calls = [call for each in kept.json()["items"] for call in each["tool_calls"]]
    assert [(call["name"], call["state"]) for call in calls] == [
        ("transfer_to_order_agent", "succeeded"),
        ("order_status", "succeeded"),
    ]
    assert calls[-1]["output"] == "on its way"
    assert kept.json()["items"][-1]["content"] == "It is on its way."
    looked_up = ("gpt-5", "Look the order up by its number and say how it stands.")
    handed_over = "Hand over to whoever can help the customer of a bicycle shop."
    assert instructed(endpoint) == [("gpt-4.1", handed_over), looked_up, looked_up]
