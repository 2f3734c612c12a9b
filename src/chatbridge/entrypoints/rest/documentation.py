"""What the contract says of a turn's events over REST."""

from typing import get_args

from pydantic import TypeAdapter

from chatbridge.domain.model.records import name_of
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.entrypoints.openapi import Schema, event_stream

STARTED = "turn.started"
"""The event before a turn's own: which turn it is."""

_REFERENCE = "#/components/schemas/{model}"
_KINDS = {name_of(kind): kind for kind in get_args(TurnEvent)}


_STARTED: Schema = {
    "title": "TurnStarted",
    "description": "The turn has begun; it comes before the turn's own events, without a number.",
    "type": "object",
    "properties": {"conversation_id": {"type": "string"}, "turn_id": {"type": "string"}},
    "required": ["conversation_id", "turn_id"],
}

_EXAMPLE = """\
event: turn.started
data: {"type": "turn.started", "conversation_id": "conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b", \
"turn_id": "turn_3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b"}

id: 1
event: text.started
data: {"type": "text.started", "message_id": "msg_2d3e", "at": "2026-01-02T03:04:05+00:00"}

id: 2
event: text.delta
data: {"type": "text.delta", "message_id": "msg_2d3e", "text": "Hello!"}

id: 3
event: text.finished
data: {"type": "text.finished", "message_id": "msg_2d3e"}

id: 4
event: tokens.used
data: {"type": "tokens.used", "input_tokens": 512, "output_tokens": 3}

id: 5
event: turn.ended
data: {"type": "turn.ended", "state": "completed"}

"""


def schemas() -> Schema:
    """The components of the union `TurnEvent`, as a stream has them."""
    _, found = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(kind)) for name, kind in _KINDS.items()],
        ref_template=_REFERENCE,
    )
    components: Schema = found["$defs"]
    components["TurnStarted"] = _STARTED
    members = {STARTED: "TurnStarted"} | {name: k.__name__ for name, k in _KINDS.items()}
    for name, member in members.items():
        components[member] = _named(components[member], name)
    mapping = {name: _REFERENCE.format(model=member) for name, member in members.items()}
    return components | {
        "TurnEvent": {
            "description": "What happens while a turn runs.",
            "oneOf": [{"$ref": reference} for reference in mapping.values()],
            "discriminator": {"propertyName": "type", "mapping": mapping},
        }
    }


def _named(event: Schema, name: str) -> Schema:
    properties = {"type": {"type": "string", "const": name}, **event["properties"]}
    return event | {"properties": properties, "required": ["type", *event.get("required", ())]}


EVENTS = event_stream(
    {"$ref": _REFERENCE.format(model="TurnEvent")}, example=_EXAMPLE, events=[STARTED, *_KINDS]
)
"""The stream of a turn."""
