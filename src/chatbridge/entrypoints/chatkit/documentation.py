"""What the contract says of ChatKit's routes; the protocol's own types are the SDK's."""

from typing import Any, get_args

from chatkit.types import ChatKitReq
from pydantic import BaseModel, ConfigDict

_THREAD_ID = "conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"
_STRING = {"schema": {"type": "string"}}

_SAID: dict[str, Any] = {
    "content": [{"type": "input_text", "text": "add a task: buy oat milk"}],
    "attachments": [],
    "inference_options": {},
}

_PARAMS: dict[str, dict[str, Any]] = {
    "threads.create": {"input": _SAID},
    "threads.add_user_message": {"thread_id": _THREAD_ID, "input": _SAID},
    "threads.list": {"limit": 20, "order": "desc"},
    "items.list": {"thread_id": _THREAD_ID, "limit": 20, "order": "asc"},
}

_THREADS: dict[str, Any] = {
    "data": [
        {
            "id": _THREAD_ID,
            "title": "add a task: buy oat milk",
            "created_at": "2026-01-02T03:04:05Z",
            "status": {"type": "active"},
            "metadata": {},
            "items": {"data": [], "has_more": False},
        }
    ],
    "has_more": False,
}

_EVENTS = """\
data: {"type":"stream_options","stream_options":{"allow_cancel":true}}

data: {"type":"progress_update","text":"Thinking"}

data: {"type":"thread.item.updated","item_id":"msg_1","update":{"type":\
"assistant_message.content_part.text_delta","content_index":0,"delta":"Added "}}

"""


class ThreadCancelOut(BaseModel):
    """Whether the thread had a running turn to stop."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cancelled": True}]})

    cancelled: bool


def operations() -> list[str]:
    """The `type` of every operation that the SDK knows."""
    union, *_ = get_args(ChatKitReq)
    return [operation.model_fields["type"].default for operation in get_args(union)]


BY_SESSION: dict[str, Any] = {"security": [{"clientSecret": []}]}

REQUEST: dict[str, Any] = {
    **BY_SESSION,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "params"],
                    "properties": {
                        "type": {"type": "string", "enum": operations()},
                        "params": {"type": "object"},
                        "metadata": {"type": "object"},
                    },
                },
                "examples": {
                    name: {"value": {"type": name, "params": params}}
                    for name, params in _PARAMS.items()
                },
            }
        },
    },
}

ANSWERS: dict[str, Any] = {
    "description": "Events of the protocol where the operation speaks, else JSON.",
    "headers": {
        "X-Conversation-Id": {"description": "Of a stream: its thread.", **_STRING},
        "X-Turn-Id": {"description": "Of a stream: its turn.", **_STRING},
        "Link": {
            "description": "Of a stream: where to POST to stop its turn, relative to the request.",
            **_STRING,
            "example": f'<chatkit/threads/{_THREAD_ID}/cancel>; rel="stop"',
        },
    },
    "content": {
        "text/event-stream": {**_STRING, "example": _EVENTS},
        "application/json": {"schema": {"type": "object"}, "example": _THREADS},
    },
}
