"""Messages as the input items of the Agents SDK."""

from collections.abc import Iterable, Iterator, Mapping

from agents import TResponseInputItem

from chatbridge.adapters.openai.names import short_id
from chatbridge.adapters.openai.readable import OUTCOME_UNKNOWN, readable
from chatbridge.domain.model.identifiers import CallId
from chatbridge.domain.model.message import Message, Words, content_of
from chatbridge.domain.model.tool_call import CallState, ToolCall, is_listing


def model_input(window: Iterable[Message], words: Words = content_of) -> list[TResponseInputItem]:
    """The window as a model reads it, each tool call next to its output.

    `words` are what a message says. Items carry no ids of a provider's, because those of one mean
    nothing to another: a call is known by a short one that is derived from ours. What a provider's
    own tool has brought is text, for no other provider has that tool.
    """
    messages = [*window]
    ids: dict[CallId, str] = {}
    for call in (call for message in messages for call in message.tool_calls):
        ids.setdefault(call.id, short_id(call.id, ids.values()))
    return readable(item for message in messages for item in _items(message, ids, words))


def _items(
    message: Message, ids: Mapping[CallId, str], words: Words
) -> Iterator[TResponseInputItem]:
    if message.kind == "tools":
        made = [call for call in message.tool_calls if not is_listing(call)]
        ours = [call for call in made if not call.hosted]
        yield from (_call(call, ids[call.id]) for call in ours)
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


def _outcome(call: ToolCall) -> str:
    return OUTCOME_UNKNOWN if _brought(call.state) == _CUT_OFF else call.output or ""
