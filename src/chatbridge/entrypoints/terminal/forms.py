"""A tool server's form, as the card of its call shows it, and the request that fills it in."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from chatbridge.domain.model.question import Choice, Form, Kind, Question
from chatbridge.entrypoints.terminal.items import lines_in

_OPTIONAL = " (optional)"
_ANSWERS, _DECLINES = "chatbridge.answer", "chatbridge.decline"
_KINDS: Mapping[str, Kind] = {"number": "number", "email": "email", "url": "uri"}


class ServersForm(NamedTuple):
    """`form` has the names of the form's fields for ids; its boxes are `boxes`, by those names.

    `send` is the action that it is sent by, under the words on its button.
    """

    item_id: str
    lines: Sequence[str]
    form: Form
    boxes: Mapping[str, Sequence[str]]
    words: str
    send: Mapping[str, Any]
    decline: Mapping[str, Any]

    @property
    def named(self) -> str:
        """Which form of which call it is."""
        payload = self.send["payload"]
        return f"{payload['call_id']} {payload['round']}"

    @property
    def live(self) -> bool:
        """Whether the answer goes on meanwhile: it is no turn of its own."""
        return self.send.get("streaming") is False


def forms_in(item_id: str, part: Any) -> Generator[ServersForm]:
    """The forms in a part of a widget; at most one of them asks at a time."""
    match part:
        case {"children": [*before, {"type": "Form", "onSubmitAction": send, "children": inside}]}:
            if send["type"] == _ANSWERS:
                yield _form(item_id, before, inside, send)
        case {"children": list()}:
            for inner in part["children"]:
                yield from forms_in(item_id, inner)
        case _:
            pass


def filled_in(asked: ServersForm, answers: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The action of the form with these answers, as a page sends it."""
    payload = dict(asked.send["payload"])
    for name, values in answers.items():
        boxes = asked.boxes.get(name, ())
        payload |= {box: True for n, box in enumerate(boxes) if str(n) in values}
        if not boxes and values:
            payload[name] = values[0]
    return {**asked.send, "payload": payload}


def _form(
    item_id: str, before: Sequence[Any], inside: Sequence[Any], send: Mapping[str, Any]
) -> ServersForm:
    *fields, row = inside
    sending, declining = row["children"]
    texts = [part for part in before if part["type"] == "Text"]
    links = [part for part in fields if part["type"] == "Markdown"]
    found = [*_questions(fields)]
    return ServersForm(
        item_id=item_id,
        lines=lines_in([*texts, *links]),
        form=Form(questions=tuple(question for question, _ in found)),
        boxes={question.id: boxes for question, boxes in found if boxes},
        words=sending["label"],
        send=send,
        decline=declining["onClickAction"],
    )


# a label begins a question, and its caption and its controls follow
def _questions(fields: Sequence[Any]) -> Iterator[tuple[Question, Sequence[str]]]:
    starts = [n for n, part in enumerate(fields) if part["type"] == "Label"]
    for start, end in pairwise([*starts, len(fields)]):
        label, *parts = fields[start:end]
        captions = [part["value"] for part in parts if part["type"] == "Caption"]
        controls = [part for part in parts if part["type"] not in ("Caption", "Markdown")]
        yield _question(label, " ".join(captions), controls)


def _question(
    label: Mapping[str, Any], description: str, controls: Sequence[Any]
) -> tuple[Question, Sequence[str]]:
    words = str(label["value"])
    plain = Question(
        id=label["fieldName"],
        words=words.removesuffix(_OPTIONAL),
        description=description,
        required=not words.endswith(_OPTIONAL),
    )
    boxes = [part for part in controls if part["type"] == "Checkbox"]
    if boxes:
        choices = tuple(Choice(value=str(n), title=box["label"]) for n, box in enumerate(boxes))
        checked = tuple(str(n) for n, box in enumerate(boxes) if box.get("defaultChecked"))
        question = replace(plain, choices=choices, multiple=True, default=checked)
        return question, [box["name"] for box in boxes]
    (control,) = controls
    options = control.get("options", ())
    default = control.get("defaultValue")
    question = replace(
        plain,
        kind=_KINDS.get(control.get("inputType", ""), "text"),
        choices=tuple(Choice(value=each["value"], title=each["label"]) for each in options),
        default=() if default is None else (default,),
    )
    return question, ()
