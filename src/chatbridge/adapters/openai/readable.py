"""What a model is given to read, made fit for the strictest endpoint and template that is known.

It holds for the window and for the running turn, and for both APIs: the Agents SDK makes the
messages of Chat Completions out of the same items. `docs/endpoints.md` says who has which rule.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, takewhile
from typing import Any, cast

from agents import TResponseInputItem

from chatbridge.adapters.openai.arguments import readable_arguments
from chatbridge.adapters.openai.names import permitted_name
from chatbridge.adapters.openai.thinking import without_thinking

Item = Mapping[str, Any]

UNANSWERED = "(This was not answered.)"
NO_OUTPUT = "(no output)"
OUTCOME_UNKNOWN = (
    "The outcome of this call is unknown: it was cut off and may have done its work. "
    "Check the present state before you repeat it."
)

_CALL, _OUTPUT, _THOUGHT = "function_call", "function_call_output", "reasoning"
_ABOVE = ("system", "developer")
_NO_ANNOTATIONS: Item = {"annotations": []}


def readable(items: Iterable[TResponseInputItem]) -> list[TResponseInputItem]:
    """The items in the form and the order that every reader takes."""
    read = [mended for item in items if (mended := _mended(cast(Item, item))) is not None]
    spoken = [*_in_turn([*_answers([*_asked_for(read)])])]
    return [cast(TResponseInputItem, _whole(n, item)) for n, item in enumerate(spoken)]


def instructed(items: Iterable[TResponseInputItem]) -> list[str]:
    """What stands among the items as instructions, which many templates take at the top only."""
    told = [cast(Item, item) for item in items if cast(Item, item).get("role") in _ABOVE]
    texts = [str(part.get("text") or "") for item in told for part in _parts(item, "input_text")]
    return [text for text in texts if text.strip()]


# --- one item


def _mended(item: Item) -> Item | None:
    """The item in its permitted form, or None where it says nothing."""
    if _is_assistants(item):
        parts = [_output_text(part) for part in _parts(item, "output_text")]
        said = [part for part in parts if str(part.get("text") or "").strip()]
        return {**item, "type": "message", "content": said} if said else None
    if "role" in item:
        return None if item["role"] in _ABOVE else _spoken(item)
    if item.get("type") == _CALL:
        name, arguments = str(item.get("name") or ""), str(item.get("arguments") or "")
        return {
            **item,
            "name": permitted_name(name),
            "arguments": readable_arguments(arguments),
        }
    if item.get("type") == _OUTPUT:
        return {**item, "output": _said_or(NO_OUTPUT, item.get("output"))}
    return item


def _spoken(item: Item) -> Item | None:
    content = _said_or("", item.get("content"))
    return {**item, "type": "message", "content": content} if content else None


def _said_or(otherwise: str, content: Any) -> Any:
    """The content without its blank parts, as one text where it can be; else `otherwise`."""
    if isinstance(content, list):
        parts = [p for p in cast(list[Item], content) if str(p.get("text", "-")).strip()]
        if all("text" in part for part in parts):
            return "\n".join(str(part["text"]) for part in parts) or otherwise
        return parts
    return content if str(content or "").strip() else otherwise


def _parts(item: Item, kind: str) -> list[Item]:
    content: Any = item.get("content")
    return [{"type": kind, "text": content}] if isinstance(content, str) else [*(content or [])]


# A refusal is an answer too; Chat Completions would have a message of it that says nothing.
def _output_text(part: Item) -> Item:
    if part.get("type") == "refusal":
        return _text(str(part.get("refusal") or ""))
    if part.get("type") != "output_text":
        return part
    return {**_NO_ANNOTATIONS, **part, "text": without_thinking(str(part.get("text") or ""))}


def _text(text: str) -> Item:
    return {"type": "output_text", "text": text, **_NO_ANNOTATIONS}


def _whole(place: int, item: Item) -> Item:
    """What an assistant says needs an id and a status too, where a server checks OpenAI's types."""
    if not _is_assistants(item):
        return item
    return {**item, "id": item.get("id") or f"msg_past_{place}", "status": "completed"}


# --- one answer


def _asked_for(items: Sequence[Item]) -> Iterator[Item]:
    """The items without the outputs that no call has asked for."""
    open = Counter[Any]()
    for item in items:
        id, kind = item.get("call_id"), item.get("type")
        open[id] += (kind == _CALL) - (kind == _OUTPUT)
        if kind != _OUTPUT or open[id] >= 0:
            yield item
        else:
            open[id] = 0


def _answers(items: Sequence[Item]) -> Iterator[Item]:
    """The items with each answer in one piece, and each call's output right behind it."""
    outputs: defaultdict[Any, list[Item]] = defaultdict(list)
    for item in items:
        if item.get("type") == _OUTPUT:
            outputs[item.get("call_id")].append(item)
    for beginning, group in groupby(items, key=_kind):
        if beginning == "answer":
            answer = _in_one_piece([*group])
            yield from answer
            yield from (_output_of(i, outputs) for i in answer if i.get("type") == _CALL)
        elif beginning == "spoken":
            yield from group


def _kind(item: Item) -> str:
    if item.get("type") == _OUTPUT:
        return "output"
    return "spoken" if "role" in item and not _is_assistants(item) else "answer"


def _in_one_piece(answer: list[Item]) -> list[Item]:
    """What is said and then the calls; what was thought or done before one of them stays there."""
    joined: list[Item] = []
    for item in chain(*sorted(_steps(answer), key=lambda step: not _is_assistants(step[-1]))):
        before = _said_before(joined) if _is_assistants(item) else None
        joined.append(item if before is None else _joined(joined.pop(before), item))
    return joined


def _steps(answer: list[Item]) -> Iterator[list[Item]]:
    """Each thing said and each call with what stands before it, and at last what stands alone."""
    step: list[Item] = []
    for item in answer:
        step.append(item)
        if _is_assistants(item) or item.get("type") == _CALL:
            yield step
            step = []
    if step:
        yield step


def _said_before(joined: list[Item]) -> int | None:
    """Where the assistant last said something, if it has only thought since."""
    thought = sum(1 for _ in takewhile(lambda item: item.get("type") == _THOUGHT, reversed(joined)))
    place = len(joined) - thought - 1
    return place if place >= 0 and _is_assistants(joined[place]) else None


def _joined(first: Item, second: Item) -> Item:
    texts = [part["text"] for item in (first, second) for part in item["content"]]
    return {**second, "content": [_text("\n\n".join(texts))]}


def _output_of(call: Item, outputs: Mapping[Any, list[Item]]) -> Item:
    id = call.get("call_id")
    known = outputs.get(id)
    return known.pop(0) if known else {"type": _OUTPUT, "call_id": id, "output": OUTCOME_UNKNOWN}


# --- turns


# Joined, two questions would ask for two answers; a line says what happened, and serves behind a
# tool's output as well.
def _in_turn(items: Sequence[Item]) -> Iterator[Item]:
    """The items with an assistant's word between whatever was said and the next question."""
    before: Item | None = None
    for item in items:
        open = before is not None and (before.get("role") == "user" or _kind(before) == "output")
        if open and item.get("role") == "user":
            yield {"type": "message", "role": "assistant", "content": [_text(UNANSWERED)]}
        yield item
        before = item


def _is_assistants(item: Item) -> bool:
    return item.get("role") == "assistant"
