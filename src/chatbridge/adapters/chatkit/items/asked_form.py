"""A tool server's form in the card of the call that asks it."""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from chatbridge.adapters.chatkit.items.in_words import seen
from chatbridge.domain.model.question import Form, Question, form_of
from chatbridge.domain.model.tool_call import ToolCall

ANSWER, DECLINE = "chatbridge.answer", "chatbridge.decline"
"""The actions of such a form; their payload names the call and which of its forms it is, and the
answers are by the places of their questions: a server's names go into none."""

Json = dict[str, Any]

_MOST_RADIOS = 4
_INPUTS = {"number": "number", "integer": "number", "email": "email", "uri": "url"}


def asked_form(call: ToolCall, form: Form) -> list[Json]:
    """What is asked, by whom, and the ways to answer."""
    fields = [part for n, each in enumerate(form.questions) for part in _field(n, each)]
    alone = [each for each in form.questions if _is_agreed(each)]
    send = alone[0].choices[0].words if len(alone) == len(form.questions) else "Send"
    decline = {"label": "Decline", "style": "secondary", "onClickAction": _action(DECLINE, call)}
    buttons = [
        {"type": "Button", "size": "sm", "label": send, "style": "primary", "submit": True},
        {"type": "Button", "size": "sm", **decline},
    ]
    row = {"type": "Row", "gap": 2, "children": buttons}
    return [
        {"type": "Text", "value": f"{seen(form.source)} asks", "size": "sm", "weight": "semibold"},
        {"type": "Text", "value": seen(form.title), "size": "sm"},
        {
            "type": "Form",
            "direction": "col",
            "gap": 2,
            "children": [*fields, row],
            "onSubmitAction": _action(ANSWER, call, form),
        },
    ]


def answers_in(payload: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What was filled in, by the questions' ids."""
    ids, listed = payload.get("ids"), payload.get("choices")
    choices = cast(Json, listed) if isinstance(listed, dict) else {}
    given: dict[str, tuple[str, ...]] = {}
    for n, id in enumerate(cast(list[Any], ids) if isinstance(ids, list) else []):
        of = choices.get(str(n))
        several = cast(list[Any], of) if isinstance(of, list) else []
        chosen = [v for m, v in enumerate(several) if _is_on(payload.get(f"{_name(n)}-{m}"))]
        values = chosen if several else [payload.get(_name(n))]
        given[str(id)] = tuple(text for value in values if (text := _text(value)))
    return given


def _field(n: int, question: Question) -> Iterator[Json]:
    name = _name(n)
    if question.link:
        host = urlsplit(question.link).hostname or ""
        words = f"[Open {host}]({question.link.replace('(', '%28').replace(')', '%29')})"
        yield {"type": "Markdown", "value": words}
        return
    if _is_agreed(question):
        return
    words = seen(question.words) if question.required else f"{seen(question.words)} (optional)"
    yield {"type": "Label", "value": words, "fieldName": name, "size": "sm"}
    if told := " ".join(filter(None, (seen(question.description), _hint(question)))):
        yield {"type": "Caption", "value": told, "size": "sm"}
    yield from _control(name, question)


def _hint(question: Question) -> str:
    return "" if question.offered else form_of(question.kind)


def _control(name: str, question: Question) -> Iterator[Json]:
    default = question.default[0] if question.default else None
    options = [{"label": seen(each.words), "value": each.value} for each in question.offered]
    if question.multiple:
        for m, choice in enumerate(question.offered):
            checked = choice.value in question.default
            box = {"type": "Checkbox", "name": f"{name}-{m}", "label": seen(choice.words)}
            yield {**box, "defaultChecked": checked}
    elif options:
        few = len(options) <= _MOST_RADIOS
        told = {"type": "RadioGroup", "direction": "col"} if few else {"type": "Select"}
        yield {**told, "name": name, "options": options, **_set("defaultValue", default)}
    else:
        kind = {"inputType": _INPUTS.get(question.kind, "text")}
        told = {"type": "Input", "name": name, "size": "sm", "required": question.required}
        yield {**told, **kind, **_set("defaultValue", default)}


def _action(type: str, call: ToolCall, form: Form | None = None) -> Json:
    payload: Json = {"call_id": call.id}
    if call.form:
        payload["round"] = call.form.round
    if form:
        questions = form.questions
        payload["ids"] = [each.id for each in questions]
        payload["choices"] = {
            str(n): [choice.value for choice in each.offered]
            for n, each in enumerate(questions)
            if each.multiple
        }
        for n, each in enumerate(questions):
            if _is_agreed(each):
                payload[_name(n)] = each.choices[0].value
    told: Json = {"type": type, "payload": payload, "loadingBehavior": "container"}
    # pages hold back what begins a turn while one runs
    return {**told, "streaming": False} if call.form and call.form.live else told


def _is_agreed(question: Question) -> bool:
    """Whether all that can be answered is that one agrees, or has done it."""
    return question.required and not question.multiple and len(question.choices) == 1


def _set(name: str, value: str | None) -> Json:
    return {} if value is None else {name: value}


def _name(n: int) -> str:
    return f"answer-{n}"


def _is_on(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "on", "1")


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value).strip()
        case _:
            return ""
