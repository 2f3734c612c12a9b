"""What the contract says of ChatKit's routes; the protocol's own types are the SDK's."""

import json
import re
from typing import Annotated, Any

from chatkit.types import ChatKitReq, Page, ThreadItem, ThreadMetadata, ThreadStreamEvent
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from chatbridge.domain.model.identifiers import ID_PATTERN
from chatbridge.domain.model.limits import MAX_ENTRIES
from chatbridge.domain.model.message import FeedbackKind
from chatbridge.entrypoints.bodies import Body
from chatbridge.entrypoints.chatkit.operations import OPERATIONS, Answered, type_of
from chatbridge.entrypoints.openapi import Schema, event_stream

_THREAD_ID = "conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"
_ITEM_ID = "msg_2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a"
_ItemId = Annotated[str, Field(pattern=f"^{ID_PATTERN}$")]
_STRING = {"schema": {"type": "string"}}

# the SDK's names are common words; in the contract they are ChatKit's
_REFERENCE = "#/components/schemas/chatkit.{model}"
_PAGES: dict[Any, str] = {Page[ThreadMetadata]: "ThreadPage", Page[ThreadItem]: "ThreadItemPage"}
_ANSWERS: dict[str, Any] = {
    _PAGES.get(each.answer) or str(each.answer.__name__): each.answer
    for each in OPERATIONS
    if isinstance(each, Answered) and each.answer
}
_ROOTS: dict[str, Any] = {"Request": ChatKitReq, "Event": ThreadStreamEvent, **_ANSWERS}
# pydantic names a generic type by all that is in it
_LONG_NAMES = {r"Page_ThreadMetadata_": "ThreadPage", r"Page_Annotated\w+": "ThreadItemPage"}

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


_FRAMES = """\
id: turn_3e4f/7
data: {"type":"thread.item.updated","item_id":"msg_1","update":{"type":\
"assistant_message.content_part.text_delta","content_index":0,"delta":"Added "}}

: keep-alive

"""


class ThreadCancelOut(BaseModel):
    """Whether the thread had a running turn to stop."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cancelled": True}]})

    cancelled: bool


class FeedbackBody(Body):
    """A verdict on items of a thread; null takes it back."""

    item_ids: list[_ItemId] = Field(max_length=MAX_ENTRIES, examples=[[_ITEM_ID]])
    kind: FeedbackKind | None = Field(examples=["positive"])


class FeedbackOut(BaseModel):
    """The verdicts in a thread, by item."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"feedback": {_ITEM_ID: "positive"}}]}
    )

    feedback: dict[str, FeedbackKind]


class _Schemas(GenerateJsonSchema):
    """Without titles that only repeat the fields' names."""

    # an action's type is a variable of Python's by default, which no JSON can say
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def schemas() -> Schema:
    """The components `chatkit.*`: the unions of requests and events, and all that is in them."""
    roots, rest = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(kind)) for name, kind in _ROOTS.items()],
        ref_template=_REFERENCE,
        schema_generator=_Schemas,
    )
    named = {name: schema for (name, _), schema in roots.items()} | rest["$defs"]
    written = json.dumps(named)
    for long, name in _LONG_NAMES.items():
        written = re.sub(long, name, written)
    return {f"chatkit.{name}": _marked(schema) for name, schema in json.loads(written).items()}


def _marked(schema: Schema) -> Schema:
    """What tells the members of a union apart is always there, also where Python may leave it."""
    properties = schema.get("properties", {})
    marks = [name for name, kind in properties.items() if "const" in kind]
    required = schema.get("required", [])
    added = [name for name in marks if name not in required]
    return schema | ({"required": [*added, *required]} if added else {})


def _reference(name: str) -> Schema:
    return {"$ref": _REFERENCE.format(model=name)}


BY_SESSION: Schema = {"security": [{"clientSecret": []}]}

REQUEST: Schema = {
    **BY_SESSION,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _reference("Request"),
                "examples": {
                    type_of(each): {"value": {"type": type_of(each), "params": each.params}}
                    for each in OPERATIONS
                },
            }
        },
    },
}

EVENTS = event_stream(_reference("Event"), example=_EVENTS)
"""A stream of the protocol."""

_ANSWER: Schema = {"anyOf": [*map(_reference, _ANSWERS), {"type": "object", "maxProperties": 0}]}

_HEADERS: Schema = {
    "X-Conversation-Id": {"description": "Of a stream: its thread.", **_STRING},
    "X-Turn-Id": {
        "description": "Of a stream: its turn. Of `threads.get_by_id`: the last turn, where it is "
        "running or was interrupted, which its events say.",
        **_STRING,
    },
    "X-Chatbridge-Stream": {
        "description": "`resumable`. Of a stream: its frames have ids, and it is never silent for "
        "long. Of any other answer: streams can be so. Of one that is taken up from its start: "
        "`told=n`, the frames that had been told when it was asked for.",
        **_STRING,
    },
    "X-Chatbridge-Feedback": {
        "description": "`given`: there is a verdict on one of the items; the thread's `feedback` "
        "tells it.",
        **_STRING,
    },
    "X-Chatbridge-Waiting": {
        "description": "Of `threads.list`: the ids of those in which an answer waits for a person, "
        "with blanks between them; missing where none does.",
        **_STRING,
    },
    "Link": {
        "description": "Of a stream: where to POST to stop its turn, relative to the request.",
        **_STRING,
        "example": f'<chatkit/threads/{_THREAD_ID}/cancel>; rel="stop"',
    },
}

ANSWERS: Schema = {
    "description": "Events of the protocol where the operation speaks, else JSON.",
    "headers": _HEADERS,
    "content": {
        **EVENTS,
        "application/json": {"schema": _ANSWER, "example": _THREADS},
    },
}

FRAMES: Schema = {
    "description": "The frames that follow, each with its id.",
    "headers": _HEADERS,
    "content": event_stream(_reference("Event"), example=_FRAMES),
}
