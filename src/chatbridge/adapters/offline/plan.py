"""What the offline model does next: calls it makes, or words it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from chatbridge.adapters.offline import replies
from chatbridge.adapters.offline.intents import (
    ALL,
    AddTask,
    CompleteTask,
    DeleteTask,
    Intent,
    ListTasks,
    RehearseFailure,
    RehearseLength,
    RehearseTool,
    Talk,
    TaskIntent,
    UpdateTask,
    understand,
)
from chatbridge.adapters.offline.named import Schema, arguments_of, named_in
from chatbridge.adapters.offline.tagged import by_number, without_tags
from chatbridge.domain.model.attachment import ATTACHED
from chatbridge.domain.model.task import TASK_TOOLS

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Say:
    """Words, in Markdown; `broken` is said and then the model fails."""

    text: str
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A call of the tool that is offered under this name."""

    name: str
    arguments: Mapping[str, Any]


Step = Say | Ask


@dataclass(frozen=True, slots=True)
class Seen:
    """A call of this turn and what came of it."""

    name: str
    output: str


def plan(
    items: Sequence[Item], tools: Mapping[str, Schema], *, chosen: Any = None
) -> tuple[Step, ...]:
    """The next step: one text, or calls that run side by side.

    `tools` are those that are offered, with the schemas of their arguments; `chosen` is the name of
    the one that has to be called.
    """
    spoken = [i for i in items if i.get("role") == "user"]
    said, attached, _ = (_text(spoken[-1]) if spoken else "").partition(ATTACHED)
    if attached and not said.strip():
        return (Say(replies.CANT_READ),)
    text = by_number(said.rstrip())
    if chosen:
        return (Ask(chosen, arguments_of(text, tools[chosen])),)
    if named := named_in(text, tools):
        return _by_name(*named, _seen(items))
    intents = understand(text)
    match intents[0]:
        case Talk() if seen := _seen(items):
            return (Say(replies.brought(seen[-1].name, seen[-1].output)),)
        case Talk(about=about):
            return (Say(replies.small_talk(about, text, *_history(items))),)
        case RehearseFailure():
            return (Say(replies.HALF_A_SENTENCE, broken=True),)
        case RehearseLength(words=words):
            return (Say(replies.long_answer(words)),)
        case _:
            return _Work(intents, _seen(items), tools).step()


def _by_name(name: str, arguments: Mapping[str, Any], seen: Sequence[Seen]) -> tuple[Step, ...]:
    brought = [each.output for each in seen if each.name == name]
    return (Say(replies.brought(name, brought[0])) if brought else Ask(name, arguments),)


class _Work:
    """The wishes of one message, worked off in at most two rounds of calls and an answer."""

    def __init__(
        self, intents: Sequence[Intent], seen: Sequence[Seen], tools: Mapping[str, Schema]
    ) -> None:
        self._intents = intents
        self._seen = seen
        self._offered = {name: _offered(name, [*tools]) for name in TASK_TOOLS}
        listing = tools.get(self._offered["list_tasks"] or "", {})
        self._of_lists = cast(Mapping[str, Any], listing.get("properties") or {})
        self._names = {offered: name for name, offered in self._offered.items()}

    def step(self) -> tuple[Step, ...]:
        """What is still to be called, or else the answer."""
        first = self._first_round()
        if any(self._offered[name] is None for name, _ in first):
            return (Say(self._not_available()),)
        if not self._seen:
            return self._asked(first)
        second = self._second_round()
        if len(self._seen) <= len(first) and second:
            return self._asked(second)
        return (Say(self._answer()),)

    def _first_round(self) -> list[tuple[str, dict[str, Any]]]:
        calls = [call for intent in self._intents if (call := _direct(intent)) is not None]
        listed = any(name == "list_tasks" for name, _ in calls)
        looked_up = any(_by_title(intent) for intent in self._intents)
        return [*calls, self._list(show=False)] if looked_up and not listed else calls

    def _second_round(self) -> list[tuple[str, dict[str, Any]]]:
        tasks = self._listed()
        choices = [self._list(numbers=numbers) for numbers in self._choices(tasks)]
        calls = [
            call
            for intent in self._intents
            if _by_title(intent)
            for number in _chosen(intent, tasks)
            if (call := _on(intent, number)) is not None
        ]
        return [*calls, *choices] if "numbers" in self._of_lists else calls

    def _choices(self, tasks: list[replies.Task]) -> Iterator[list[int]]:
        """The open tasks of which each may be the one that is to be completed."""
        for intent in self._intents:
            if _by_title(intent) and isinstance(intent, CompleteTask):
                matching = _matching(_words(intent), tasks)
                numbers = [task.number for task in matching if not task.done]
                if len(matching) > 1 and numbers and not _chosen(intent, tasks):
                    yield numbers

    def _list(self, **arguments: Any) -> tuple[str, dict[str, Any]]:
        """As it can be asked for: somebody else's tool of this name may have other arguments."""
        known = {name: value for name, value in arguments.items() if name in self._of_lists}
        return "list_tasks", known

    def _listed(self) -> list[replies.Task]:
        outputs = [s.output for s in self._seen if self._names.get(s.name) == "list_tasks"]
        return replies.tasks_in(outputs[0]) or [] if outputs else []

    def _asked(self, calls: list[tuple[str, dict[str, Any]]]) -> tuple[Step, ...]:
        return tuple(Ask(self._offered[name] or name, arguments) for name, arguments in calls)

    def _answer(self) -> str:
        wants_list = any(isinstance(intent, ListTasks) for intent in self._intents)
        lines = list[str]()
        for seen in self._seen:
            name = self._names.get(seen.name, seen.name)
            looked_up = name == "list_tasks" and not wants_list
            if not looked_up or replies.tasks_in(seen.output) is None:
                lines.append(replies.outcome(name, seen.output))
            # another one is of those that may be meant
            wants_list = wants_list and name != "list_tasks"
        return "\n\n".join([*lines, *self._unclear()]) or replies.NOTHING_TO_DO

    def _unclear(self) -> list[str]:
        outputs = [s.output for s in self._seen if self._names.get(s.name) == "list_tasks"]
        tasks = replies.tasks_in(outputs[0]) if outputs else None
        if tasks is None:
            return []
        unclear = [i for i in self._intents if _by_title(i) and not _chosen(i, tasks)]
        return [replies.which(_words(i), _matching(_words(i), tasks)) for i in unclear]

    def _not_available(self) -> str:
        rehearsed = isinstance(self._intents[0], RehearseTool)
        return replies.NO_REHEARSAL if rehearsed else replies.NO_TOOLS


