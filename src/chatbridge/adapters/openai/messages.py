"""Messages as the input items of the Agents SDK."""

from collections.abc import Iterable, Iterator
from typing import Any

from agents import TResponseInputItem

from chatbridge.adapters.openai.arguments import parsed_arguments
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import CallState, ToolCall, is_listing

OUTCOME_UNKNOWN = (
    "The outcome of this call is unknown: it was cut off and may have done its work. "
    "Check the present state before you repeat it."
)


def model_input(window: Iterable[Message]) -> list[TResponseInputItem]:
    """The window as a model reads it: plain texts, and each tool call next to its output.

    Content is a plain string, because Chat Completions endpoints refuse output parts; items carry
    no ids and no status, because those of one endpoint mean nothing to another. What a provider's
    own tool has brought is text too, for no other provider has that tool; it stands in the same
    item as the answer beside it, because some endpoints refuse two in a row.
    """
    items: list[Any] = [item for message in window for item in _items(message)]
    read: list[Any] = []
    for item in items:
        if read and _is_answer(item) and _is_answer(read[-1]):
            read[-1] = {**item, "content": f"{read[-1]['content']}\n\n{item['content']}"}
        else:
            read.append(item)
    return read


def _is_answer(item: Any) -> bool:
    return item.get("role") == "assistant"


def _items(message: Message) -> Iterator[TResponseInputItem]:
    if message.kind == "tools":
        made = [call for call in message.tool_calls if not is_listing(call)]
        ours = [call for call in made if not call.hosted]
        yield from map(_call, ours)
        yield from map(_output, ours)
        yield from (_told(call) for call in made if call.hosted)
    elif message.counted and message.content:
        yield {"role": message.role, "content": message.content}


def _call(call: ToolCall) -> TResponseInputItem:
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        # some endpoints parse old arguments, and refuse the whole conversation for bad ones
        "arguments": "{}" if parsed_arguments(call.arguments) is None else call.arguments or "{}",
    }


def _output(call: ToolCall) -> TResponseInputItem:
    return {"type": "function_call_output", "call_id": call.id, "output": _outcome(call)}


def _told(call: ToolCall) -> TResponseInputItem:
    told = f"[The tool {call.name} was used with {call.arguments}. It {_BROUGHT[call.state]}"
    outcome = _outcome(call)
    return {"role": "assistant", "content": f"{told}{f': {outcome}' if outcome else '.'}]"}


_CUT_OFF = "was cut off"
_BROUGHT: dict[CallState, str] = {
    "running": _CUT_OFF,
    "succeeded": "answered",
    "failed": "failed",
    "cancelled": _CUT_OFF,
    "unknown": _CUT_OFF,
}


def _outcome(call: ToolCall) -> str:
    return OUTCOME_UNKNOWN if _BROUGHT[call.state] is _CUT_OFF else call.output or ""
