"""Questions that a person is asked together, and what their answers may be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import Literal
from urllib.parse import urlsplit

from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Invalid
from chatbridge.domain.model.limits import MAX_CHOICES, MAX_QUESTION, MAX_QUESTIONS

Kind = Literal["text", "number", "integer", "boolean", "date", "date-time", "email", "uri"]
Answers = dict[str, tuple[str, ...]]
"""What was answered, as text, by the questions' ids; of one that was left out, nothing."""

YES, NO = "true", "false"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What may be answered, and how a person reads it, where that is something else."""

    value: str
    title: str = ""

    @property
    def words(self) -> str:
        """What a person reads."""
        return self.title or self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `free`: an answer of one's own is taken besides the `choices`.

    `least` and `most` are the bounds of a number, of a text's characters, or, where `multiple`
    choices are taken, of how many. `default` is what is filled in before anybody answers.
    `link` is a page to be opened first, by whoever answers.
    """

    id: str
    words: str
    kind: Kind = "text"
    description: str = ""
    choices: tuple[Choice, ...] = ()
    multiple: bool = False
    free: bool = False
    required: bool = False
    default: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    link: str = ""

    def read(self, given: Sequence[str]) -> tuple[str, ...]:
        """The answer as it is kept. Raises Invalid (`wrong_answer`) where it is none to this."""
        values = tuple(value for each in given if (value := self._chosen(each.strip())))
        if not values and self.required:
            raise self._wrong("has to be answered")
        if len(values) > 1 and not self.multiple:
            raise self._wrong("takes one answer")
        if values and self.multiple:
            self._require_within(len(values), "answers")
        for value in values:
            self._require_fitting(value)
        return values

    def value(self, kept: Sequence[str]) -> str | float | bool | list[str] | None:
        """The answer by its kind; None where there is none."""
        if self.multiple:
            return [*kept]
        if not kept:
            return None
        match self.kind:
            case "integer":
                return int(kept[0])
            case "number":
                return float(kept[0])
            case "boolean":
                return kept[0] == YES
            case _:
                return kept[0]

    def said(self, kept: Sequence[str]) -> list[str]:
        """The answer in the words that a person has read."""
        words = {choice.value: choice.words for choice in self.offered}
        return [words.get(value, value) for value in kept]

    @property
    def offered(self) -> tuple[Choice, ...]:
        """What there is to choose; of a yes or no, both."""
        if self.kind == "boolean" and not self.choices:
            return (Choice(value=YES, title="Yes"), Choice(value=NO, title="No"))
        return self.choices

    # a surface may show only the words of a choice, and so send these
    def _chosen(self, given: str) -> str:
        known = {choice.value for choice in self.offered}
        titles = {choice.words: choice.value for choice in self.offered}
        return given if given in known else titles.get(given, given)

    def _require_fitting(self, value: str) -> None:
        if self.offered:
            if not self.free and value not in {choice.value for choice in self.offered}:
                raise self._wrong("takes one of its choices")
            return
        if self.kind in ("number", "integer"):
            self._require_within(self._number(value), "")
        elif not _is_a(self.kind, value):
            raise self._wrong(f"takes {_FORMS[self.kind]}")
        elif not self.multiple:
            self._require_within(len(value), "characters")

    def _number(self, value: str) -> float:
        try:
            number = int(value) if self.kind == "integer" else float(value)
            if isfinite(number):
                return number
        except (ValueError, OverflowError):
            pass
        raise self._wrong(f"takes {_FORMS[self.kind]}") from None

    def _require_within(self, size: float, of: str) -> None:
        if self.least is not None and size < self.least:
            raise self._wrong(f"takes at least {self.least:g} {of}".strip())
        if self.most is not None and size > self.most:
            raise self._wrong(f"takes at most {self.most:g} {of}".strip())

    def _wrong(self, why: str) -> Invalid:
        return refusals.wrong_answer(f"“{self.words}” {why}.")


_FORMS: Mapping[Kind, str] = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "yes or no",
    "date": "a date, such as 2026-03-31",
    "date-time": "a date with a time, such as 2026-03-31T14:30:00Z",
    "email": "an e-mail address",
    "uri": "an address, such as https://example.com",
}


def form_of(kind: Kind) -> str:
    """What an answer of this kind has to look like, in words; empty where anything does."""
    return "" if kind in ("text", "boolean") else _FORMS[kind]


def _is_a(kind: Kind, value: str) -> bool:
    try:
        match kind:
            case "date":
                return bool(date.fromisoformat(value))
            case "date-time":
                return bool(datetime.fromisoformat(value)) and len(value) > len("2026-03-31")
            case "email":
                return _ADDRESS.fullmatch(value) is not None
            case "uri":
                return bool(urlsplit(value).scheme)
            case _:
                return True
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Questions that are asked together. `source` is the tool server that asks; empty: the
    assistant. `title` is what is said above them. `live`: the call that asks goes on meanwhile, and
    ends with the server that runs it. `round`: which of the call's forms it is, counted from 1."""

    questions: tuple[Question, ...]
    title: str = ""
    source: str = ""
    live: bool = False
    round: int = 1

    def require_askable(self) -> None:
        """Raises ValueError, in words that a model can use, for what nobody could answer."""
        if not 0 < len(self.questions) <= MAX_QUESTIONS:
            raise ValueError(f"There have to be 1 to {MAX_QUESTIONS} questions.")
        ids = [question.id for question in self.questions]
        if len({*ids}) < len(ids):
            raise ValueError("Each question needs an id of its own.")
        for question in self.questions:
            _require_askable(question)

    def read(self, given: Mapping[str, Sequence[str]]) -> Answers:
        """The answers as they are kept. Raises Invalid (`wrong_answer`)."""
        known = {question.id for question in self.questions}
        for id in given:
            if id not in known:
                raise refusals.wrong_answer(f"There is no question '{id[:40]}'.")
        read = {each.id: each.read(given.get(each.id, ())) for each in self.questions}
        return {id: values for id, values in read.items() if values}

    def values(self, answers: Answers) -> dict[str, str | float | bool | list[str]]:
        """The answers by their kinds, of what was answered."""
        told = ((q.id, q.value(answers[q.id])) for q in self.questions if q.id in answers)
        return {id: value for id, value in told if value is not None}


def _require_askable(question: Question) -> None:
    if not question.words.strip():
        raise ValueError("Each question needs words.")
    if len(question.words) + len(question.description) > MAX_QUESTION:
        raise ValueError(f"A question has at most {MAX_QUESTION:,} characters.")
    values = [choice.value.strip() for choice in question.choices]
    if len(values) > MAX_CHOICES or any(len(value) > MAX_QUESTION for value in values):
        raise ValueError(
            f"A question has at most {MAX_CHOICES} choices of {MAX_QUESTION:,} characters."
        )
    if not all(values) or len({*values}) < len(values):
        raise ValueError("Each choice needs words, and other ones than the next.")
    if question.multiple and not question.choices:
        raise ValueError("A question that takes several answers needs choices.")
