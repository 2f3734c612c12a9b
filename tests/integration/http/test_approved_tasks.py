"""The bundled tools ask, and what is approved of them."""

import httpx

from tests.chatkit_client import Json, create, say
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
        asked = await _asked(client, thread, "delete task 1")
        (call,) = asked["messages"][-1]["tool_calls"]
        assert (call["state"], call["proposal"]["may_stand"]) == ("waiting", True)
        answer = {"call_id": call["id"], "decision": "approve_for_conversation"}
        where = f"/api/ann/conversations/{thread}"
        done = await client.post(f"{where}/answers", json=answer)
        assert done.json()["state"] == "completed"
        assert (await _asked(client, thread, "delete task 2"))["state"] == "completed"
        assert (await client.get("/api/ann/tasks")).json()["items"] == []
        (standing,) = (await client.get(f"{where}/approvals")).json()["items"]
        assert (standing["source"], standing["tool"]) == ("tasks", "delete_task")
