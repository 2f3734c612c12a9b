"""Messages as the input items of the Agents SDK."""

from collections.abc import Iterable, Iterator

from agents import TResponseInputItem

from chatbridge.adapters.openai.arguments import parsed_arguments
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool_call import ToolCall

OUTCOME_UNKNOWN = (
    "The outcome of this call is unknown: it was cut off and may have done its work. "
    "Check the present state before you repeat it."
)


def model_input(window: Iterable[Message]) -> list[TResponseInputItem]:
    """The window as a model reads it: plain texts, and each tool call next to its output.

    Content is a plain string, because Chat Completions endpoints refuse output parts; items carry
    no ids and no status, because those of one endpoint mean nothing to another.
    """
    return [item for message in window for item in _items(message)]


def _items(message: Message) -> Iterator[TResponseInputItem]:
    if message.kind == "tools":
        yield from map(_call, message.tool_calls)
        yield from map(_output, message.tool_calls)
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
    seen = call.state in ("succeeded", "failed")
    return {
        "type": "function_call_output",
        "call_id": call.id,
        "output": (call.output or "") if seen else OUTCOME_UNKNOWN,
    }
