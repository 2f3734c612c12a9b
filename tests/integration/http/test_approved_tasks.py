"""The bundled tools ask, and what is approved of them."""

import json

import httpx

from tests.chatkit_client import Json, add, create, items, say, without_times
from tests.integration.http.waiting_stage import buttons, screen
from tests.serving import served, settings_for


async def _asked(client: httpx.AsyncClient, thread: str, text: str) -> Json:
    body = {"message": text, "conversation_id": thread}
    return (await client.post("/api/ann/chat", json=body)).json()


async def test_a_bundled_tool_is_approved_for_the_conversation() -> None:
    settings = settings_for("memory:", mcp={"tasks_approve_for_conversation": True})
    async with served(settings) as here:
        client = here.as_user("ann")
        thread, _ = await say(client, create("add milk"))
        await _asked(client, thread, "add tea")
        _, told = await say(client, add(thread, "delete task 1"))
        card = screen(told)[-1]
        assert """"Delete task 1 'milk'\"""" in json.dumps(card)
        kept = (await client.post("/chatkit", json=items(thread))).json()["data"]
        assert without_times(kept[-1]) == card
        where = f"/api/ann/conversations/{thread}"
        messages = (await client.get(f"{where}/messages", params={"limit": 100})).json()["items"]
        (call,) = messages[-1]["tool_calls"]
        assert (call["state"], call["proposal"]["may_stand"]) == ("waiting", True)
        assert call["proposal"]["words"] == "Delete task 1 'milk'"
        assert call["id"] == buttons(card)[0]["payload"]["call_id"]
        answer = {"call_id": call["id"], "decision": "approve_for_conversation"}
        done = await client.post(f"{where}/answers", json=answer)
        assert done.json()["state"] == "completed"
        assert (await _asked(client, thread, "delete task 2"))["state"] == "completed"
        assert (await client.get("/api/ann/tasks")).json()["items"] == []
        (standing,) = (await client.get(f"{where}/approvals")).json()["items"]
        assert (standing["source"], standing["tool"]) == ("tasks", "delete_task")
