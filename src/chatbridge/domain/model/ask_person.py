"""The tool by which a model asks a person: what it may ask, and the form that becomes of that."""

from collections.abc import Mapping
from typing import Any, cast

from chatbridge.domain.model.limits import MAX_QUESTIONS
from chatbridge.domain.model.question import Choice, Form, Question
from chatbridge.domain.model.tool import Tool

_QUESTION = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "description": "The question as the person reads it."},
        "choices": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Likely answers to choose from. The person may write another one.",
        },
        "multiple": {"type": "boolean", "description": "Whether several choices may be taken."},
    },
    "required": ["question"],
}

ASK_PERSON = Tool(
    name="ask_person",
    description="Ask the person in the chat what you need to know to go on, and wait for the "
    "answers. They may skip a question.",
    parameters={
        "type": "object",
        "properties": {
            "questions": {
                "type": "array",
                "items": _QUESTION,
                "description": f"1 to {MAX_QUESTIONS} questions, asked together.",
            }
        },
        "required": ["questions"],
    },
    asks="answers",
)


def form_in(arguments: Mapping[str, Any]) -> Form:
    """The form that a call's arguments mean. Raises ValueError in words for the model."""
    asked = arguments.get("questions")
    listed = cast(list[Any], asked) if isinstance(asked, list) else []
    form = Form(questions=tuple(_question(f"q{n}", each) for n, each in enumerate(listed, 1)))
    form.require_askable()
    return form


def _question(id: str, asked: Any) -> Question:
    match asked:
        case {"question": str(words), **more}:
            choices = _choices(more.get("choices"))
            multiple = more.get("multiple") is True and bool(choices)
            return Question(
                id=id, words=words.strip(), choices=choices, multiple=multiple, free=True
            )
        case _:
            raise ValueError("Each of the questions is an object with a `question`, a text.")


def _choices(given: Any) -> tuple[Choice, ...]:
    listed = cast(list[Any], given) if isinstance(given, list) else [given] * (given is not None)
    if not all(isinstance(each, str) for each in listed):
        raise ValueError("`choices` is a list of texts.")
    return tuple(Choice(value=each.strip()) for each in cast(list[str], listed))
