"""What the published contract shows as examples."""

from typing import Any

from pydantic import ConfigDict

CONVERSATION_ID = "conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"
MOMENT = "2026-01-02T03:04:05.678901Z"
CURSOR = "MTc2NzMyMzA0NTY3ODkwMTpjb252XzZmMWMyYTdkOWIzZTRjNWY4YTBiMWMyZDNlNGY1YTZi"
CONVERSATION = {
    "id": CONVERSATION_ID,
    "title": "Shopping",
    # a null in an example is left out of the contract
    "status": "locked",
    "status_reason": "It goes on by e-mail.",
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
CALL = {
    "id": "call_0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
    "name": "add_task",
    "arguments": '{"title": "buy oat milk"}',
    "output": '{"number": 1, "title": "buy oat milk", "done": false}',
    "state": "succeeded",
    "started_at": MOMENT,
    "ended_at": MOMENT,
    "hosted": False,
    "source": "tasks",
}
USAGE = {"input_tokens": 512, "output_tokens": 24}
ATTACHMENT = {
    "id": "att_4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c",
    "name": "cat.png",
    "media_type": "image/png",
    "size": 48213,
}
LINK = {"uri": "https://example.com/map", "name": "A map", "media_type": "text/html"}
CALLED: dict[str, Any] = {
    "id": "msg_1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f",
    "role": "assistant",
    "kind": "tools",
    "content": "",
    "tool_calls": [CALL],
    "citations": [],
    "attachments": [],
    "created_at": MOMENT,
}
SAID: dict[str, Any] = {
    "id": "msg_2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a",
    "role": "assistant",
    "kind": "text",
    "content": "Added task 1: **buy oat milk**.",
    "tool_calls": [],
    "citations": [],
    "attachments": [],
    "created_at": MOMENT,
}
TASK = {
    "number": 1,
    "title": "buy oat milk",
    "done": False,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}


def example(value: dict[str, Any]) -> ConfigDict:
    """A model's configuration, with an example of it."""
    return ConfigDict(json_schema_extra={"examples": [value]})
