"""What a ChatKit client sends and reads, as plain JSON."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx

Json = dict[str, Any]


def user_input(text: str) -> Json:
    """A person's message."""
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "attachments": [], "inference_options": {}}


def create(text: str) -> Json:
    """Begin a thread."""
    return {"type": "threads.create", "params": {"input": user_input(text)}}


def add(thread_id: str, text: str) -> Json:
    """Go on with a thread."""
    params = {"thread_id": thread_id, "input": user_input(text)}
    return {"type": "threads.add_user_message", "params": params}


def retry(thread_id: str, item_id: str) -> Json:
    """Answer again."""
    params = {"thread_id": thread_id, "item_id": item_id}
    return {"type": "threads.retry_after_item", "params": params}


def items(thread_id: str, **params: Any) -> Json:
    """Read a thread, oldest first."""
    asked = {"thread_id": thread_id, "order": "asc", "limit": 100, **params}
    return {"type": "items.list", "params": asked}


def frames(text: str) -> list[Json]:
    """The events of a whole stream, which must be framed exactly as the SDK does."""
    parts = text.split("\n\n")
    assert parts[-1] == ""
    assert all(part.startswith("data: ") and "\n" not in part for part in parts[:-1])
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-1]]


async def events(response: httpx.Response) -> AsyncGenerator[Json, None]:
    """The events of a stream as they come."""
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def say(client: httpx.AsyncClient, request: Json) -> tuple[str, list[Json]]:
    """Send something that is answered by a stream; the thread's id and all events."""
    response = await client.post("/chatkit", json=request)
    assert response.status_code == 200, response.text
    return response.headers["x-conversation-id"], frames(response.text)


def shown(told: list[Json]) -> list[Json]:
    """The items that a client shows at the end of a stream, without their times."""
    done = {e["item"]["id"]: e["item"] for e in told if e["type"] == "thread.item.done"}
    return [without_times(item) for item in done.values()]


def without_times(item: Json) -> Json:
    """The item but for `created_at`."""
    return {name: value for name, value in item.items() if name != "created_at"}


def text_of(item: Json) -> str:
    """What an assistant's or a user's item says."""
    return "".join(part["text"] for part in item["content"])
