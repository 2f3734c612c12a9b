"""What the offline model says, in Markdown."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, cast

THEME_TOOL = "switch_theme"

HELP = (
    "I am chatbridge's **offline assistant**: no language model, only a few rules, so that "
    "everything works without a network. I understand, for example:\n\n"
    "- `add buy milk` or `remind me to call mum`\n"
    "- `list my tasks`\n"
    "- `rename task 2 to buy oat milk`\n"
    "- `complete task 2` or `mark buy milk as done`\n"
    "- `delete task 2`\n"
    "- `what did I say before?`\n\n"
    "Several in one message are fine: `add buy milk and complete task 2`."
)
NO_TOOLS = "The task tools are not available right now. Please try again in a moment."
NO_REHEARSAL = "The tool for rehearsals is not available here; it is there in development only."
NOTHING_TO_DO = "There is nothing to do: no task fits."
_MOST = 20
"""Tasks that are said, word by word."""

CANT_READ = "I only follow rules, so I can't read files. Ask me for `help`."
HALF_A_SENTENCE = "This answer will stop in the middle of a"

_TALK = {
    "hello": "Hello! I can look after your tasks. Try `add buy milk`, or ask me for `help`.",
    "how": "Very well, thank you! How can I help you with your tasks?",
    "thanks": "You're welcome!",
    "bye": "Goodbye! Your tasks will be here when you come back.",
    "joke": "There are 10 kinds of people: those who read binary, and those who don't.",
    "good": "I'm glad to hear it!",
    "okay": "All right. Tell me what to do next, or ask me for `help`.",
    "sorry": "No harm done!",
    "too long": "That is too long for my simple rules. Please say it in fewer words.",
}
_LONG = (
    "This answer is long on purpose, so that one can watch it arrive word by word, stop it in the "
    "middle, close the page and come back, or lose the network and find everything kept."
)
_NAME = re.compile(r"(?:my name is|i am called|call me) (?P<name>[\w' -]{1,40})", re.I)
_SPECIAL = re.compile(r"([\\`*_\[\]<>~])")


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the tools tell about it."""

    number: int
    title: str
    done: bool


def small_talk(about: str, text: str, said: Sequence[str], answered: Sequence[str]) -> str:
    """The answer to anything but a task; `said` and `answered` are what was before it."""
    match about:
        case "said":
            return _recalled("Before this, you said", said[-1:])
        case "first said":
            return _recalled("The first thing that I can still see from you is", said[:1])
        case "answered":
            return _recalled("My last answer was", answered[-1:])
        case "named":
            return f"Nice to meet you, **{_escaped(_name_in([text]) or 'friend')}**!"
        case "my name":
            name = _name_in(said)
            return f"Your name is **{_escaped(name)}**." if name else "You have not told me yet."
        case _:
            return _TALK.get(about, HELP)


def long_answer(words: int) -> str:
    """Exactly this many words."""
    return " ".join(islice(cycle(_LONG.split()), max(words, 1)))


def brought(tool: str, output: str) -> str:
    """What a tool of somebody else's has answered."""
    parsed = _parsed(output) or {}
    if tool == THEME_TOOL and (theme := parsed.get("theme")):
        return f"The theme is **{theme}** now."
    return f"`{tool}` has answered: {output}"


def outcome(tool: str, output: str) -> str:
    """What a call has brought, in a sentence; an output that is no JSON is a failure's reason."""
    if tool == "list_tasks" and (tasks := tasks_in(output)) is not None:
        return _list(tasks, (_parsed(output) or {}).get("left_out", 0))
    parsed = _parsed(output)
    if tool == "rehearse" and parsed is not None:
        taken = str(parsed.get("seconds", 0)).removesuffix(".0")
        return f"The tool has answered, {taken} seconds later."
    task = _task(parsed)
    if task is None:
        return f"That did not work: {output}"
    return _done(tool, task)


def tasks_in(output: str) -> list[Task] | None:
    """The tasks in the output of `list_tasks`, or None if it failed."""
    parsed = _parsed(output)
    listed: Any = parsed.get("tasks") if parsed else None
    if not isinstance(listed, list):
        return None
    found = [_task(item) for item in cast(list[Any], listed)]
    return [task for task in found if task is not None]


def which(words: str, tasks: Sequence[Task]) -> str:
    """The answer where no task, or more than one, has these words."""
    if not tasks:
        return f"I found no task that matches **{_escaped(words)}**."
    lines = _lines(tasks)
    return f"Several tasks match **{_escaped(words)}**. Which one? Say its number.\n\n{lines}"


def _done(tool: str, task: Task) -> str:
    title = f"**{_escaped(task.title)}**"
    match tool:
        case "add_task":
            return f"Added {title} as task {task.number}."
        case "update_task":
            return f"Task {task.number} is now {title}."
        case "complete_task":
            return f"Task {task.number}, {title}, is done."
        case "delete_task":
            return f"Deleted task {task.number}, {title}."
        case _:
            return f"Task {task.number}: {title}."


def _list(tasks: Sequence[Task], left_out: int) -> str:
    if not tasks:
        return "Your task list is empty. Try `add buy milk`."
    open_ones = sum(not task.done for task in tasks)
    count = "1 task" if len(tasks) == 1 else f"{len(tasks) + left_out} tasks"
    at_least = "at least " if left_out else ""
    return f"You have {count}, {at_least}{open_ones} open:\n\n{_lines(tasks)}"


def _lines(tasks: Sequence[Task]) -> str:
    earlier = f"(and {len(tasks) - _MOST} earlier ones)\n\n" if len(tasks) > _MOST else ""
    return earlier + "\n".join(_line(task) for task in tasks[-_MOST:])


def _line(task: Task) -> str:
    title = _escaped(task.title)
    return f"- {task.number}: ~~{title}~~ (done)" if task.done else f"- {task.number}: {title}"


def _recalled(intro: str, texts: Sequence[str]) -> str:
    if not texts:
        return "This is the beginning of our conversation: there is nothing before it."
    quoted = "\n".join(f"> {line}" for line in texts[0].splitlines())
    return f"{intro}:\n\n{quoted}"


def _name_in(texts: Sequence[str]) -> str | None:
    found = [match["name"].strip() for text in texts for match in _NAME.finditer(text)]
    return found[-1] if found else None


def _parsed(output: str) -> dict[str, Any] | None:
    try:
        parsed: Any = json.loads(output)
    except ValueError:
        return None
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else None


def _task(item: Any) -> Task | None:
    if not isinstance(item, dict):
        return None
    task = cast(dict[str, Any], item)
    if not isinstance(task.get("number"), int) or not isinstance(task.get("title"), str):
        return None
    return Task(task["number"], task["title"], bool(task.get("done")))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
