"""What can be read of ChatKit's items in lines of text."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

_LINE_ID = "call-"
"""How the ids of the lines of a card of calls begin."""

_DETAILS = "chatbridge-details"


class Badge(NamedTuple):
    """A call's line: its title, its state with a colour, and what else is told of it, in lines."""

    key: str
    title: str
    label: str
    color: str
    details: list[str]


def badges_in(part: Any) -> Generator[Badge]:
    """The calls in a part of a widget; one of somebody else's has none."""
    match part:
        case {"id": str(id), "key": str(key), "children": [{"children": list()} as row, *more]} if (
            id.startswith(_LINE_ID)
        ):
            told: dict[str, Any] = {each["type"]: each for each in row["children"]}
            badge = told["Badge"]
            title, color = told["Text"]["value"], badge.get("color", "")
            yield Badge(key, title, badge["label"], color, _details(more))
        case {"children": list()}:
            for inner in cast(list[Any], part["children"]):
                yield from badges_in(inner)
        case _:
            pass


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, with the files that came along by their names."""
    text = "".join(part["text"] for part in message["content"])
    files = [str(each.get("name")) for each in message.get("attachments") or ()]
    return "\n".join(filter(None, (text, *(f"({name})" for name in files))))


def lines_of(item: Mapping[str, Any]) -> list[str]:
    """What is read of an item that is no message and no card of calls."""
    match item:
        case {"type": "widget", "copy_text": str(text)} if text.strip():
            return text.splitlines()
        case {"type": "widget", "widget": widget}:
            return [*_texts(widget)]
        case {"type": "workflow"} | {"type": "task"} | {"type": "generated_image"}:
            return _shown(item)
        case {"type": "structured_input", "inputs": inputs}:
            return [line for each in inputs for line in _answered(each)]
        case {"type": "client_tool_call", "name": name, "status": status}:
            return [f"({name} {'waits for its page' if status == 'pending' else 'ran in a page'})"]
        case {"type": "end_of_turn"}:
            return []
        case _:
            return [f"({item['type']})"]


def lines_in(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of texts, without the fences around what is quoted."""
    told = [(part["type"], line) for part in parts for line in str(part["value"]).splitlines()]
    return [line for kind, line in told if kind != "Markdown" or not line.startswith("```")]


def _details(parts: Sequence[Any]) -> list[str]:
    opened = (part["children"] for part in parts if part.get("key") == _DETAILS)
    return lines_in([each for children in opened for each in children])


def _texts(part: Any) -> Iterator[str]:
    """What stands in a widget, in order; of a picture what it shows."""
    match part:
        case {"type": "Image", "alt": str(alt)} if alt:
            yield f"({alt})"
        case {"type": "Badge" | "Button", "label": str(label)}:
            yield f"[{label}]"
        case {"type": str(), "value": str(value)}:
            yield from value.splitlines()
        case {"children": inside}:
            yield from _texts(inside)
        case list():
            for inner in cast(list[Any], part):
                yield from _texts(inner)
        case _:
            pass


def _shown(item: Mapping[str, Any]) -> list[str]:
    match item:
        case {"workflow": workflow}:
            return [_summary(workflow), *(f"  {line}" for line in _tasks(workflow))]
        case {"task": task}:
            return [f"({_task(task)})"]
        case _:
            return [_picture(item.get("image"))]


def _summary(workflow: Mapping[str, Any]) -> str:
    match workflow:
        case {"summary": {"duration": int(seconds)}}:
            return f"(Thought for {seconds} s)"
        case {"summary": {"title": str(title)}}:
            return f"({title})"
        case _:
            return "(workflow)"


def _tasks(workflow: Mapping[str, Any]) -> list[str]:
    # what was thought is long, and said by the summary
    return [_task(task) for task in workflow.get("tasks") or () if task.get("type") != "thought"]


def _task(task: Mapping[str, Any]) -> str:
    named = (task.get(name) for name in ("title", "title_query", "content"))
    return " ".join(str(next(filter(None, named), task.get("type"))).split())


def _picture(image: Any) -> str:
    match image:
        case {"url": str(url)} if not url.startswith("data:"):
            return f"(A picture: {url})"
        case _:
            return "(A picture)"


def _answered(asked: Mapping[str, Any]) -> list[str]:
    match asked:
        case {"question": question, "answer": {"values": [*values]}}:
            return [f"{question}", f"  {', '.join(map(str, values)) or '(no answer)'}"]
        case _:
            return [str(asked["question"])]
