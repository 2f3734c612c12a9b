"""What a person is asked besides leave: a tool that their page runs, and questions, as items."""

import json
from typing import Any, cast

from chatkit.types import (
    ClientToolCallItem,
    StructuredInput,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
)

from chatbridge.domain.model.message import Message
from chatbridge.domain.model.question import Form, Question, form_of
from chatbridge.domain.model.tool_call import ToolCall


def asked_item(
    message: Message, head: dict[str, Any]
) -> ClientToolCallItem | StructuredInputItem | None:
    """The item of a message that asks the page or for answers; None for any other."""
    asks = message.tool_calls[0].asks if message.tool_calls else None
    if asks == "client":
        return _client_call(on_turn(message), head)
    form = message.tool_calls[0].form if stands_apart(message) else None
    return _questions(message.tool_calls[0], form, head) if form else None


def stands_apart(message: Message) -> bool:
    """Whether it is such a message, which is told when the turn rests."""
    if not message.tool_calls:
        return False
    call = message.tool_calls[0]
    # a form of the call's own server is in its card
    return call.asks in ("client", "answers") and not call.goes_on_with_answers


def on_turn(message: Message) -> ToolCall:
    """Of the calls that the page is to run: the first that waits, or the last one. What it brings
    names no call, so the page is told of one at a time."""
    waiting = (call for call in message.tool_calls if call.state == "waiting")
    return next(waiting, message.tool_calls[-1])


def _client_call(call: ToolCall, head: dict[str, Any]) -> ClientToolCallItem:
    return ClientToolCallItem(
        **head,
        status="pending" if call.state == "waiting" else "completed",
        call_id=call.id,
        name=call.name,
        arguments=_object(call.arguments),
        output=_value(call.output) if call.state == "succeeded" else None,
    )


def _questions(call: ToolCall, form: Form, head: dict[str, Any]) -> StructuredInputItem:
    who = " · ".join(filter(None, (form.source, form.title)))
    inputs = [_question(call, each) for each in form.questions]
    if who:
        # the protocol has no other place for who asks
        inputs[0].question = f"{who}\n{inputs[0].question}"
    match call.state:
        case "waiting":
            return StructuredInputItem(**head, status="pending", inputs=inputs)
        case "rejected" | "withdrawn":
            return StructuredInputItem(**head, status="skipped", inputs=inputs)
        case _:
            return StructuredInputItem(**head, status="answered", inputs=inputs)


def _question(call: ToolCall, question: Question) -> StructuredInput:
    kept = (call.answers or {}).get(question.id, ())
    answer = StructuredInputAnswer(values=question.said(kept), skipped=not kept)
    # the protocol knows no form that was withdrawn: of that, nobody has skipped a question
    unsaid = call.state in ("waiting", "withdrawn")
    known: dict[str, Any] = {
        "id": question.id,
        "answer": None if unsaid else answer,
    }
    more = question.description or form_of(question.kind)
    if question.offered:
        words = "\n".join(filter(None, (question.words, question.description)))
        options = [StructuredInputMultipleChoiceOption(value=c.words) for c in question.offered]
        return StructuredInputMultipleChoice(
            **known, question=words, options=options, multiple=question.multiple
        )
    return StructuredInputFreeform(**known, question=question.words, description=more or None)


def _object(text: str) -> dict[str, Any]:
    found = _value(text)
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _value(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
