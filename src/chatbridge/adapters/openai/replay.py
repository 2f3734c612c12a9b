"""A step of a model that was said and kept before a turn rested, once more for the Agents SDK.

So the SDK runs what was approved of it as it runs every call: with the tool's guardrails, limits
and words for failures; and nothing of the SDK's own state is kept.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, cast

from agents import Agent, RunContextWrapper, ToolApprovalItem
from agents.items import TResponseOutputItem, TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemDoneEvent,
    ResponseReasoningItem,
)

from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.carried import Carried
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.transcript import Transcript

Json = dict[str, Any]


def hung_on(
    id: str | None, call: Any, output: Sequence[TResponseOutputItem], kept: Carried
) -> Json:
    """What the provider wants back with a call of this id, in the form in which it is kept."""
    before = list(takewhile(lambda each: getattr(each, "call_id", None) != id, output))
    thought = [each for each in before if isinstance(each, ResponseReasoningItem)]
    return {
        "call": _dumped(call),
        "thought": [_dumped(each) for each in thought],
        "fields": kept.of(id or ""),
    }


def _dumped(item: Any) -> Json:
    return (
        cast(Json, item)
        if isinstance(item, dict)
        else item.model_dump(mode="json", exclude_none=True)
    )


def read_only(before: Transcript | None) -> tuple[Message, ...]:
    """What a turn has said before it rested, but for the calls that are run again."""
    again = {call.id for _, call in _run_again(before)}
    return tuple(
        replace(m, tool_calls=tuple(c for c in m.tool_calls if c.id not in again))
        for m in (before.said if before else ())
    )


def _run_again(before: Transcript | None) -> tuple[tuple[MessageId, ToolCall], ...]:
    running = before.calls_in("running") if before else ()
    return tuple((step, call) for step, call in running if not call.hosted)


class Replay:
    """What of a turn is run again, once all that it asked is answered.

    `payloads` are what providers want back with its calls. Of a turn that never rested, nothing.
    """

    def __init__(self, before: Transcript | None) -> None:
        self.payloads: Mapping[CallId, Payload] = before.payloads if before else {}
        self.approved = _run_again(before)
        self._left: Iterator[TResponseStreamEvent] | None = None
        if self.approved:
            self._left = _response([*self._items()])

    def go_on(
        self, agent: Agent[Any], context: RunContextWrapper[Any], calls: Calls, carried: Carried
    ) -> None:
        """Let the SDK run what a person has approved, and all that was hung on calls go back."""
        for id, payload in self.payloads.items():
            message, fields = payload["fields"]
            carried.keep(message, {known_as(id, payload): fields})
        for step, call in self.approved:
            made = function_call(call, self.payloads.get(call.id))
            calls.adopt(step, made.call_id, call)
            context.approve_tool(ToolApprovalItem(agent, made, tool_name=call.name))

    def take(self) -> Iterator[TResponseStreamEvent] | None:
        """The events of the step, once."""
        events, self._left = self._left, None
        return events

    def _items(self) -> Iterator[TResponseOutputItem]:
        told: list[Mapping[str, Any]] = []
        for _, call in self.approved:
            payload = self.payloads.get(call.id)
            for thought in thought_before(payload, told):
                yield ResponseReasoningItem.model_validate(thought)
            yield function_call(call, payload)


def thought_before(
    payload: Payload | None, told: list[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """What was thought before a call, but for what is `told` already."""
    for thought in payload["thought"] if payload else ():
        if thought not in told:
            told.append(thought)
            yield thought


def known_as(id: CallId, payload: Payload | None) -> str:
    """The id by which the provider knows a call."""
    return str(payload["call"]["call_id"]) if payload else short_id(id)


def function_call(call: ToolCall, payload: Payload | None) -> ResponseFunctionToolCall:
    """The call as the model made it."""
    own: Mapping[str, Any] = payload["call"] if payload else {}
    return ResponseFunctionToolCall.model_validate(
        {
            **own,
            "type": "function_call",
            "call_id": known_as(call.id, payload),
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
    )


def _response(items: Sequence[TResponseOutputItem]) -> Iterator[TResponseStreamEvent]:
    for number, item in enumerate(items):
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", item=item, output_index=number, sequence_number=number
        )
    response = Response(
        id="resp_replayed",
        created_at=time.time(),
        model="replayed",
        object="response",
        output=cast(list[Any], [*items]),
        parallel_tool_calls=True,
        status="completed",
        tool_choice="auto",
        tools=[],
    )
    yield ResponseCompletedEvent(
        type="response.completed", response=response, sequence_number=len(items)
    )
