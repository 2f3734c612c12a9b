"""How a tool call ends: with what came of it, or with its turn."""

from dataclasses import replace

from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn_event import ToolCallFinished

NOT_ANSWERED = "Nobody has answered, so it was not run."
NOT_REACHED = "It was approved, and the answer broke off before it began, so it was not run."


def ended(call: ToolCall, event: ToolCallFinished) -> ToolCall:
    """The call with what has come of it."""
    arguments = call.arguments if event.arguments is None else event.arguments
    return replace(
        call,
        arguments=arguments,
        state=event.state,
        output=event.output,
        ended_at=event.at,
        files=event.files,
        links=event.links,
    )


def unanswered(call: ToolCall) -> CallState:
    """What a call that waits becomes when nobody answers: not run, unless a page may have run it
    that never said so."""
    return "unknown" if call.asks == "client" else "withdrawn"


def closed(call: ToolCall, state: CallState) -> ToolCall:
    """The call at its turn's end: one that nobody saw end is in this state."""
    match call.state:
        case "running":
            return replace(call, state=state)
        case "waiting" if call.form and call.form.live:
            return replace(call, state=state)
        case "waiting":
            return replace(call, state=unanswered(call), output=NOT_ANSWERED)
        case "approved":
            return replace(call, state="withdrawn", output=NOT_REACHED)
        case _:
            return call
