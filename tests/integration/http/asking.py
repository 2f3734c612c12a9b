"""Every way to ask: the routes of the app, the operations of the SDK, and how they are refused."""

from copy import deepcopy
from typing import get_args, get_type_hints
from uuid import uuid4

import httpx
from chatkit.types import ChatKitReq
from pydantic import BaseModel

from chatbridge.adapters.jwt.service_keys import new_service_key
from chatbridge.entrypoints.chatkit.operations import OPERATIONS as SERVED
from chatbridge.entrypoints.chatkit.operations import Answered, Streamed, type_of
from tests.chatkit_client import Json, create, say, user_input
from tests.integration.http.published import ROUTES, Route, refusals
from tests.serving import Served

ADDRESSED = "/attachments/{id}"
"""Where who has a signed address is let in."""

PUBLIC = {"/healthz", "/readyz", "/development", "/development/token", ADDRESSED}
SERVICE_KEY = new_service_key()
MOST = 3_000_000
"""Bytes of the files of a message that `service` takes."""
NOBODYS = "conv_00000000000000000000000000000000"
NO_ATTACHMENT = "att_00000000000000000000000000000000"
NO_TURN = "turn_00000000000000000000000000000000"

_UNION, *_ = get_args(ChatKitReq)
_REQUESTS: dict[str, type[BaseModel]] = {
    request.model_fields["type"].default: request for request in get_args(_UNION)
}
OPERATIONS = tuple(_REQUESTS)
STREAMED = tuple(type_of(each) for each in SERVED if isinstance(each, Streamed))
ANSWERED = tuple(type_of(each) for each in SERVED if isinstance(each, Answered))
ASKED = ("threads.add_client_tool_output", "threads.add_structured_input")
"""Answers to what a turn asks: they begin none."""

ACTIONS = ("threads.custom_action", "threads.sync_custom_action")
"""Clicks in what somebody has shown: the task list, or an agent."""

DICTATION = ("POST", "/api/{user_id}/transcriptions")
"""`service` has nobody who writes down what is said."""

OF_ONE_THREAD = tuple(
    name
    for name, request in _REQUESTS.items()
    if "thread_id" in get_type_hints(request)["params"].model_fields
)

_PARAMS: dict[str, Json] = {
    "threads.create": {"input": user_input("hello")},
    "threads.add_user_message": {"input": user_input("hello")},
    "threads.add_client_tool_output": {"result": {}},
    "threads.add_structured_input": {"item_id": "msg_1", "input": {}},
    "threads.retry_after_item": {"item_id": "msg_1"},
    "threads.custom_action": {"action": {"type": "go", "payload": {}}},
    "threads.sync_custom_action": {"action": {"type": "go", "payload": {}}},
    "threads.get_by_id": {},
    "threads.list": {},
    "threads.update": {"title": "A title"},
    "threads.delete": {},
    "items.list": {},
    "items.feedback": {"item_ids": ["msg_1"], "kind": "positive"},
    "attachments.create": {"name": "a", "size": 1, "mime_type": "text/plain"},
    "attachments.delete": {"attachment_id": "a"},
    "input.transcribe": {"audio_base64": "", "mime_type": "audio/webm"},
}

_ONE = "/api/{user_id}/conversations/{conversation_id}"
_BODIES: dict[Route, Json] = {
    ("POST", "/chatkit"): {"type": "threads.list", "params": {}},
    ("POST", "/api/{user_id}/chat"): {"message": "hello"},
    ("POST", "/api/{user_id}/chatkit/session"): {},
    ("POST", f"{_ONE}/answers"): {
        "call_id": "call_1",
        "decision": "approve",
    },
    ("PATCH", _ONE): {"title": "A title"},
    ("POST", "/chatkit/threads/{thread_id}/feedback"): {"item_ids": [], "kind": None},
    ("PUT", f"{_ONE}/messages/{{message_id}}/feedback"): {"kind": "positive"},
    ("POST", "/development/token"): {"user": "alice"},
}


FOR_FILES = (
    ("PUT", ADDRESSED),
    ("POST", "/chatkit/attachments"),
    ("POST", "/api/{user_id}/attachments"),
    DICTATION,
)
"""They parse nothing of a body, and bound it themselves."""

GUARDED = tuple(route for route in ROUTES if route[1] not in PUBLIC)
OF_A_USER = tuple(route for route in GUARDED if "{user_id}" in route[1])
OF_ONE_CONVERSATION = tuple(
    route for route in GUARDED if "{conversation_id}" in route[1] or "{thread_id}" in route[1]
)
FOR_SESSIONS = (
    ("POST", "/chatkit"),
    ("POST", "/chatkit/threads/{thread_id}/cancel"),
    ("GET", "/chatkit/threads/{thread_id}/events"),
    ("POST", "/chatkit/attachments"),
    ("GET", "/chatkit/threads/{thread_id}/feedback"),
    ("POST", "/chatkit/threads/{thread_id}/feedback"),
    ("GET", "/chatkit/menus"),
)
FOR_SERVICES = (("POST", "/api/{user_id}/chatkit/session"),)
TAKES_ONE_CONVERSATION = (
    ("POST", "/api/{user_id}/chat"),
    ("POST", "/api/{user_id}/chatkit/session"),
)


def body_for(route: Route) -> Json:
    """A good body for this route."""
    return deepcopy(_BODIES.get(route, {}))


def somebody() -> str:
    """A user whom no other test knows."""
    return f"user-{uuid4().hex[:12]}"


def operation(name: str, thread_id: str) -> Json:
    """A good request for this operation."""
    in_thread = {"thread_id": thread_id} if name in OF_ONE_THREAD else {}
    return {"type": name, "params": deepcopy(_PARAMS[name]) | in_thread}


async def ask(
    client: httpx.AsyncClient,
    route: Route,
    user: str,
    conversation_id: str = NOBODYS,
    body: Json | None = None,
) -> httpx.Response:
    """A good request for this route; `body` is added to what it needs."""
    method, path = route
    url = path.format(
        user_id=user,
        conversation_id=conversation_id,
        thread_id=conversation_id,
        message_id="msg_1",
        approval_id="appr_1",
        turn_id=NO_TURN,
        id=NO_ATTACHMENT,
    )
    if route == ("POST", "/api/{user_id}/attachments"):
        typed = {"content-type": "text/plain"}
        return await client.post(url, params={"name": "a.txt"}, content=b"text", headers=typed)
    if route == DICTATION:
        return await client.post(url, content=b"OggS")
    if route == ("POST", "/chatkit/attachments"):
        return await client.post(url, files={"file": ("a.txt", b"text", "text/plain")})
    json = {**_BODIES[route], **(body or {})} if route in _BODIES else body
    return await client.request(method, url, json=json)


async def a_conversation(service: Served, user: str) -> str:
    """The id of a conversation of the user's with one answered message."""
    thread_id, _ = await say(service.as_user(user), create("hello"))
    return thread_id


def require_refused(response: httpx.Response, status: int, code: str) -> Json:
    """Assert that it is this refusal, as a whole problem document, and answer it."""
    assert (response.status_code, response.headers.get("content-type")) == (
        status,
        "application/problem+json",
    ), response.text
    documented = refusals(response.request)
    assert documented is None or (status, code) in documented, "it is not in the contract"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "code", "detail"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:chatbridge:problem:{code}"
    assert problem["title"]
    assert 0 < len(problem["detail"]) < 1000
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert ("retry-after" in response.headers) == (status == 503)
    return problem
