"""A server's form as questions, and a person's answers as what the server wants of it.

The schema is the small one of MCP's elicitation: an object of texts, numbers, yes or no, and
choices, one or several.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from chatbridge.adapters.mcp.elicitation.secret_fields import asks_for_a_secret
from chatbridge.domain.model.limits import MAX_QUESTION
from chatbridge.domain.model.question import NO, YES, Answers, Choice, Kind, Question

Json = Any
Schema = Mapping[str, Json]

_LONGEST_NAME = 200
_FORMATS: Mapping[str, Kind] = {
    "email": "email",
    "uri": "uri",
    "date": "date",
    "date-time": "date-time",
}
_BOUNDS = {"number": "imum", "integer": "imum", "text": "Length"}


class Unaskable(Exception):
    """It can't be put to a person; says why, for them, the model and the server."""


def questions_of(schema: Schema) -> tuple[Question, ...]:
    """The questions of a form, in its order, by its names. Raises Unaskable."""
    wanted = schema.get("required")
    required = cast(list[Json], wanted) if isinstance(wanted, list) else []
    return tuple(
        replace(question, required=name in required and not question.default)
        for name, each in _properties(schema).items()
        if (question := _question(name, each))
    )


def content_of(schema: Schema, answers: Answers) -> dict[str, Json]:
    """What the server is sent: the answers by their kinds, and the defaults of what was left."""
    content: dict[str, Json] = {}
    for name, each in _properties(schema).items():
        question = _question(name, each)
        if given := answers.get(name):
            content[name] = _value(question, each, given)
        elif question.default:
            content[name] = each["default"]
    return content


def _properties(schema: Schema) -> Mapping[str, Json]:
    properties = schema.get("properties")
    return cast(dict[str, Json], properties) if isinstance(properties, dict) else {}


def _question(name: str, schema: Json) -> Question:
    if not isinstance(schema, dict):
        raise Unaskable("asks for something that no form can hold")
    found = cast(dict[str, Json], schema)
    words = (_words(found.get("title")) or name)[:_LONGEST_NAME]
    if asks_for_a_secret(name, found):
        raise Unaskable(f"asks for “{words}” in a form, which is no place for secrets")
    listed, kind, multiple = _listed(found), _kind(found), found.get("type") == "array"
    if kind is None or (multiple and not listed):
        raise Unaskable(f"asks for “{words}”, of a kind that no form can hold")
    question = Question(
        id=name,
        words=words,
        kind=kind,
        description=_words(found.get("description"))[: MAX_QUESTION - _LONGEST_NAME],
        choices=tuple(Choice(value=_text(value), title=title) for value, title in listed),
        multiple=multiple,
    )
    return _with_default(_bounded(question, found), found.get("default"))


def _words(text: Json) -> str:
    return text.strip() if isinstance(text, str) else ""


def _kind(schema: Schema) -> Kind | None:
    """None for what no form can hold."""
    match schema.get("type"):
        case "number" | "integer" | "boolean" as kind:
            return kind
        case "string":
            return _FORMATS.get(str(schema.get("format")), "text")
        case "array":
            return "text"
        case _:
            return "text" if _listed(schema) else None


def _listed(schema: Schema) -> list[tuple[Json, str]]:
    """The values that can be chosen, each with its title; those of a list are its items'."""
    if schema.get("type") == "array":
        items = schema.get("items")
        return _listed(cast(Schema, items)) if isinstance(items, dict) else []
    for titled in (schema.get("oneOf"), schema.get("anyOf")):
        if isinstance(titled, list):
            each = [cast(Schema, one) for one in cast(list[Json], titled) if isinstance(one, dict)]
            found = [(one["const"], _words(one.get("title"))) for one in each if "const" in one]
            return _told_apart(found)
    values, names = schema.get("enum"), schema.get("enumNames")
    if not isinstance(values, list):
        return []
    titles = [*map(_words, cast(list[Json], names))] if isinstance(names, list) else []
    given = cast(list[Json], values)
    return _told_apart([*zip(given, [*titles, *[""] * len(given)], strict=False)])


def _told_apart(listed: list[tuple[Json, str]]) -> list[tuple[Json, str]]:
    """With titles of which no two are the same."""
    titles = [title or _text(value) for value, title in listed]
    return [
        (value, title if titles.count(title) == 1 else f"{title} ({_text(value)})")
        for (value, _), title in zip(listed, titles, strict=True)
    ]


def _bounded(question: Question, schema: Schema) -> Question:
    what = "Items" if question.multiple else _BOUNDS.get(question.kind, "")
    bounds = [schema.get(f"{end}{what}") for end in ("min", "max")]
    least, most = (each if isinstance(each, int | float) else None for each in bounds)
    # a choice is bounded by what there is to choose
    return replace(question, least=least, most=most) if what else question


def _with_default(question: Question, default: Json) -> Question:
    if default is None:
        return question
    several = cast(list[Json], default) if isinstance(default, list) else [default]
    if question.kind == "boolean":
        return replace(question, default=(YES if default else NO,))
    return replace(question, default=tuple(map(_text, several)))


def _value(question: Question, schema: Schema, given: tuple[str, ...]) -> Json:
    known = {_text(value): value for value, _ in _listed(schema)}
    if question.multiple:
        return [known.get(each, each) for each in given]
    return known[given[0]] if given[0] in known else question.value(given)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
