"""Messages as the input items of the Agents SDK."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from agents import TResponseInputItem

from chatbridge.adapters.openai.names import short_id
from chatbridge.adapters.openai.readable import OUTCOME_UNKNOWN, readable
from chatbridge.adapters.openai.replay import known_as, thought_before
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message, Words, content_of
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.tool_call import CallState, ToolCall, is_notice

CallOf = Callable[[ToolCall], Iterator[TResponseInputItem]]
"""A call as it is given back, with what belongs before it."""

_BESIDE = ("note", "shown")
_MOST = 15


def model_input(
    window: Iterable[Message],
    words: Words = content_of,
    payloads: Mapping[CallId, Payload] = MappingProxyType({}),
) -> list[TResponseInputItem]:
    """The window as a model reads it, each tool call next to its output.

    `words` are what a message says, `payloads` what a provider wants back with calls of this turn.
    Other items carry no ids of a provider's, because those of one mean nothing to another: a call
    is known by a short one that is derived from ours. What a provider's own tool has brought is
    text, for no other provider has that tool. Notes and what was shown come with the person's next
    message, or, where somebody has only pressed a button, are one.
    """
    messages = _recent([*window], words)
    ids = {id: known_as(id, payload) for id, payload in payloads.items()}
    for call in (call for message in messages for call in message.tool_calls):
        ids.setdefault(call.id, short_id(call.id, ids.values()))
    told: list[Mapping[str, Any]] = []

    def call_of(call: ToolCall) -> Iterator[TResponseInputItem]:
        payload = payloads.get(call.id)
        yield from cast(Iterator[TResponseInputItem], thought_before(payload, told))
        made: Payload = payload["call"] if payload else {}
        yield cast(TResponseInputItem, {**made, **_call(call, ids[call.id])})

    return readable(_told_beside(messages, ids, words, call_of))


def _recent(messages: list[Message], words: Words) -> list[Message]:
    """Without the older of many notes and shown entries, which nothing else bounds: somebody may
    press a thousand buttons after one message. They go in steps, as the window does."""
    beside = [m.id for m in messages if m.kind in _BESIDE and words(m)]
    left_out = set(beside[: max(0, len(beside) - _MOST) // _MOST * _MOST])
    return [m for m in messages if m.id not in left_out]


def _told_beside(
    messages: list[Message], ids: Mapping[CallId, str], words: Words, call_of: CallOf
) -> Iterator[TResponseInputItem]:
    """The messages, and what was shown and noted where a person has the word.

    As messages of their own within an answer they would be questions that nobody has answered, and
    as the assistant's they would be an example of how to speak.
    """
    beside: list[str] = []
    before: Message | None = None
    for message in messages:
        if message.kind in _BESIDE:
            beside += filter(None, [words(message)])
        elif message.counted and message.role == "user":
            yield _asked(*beside, words(message))
            beside, before = [], message
        else:
            if beside and before and before.counted and before.role == "assistant":
                yield _asked(*beside)
                beside = []
            yield from _items(message, ids, words, call_of)
            before = message
    if beside:
        yield _asked(*beside)


def _asked(*words: str) -> TResponseInputItem:
    return {"type": "message", "role": "user", "content": "\n\n".join(words)}


def _items(
    message: Message,
    ids: Mapping[CallId, str],
    words: Words,
    call_of: CallOf,
) -> Iterator[TResponseInputItem]:
    if message.kind == "tools":
        made = [call for call in message.tool_calls if not is_notice(call.name)]
        ours = [call for call in made if not call.hosted]
        yield from (item for call in ours for item in call_of(call))
        yield from (_output(call, ids[call.id]) for call in ours)
        yield from (_told(call) for call in made if call.hosted)
    elif message.counted:
        yield {"type": "message", "role": message.role, "content": words(message)}


def _call(call: ToolCall, id: str) -> TResponseInputItem:
    name, arguments = call.name, call.arguments
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def _output(call: ToolCall, id: str) -> TResponseInputItem:
    return {"type": "function_call_output", "call_id": id, "output": _outcome(call)}


def _told(call: ToolCall) -> TResponseInputItem:
    told = f"[The tool {call.name} was used with {call.arguments}. It {_brought(call.state)}"
    outcome = _outcome(call)
    told = f"{told}{f': {outcome}' if outcome else '.'}]"
    return {"type": "message", "role": "assistant", "content": told}


_CUT_OFF = "was cut off"


def _brought(state: CallState) -> str:
    match state:
        case "succeeded":
            return "answered"
        case "failed":
            return "failed"
        case "running" | "cancelled" | "unknown":
            return _CUT_OFF
        case "waiting" | "approved" | "rejected" | "withdrawn":
            return "was not run"


def _outcome(call: ToolCall) -> str:
    return OUTCOME_UNKNOWN if _brought(call.state) == _CUT_OFF else call.output or ""
