"""What an agent's own code asks of a person at the end of its run: the page's tool, and a form."""

import json
from datetime import UTC, datetime

from chatkit.agents import ClientToolCall
from chatkit.types import StructuredInput, StructuredInputItem, StructuredInputMultipleChoice

from chatbridge.domain.model.ask_person import ASK_PERSON
from chatbridge.domain.model.identifiers import MessageId, new_call_id, new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.question import Choice, Form, Question
from chatbridge.domain.model.tool_call import ToolCall
from chatbridge.domain.model.turn_event import ToolCallAsked, ToolCallStarted, TurnEvent


def page_asked(asked: ClientToolCall) -> tuple[TurnEvent, ...]:
    """The page is to run this."""
    call = ToolCall(
        id=new_call_id(),
        name=cleaned(asked.name),
        arguments=cleaned(json.dumps(asked.arguments, ensure_ascii=False, default=str)),
        started_at=datetime.now(UTC),
        state="waiting",
        asks="client",
    )
    return _asked(new_message_id(), call, None)


def person_asked(id: MessageId, item: StructuredInputItem) -> tuple[TurnEvent, ...]:
    """The person is to answer this. Raises ValueError where nobody could."""
    form = Form(questions=tuple(_question(each) for each in item.inputs))
    form.require_askable()
    told = [{"question": each.words} for each in form.questions]
    call = ToolCall(
        id=new_call_id(),
        name=ASK_PERSON.name,
        arguments=json.dumps({"questions": told}, ensure_ascii=False),
        started_at=datetime.now(UTC),
        state="waiting",
        asks="answers",
    )
    return _asked(id, call, form)


def _asked(id: MessageId, call: ToolCall, form: Form | None) -> tuple[TurnEvent, ...]:
    asks = call.asks or "client"
    asked = ToolCallAsked(message_id=id, call_id=call.id, asks=asks, form=form)
    return (ToolCallStarted(message_id=id, call=call), asked)


def _question(asked: StructuredInput) -> Question:
    id, words = cleaned(asked.id), cleaned(asked.question)
    if isinstance(asked, StructuredInputMultipleChoice):
        choices = tuple(Choice(value=cleaned(option.value).strip()) for option in asked.options)
        multiple = asked.multiple and bool(choices)
        return Question(id=id, words=words, choices=choices, multiple=multiple, free=True)
    return Question(id=id, words=words, description=cleaned(asked.description or ""))
