"""What a person wants, found by rules: the offline model's understanding of English.

One message may hold several wishes ("add buy milk and complete task 2"). Titles are taken
verbatim; only quotes, a final full stop and a final "please" are not part of them.
"""

import re
from dataclasses import dataclass
from itertools import islice

from chatbridge.adapters.offline import phrases
from chatbridge.domain.model.task import Rehearsal

Target = int | str
ALL = "all"

_LONGEST_ANSWER = 5_000
_LONGEST_MESSAGE = 1_000
_MOST_JOINTS = 20
"""So many "and"s and commas are looked at: each is read with all that is before and behind."""
_MOST_FILLERS = 20


@dataclass(frozen=True, slots=True)
class AddTask:
    """A new task with this title."""

    title: str


@dataclass(frozen=True, slots=True)
class ListTasks:
    """All tasks."""


@dataclass(frozen=True, slots=True)
class UpdateTask:
    """Another title for the task with this number, or with these words in its title."""

    target: Target
    title: str


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """The task with this number, or with these words in its title, is done."""

    target: Target


@dataclass(frozen=True, slots=True)
class DeleteTask:
    """The task with this number, or with these words in its title, is not wanted."""

    target: Target


@dataclass(frozen=True, slots=True)
class RehearseTool:
    """A tool that fails, takes its time (`seconds`) or crashes."""

    outcome: Rehearsal
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class RehearseFailure:
    """A model that breaks down in the middle of a sentence."""


@dataclass(frozen=True, slots=True)
class RehearseLength:
    """An answer of this many words."""

    words: int


@dataclass(frozen=True, slots=True)
class Talk:
    """Anything else: the name of what is to be said."""

    about: str


TaskIntent = AddTask | ListTasks | UpdateTask | CompleteTask | DeleteTask
Intent = TaskIntent | RehearseTool | RehearseFailure | RehearseLength | Talk


def understand(message: str) -> tuple[Intent, ...]:
    """Everything that is asked for, in its order; one `Talk("help")` if nothing is clear."""
    text = _spaced(message)
    if len(text) > _LONGEST_MESSAGE:
        return (Talk("too long"),)
    special = _rehearsal(text) or _talk(phrases.TALK, text)
    if special is not None:
        return (special,)
    found = tuple(wish for clause in _clauses(text) for wish in _wishes(clause))
    return found or (_talk(phrases.OPENINGS, text) or Talk("help"),)


def theme_in(message: str) -> str | None:
    """How the page is to look, if that is asked for: light, dark or system."""
    text = _spaced(message)
    found = phrases.THEME.fullmatch(_unfilled(text)) if len(text) <= _LONGEST_MESSAGE else None
    return found["theme"].lower() if found else None


# Long runs of spaces make the patterns slow, and mean nothing.
def _spaced(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _rehearsal(text: str) -> Intent | None:
    found = phrases.REHEARSAL.fullmatch(_unfilled(text))
    if found is None:
        return None
    what = found["what"].lower()
    number = phrases.NUMBER.search(what)
    if "model" in what:
        return RehearseFailure()
    if "long" in what or "words" in what:
        return RehearseLength(min(int(number[0]), _LONGEST_ANSWER) if number else 200)
    if "slow" in what:
        return RehearseTool("slow", int(number[0]) if number else 3)
    return RehearseTool("crash" if "crash" in what else "fail")


def _talk(rules: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> Talk | None:
    forms = {form.strip(" ?!.…,:)(\n") for form in (text, _unfilled(text))}
    return next((Talk(about) for about, rule in rules if any(map(rule.fullmatch, forms))), None)


def _clauses(text: str) -> list[str]:
    """The parts of the text that ask for something on their own."""
    hidden = phrases.QUOTED.sub(lambda found: "x" * len(found[0]), text)
    start, cut, clauses = 0, 0, list[str]()
    for found in islice(phrases.JOINT.finditer(hidden), _MOST_JOINTS):
        cut = found.start()
        if _stands_alone(text[found.end() :], after=text[start:cut]):
            clauses.append(text[start:cut])
            start = found.end()
    return [*clauses, text[start:]]


# A title may hold "and": after one, only what can hardly be a title begins a new wish.
def _stands_alone(rest: str, *, after: str) -> bool:
    titled = any(isinstance(wish, AddTask | UpdateTask) for wish in _wishes(after))
    begins = (phrases.SURELY_NEXT if titled else phrases.MAYBE_NEXT).match(_unfilled(rest))
    return bool(begins and _wishes(rest))


def _wishes(clause: str) -> tuple[TaskIntent, ...]:
    text = _unfilled(clause)
    bare = text.strip(" ?!.")
    if any(rule.fullmatch(bare) for rule in phrases.LIST):
        return (ListTasks(),)
    return (
        tuple(map(CompleteTask, _named(phrases.COMPLETE, bare)))
        or tuple(map(DeleteTask, _named(phrases.DELETE, bare)))
        or _updated(phrases.UPDATE, text)
        or _added(text)
        or _updated(phrases.UPDATE_LAST, text)
        or tuple(map(CompleteTask, _named(phrases.COMPLETE_LAST, bare)))
        or tuple(map(DeleteTask, _named(phrases.DELETE_LAST, bare)))
    )


def _unfilled(clause: str) -> str:
    text = clause.strip()
    for _ in range(_MOST_FILLERS):
        found = phrases.FILLER.match(text)
        if not found or not text[found.end() :].strip():
            break
        text = text[found.end() :]
    return text


def _updated(rules: tuple[re.Pattern[str], ...], text: str) -> tuple[TaskIntent, ...]:
    found = next(filter(None, (rule.fullmatch(text) for rule in rules)), None)
    if found is None:
        return ()
    return tuple(UpdateTask(t, _title(found["title"])) for t in _targets(found["ref"])[:1])


def _added(text: str) -> tuple[TaskIntent, ...]:
    found = next(filter(None, (rule.fullmatch(text) for rule in phrases.ADD)), None)
    title = _title(found["title"]) if found else ""
    return (AddTask(title),) if title else ()


def _named(rules: tuple[re.Pattern[str], ...], text: str) -> tuple[Target, ...]:
    found = next(filter(None, (rule.fullmatch(text) for rule in rules)), None)
    return _targets(found["ref"]) if found else ()


def _title(said: str) -> str:
    text = phrases.TITLE_END.sub("", said.strip()).strip()
    if len(text) > 1 and text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    return _unquoted(text)


def _unquoted(text: str) -> str:
    if len(text) > 2 and text[0] + text[-1] in phrases.QUOTES:
        return text[1:-1].strip()
    return text


def _targets(said: str) -> tuple[Target, ...]:
    text = phrases.TITLE_END.sub("", said.strip()).strip()
    if (words := _unquoted(text)) != text:
        return (words,)
    if phrases.EVERYTHING.fullmatch(text):
        return (ALL,)
    if found := phrases.NUMBERS.fullmatch(text):
        return tuple(dict.fromkeys(_numbers(found["numbers"].lower())))
    if found := phrases.ORDINAL.fullmatch(text):
        return (phrases.ORDINALS.index(found["ordinal"].lower()) + 1,)
    words = _unquoted(phrases.AROUND_WORDS.sub("", text).strip())
    return (words,) if words else ()


def _numbers(text: str) -> list[int]:
    numbers = list[int]()
    for first, last in phrases.NUMBER_OR_RANGE.findall(text):
        begin = _number(first)
        numbers += range(begin, min(_number(last) if last else begin, begin + 99) + 1)
    return numbers


def _number(word: str) -> int:
    return int(word) if word.isdigit() else phrases.NUMBER_WORDS.index(word) + 1