def _direct(intent: Intent) -> tuple[str, dict[str, Any]] | None:
    match intent:
        case AddTask(title=title):
            return "add_task", {"title": title}
        case ListTasks():
            return "list_tasks", {}
        case RehearseTool(outcome="slow", seconds=seconds):
            return "rehearse", {"outcome": "slow", "seconds": seconds}
        case RehearseTool(outcome=outcome):
            return "rehearse", {"outcome": outcome}
        case CompleteTask(target=int(number)) | DeleteTask(target=int(number)):
            return _on(intent, number)
        case UpdateTask(target=int(number)):
            return _on(intent, number)
        case _:
            return None


def _on(intent: Intent, number: int) -> tuple[str, dict[str, Any]] | None:
    match intent:
        case CompleteTask():
            return "complete_task", {"number": number}
        case DeleteTask():
            return "delete_task", {"number": number}
        case UpdateTask(title=title):
            return "update_task", {"number": number, "title": title}
        case _:
            return None


def _by_title(intent: Intent) -> bool:
    return isinstance(intent, CompleteTask | DeleteTask | UpdateTask) and not isinstance(
        intent.target, int
    )


def _words(intent: Intent | TaskIntent) -> str:
    wanted = isinstance(intent, CompleteTask | DeleteTask | UpdateTask)
    return str(intent.target) if wanted else ""


def _chosen(intent: Intent, tasks: list[replies.Task]) -> list[int]:
    words = _words(intent)
    if words == ALL and not isinstance(intent, UpdateTask):
        open_only = isinstance(intent, CompleteTask)
        return [t.number for t in tasks if not (open_only and t.done)]
    found = _matching(words, tasks)
    return [found[0].number] if len(found) == 1 else []


def _matching(words: str, tasks: list[replies.Task]) -> list[replies.Task]:
    """The tasks with this title; else those that hold the phrase; else those with all its words."""
    said = words.casefold()
    exact = [t for t in tasks if t.title.casefold() == said]
    phrase = [t for t in tasks if said in t.title.casefold()]
    loose = [t for t in tasks if set(said.split()) <= set(t.title.casefold().split())]
    return exact or phrase or loose


# A server may put its own name in front of its tools'.
def _offered(name: str, tools: Sequence[str]) -> str | None:
    ends = (f"_{name}", f".{name}", f"-{name}")
    return next((t for t in tools if t == name), next((t for t in tools if t.endswith(ends)), None))


def _seen(items: Sequence[Item]) -> list[Seen]:
    """The calls since the person spoke that have an output."""
    last = max((n for n, item in enumerate(items) if item.get("role") == "user"), default=0)
    turn = items[last:]
    kind = "function_call_output"
    outputs = {i["call_id"]: str(i.get("output")) for i in turn if i.get("type") == kind}
    calls = [i for i in turn if i.get("type") == "function_call" and i["call_id"] in outputs]
    return [Seen(i["name"], outputs[i["call_id"]]) for i in calls]


def _history(items: Sequence[Item]) -> tuple[list[str], list[str]]:
    said = [without_tags(_text(i)) for i in items if i.get("role") == "user"][:-1]
    answered = [_text(i) for i in items if i.get("role") == "assistant"]
    return said, answered


def _text(item: Item) -> str:
    content: Any = item.get("content")
    if isinstance(content, str):
        return content
    parts = cast(list[Mapping[str, Any]], content or [])
    return "".join(str(part.get("text") or "") for part in parts)
