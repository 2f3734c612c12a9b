"""The items of a response's output in their strict form, and all of them at its end."""

from typing import Any, cast

from chatbridge.adapters.openai.call_deltas import Call, CallDeltas, Place, given_arguments
from chatbridge.adapters.openai.halves import joined
from chatbridge.adapters.openai.telling import is_blank
from chatbridge.adapters.openai.texts import plain, texts
from chatbridge.adapters.openai.thinking import without_thinking

Json = dict[str, Any]
CALL = "function_call"
_NAMES_OF_A_CALL = (CALL, "tool_call", "function")


def strict_item(item: Any) -> Json | None:
    """The item with what its reader wants; None where it is none."""
    if not isinstance(item, dict):
        return None
    told = cast(Json, item)
    named = {k: v for k, v in told.items() if k not in ("id", "status") or isinstance(v, str)}
    match told.get("type") or ("message" if "content" in told else None):
        case "message":
            return named | {"type": "message", "role": "assistant", "content": _parts(told)}
        case "function_call" | "tool_call" | "function":
            return named | {"type": CALL}
        case "reasoning":
            return told if isinstance(told.get("summary"), list) else told | {"summary": []}
        case kind:
            return told if isinstance(kind, str) else None


def brings(item: Json) -> bool:
    """Whether it is a word or a call: all but thinking and a message without words."""
    if item["type"] != "message":
        return item["type"] != "reasoning"
    parts: list[Json] = item["content"]
    return any(not is_blank(part.get("text") or part.get("refusal") or "") for part in parts)


def _parts(message: Json) -> list[Json]:
    content: Any = message.get("content")
    listed = cast(list[Any], content) if isinstance(content, list) else [content]
    return [strict for part in listed for strict in _strict_parts(part)]


def _strict_parts(part: Any) -> list[Json]:
    told = cast(Json, part) if isinstance(part, dict) else {}
    if told.get("type") == "refusal":
        return [{"type": "refusal", "refusal": joined(plain(told.get("refusal")))}]
    cited: Any = told.get("annotations")
    annotations = cast(list[Any], cited) if isinstance(cited, list) else []
    said = [without_thinking(joined(each.text)) for each in texts(part) if each.kind == "answer"]
    return [_text("" if is_blank(text) else text, annotations) for text in said]


def _text(text: str, annotations: list[Any]) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


class Output:
    """What a response has brought, item by item; what is told twice is one item."""

    def __init__(self, calls: CallDeltas) -> None:
        self._calls = calls
        self._items: list[Json] = []

    def add(self, item: Json, place: Place, *, whole: bool) -> None:
        """An item has begun, or is whole."""
        if item["type"] != CALL:
            self._items += [item] if whole else []
        elif call := self._calls.take(item, place, whole=whole):
            call.extras = item

    def settled(self, output: Any, said: str) -> list[Json]:
        """All items, when the last event has told them once more; `said` are words of no item."""
        listed = cast(list[Any], output) if isinstance(output, list) else [output]
        told = [item for each in listed if (item := strict_item(each))]
        kinds = {item["type"] for item in told}
        told = [*(item for item in self._items if item["type"] not in kinds), *told]
        if said and not any(item["type"] == "message" for item in told):
            message = {"type": "message", "role": "assistant", "status": "completed"}
            told.append(message | {"content": [_text(said, [])]})
        placed: list[Call | Json] = []
        for item in told:
            same = self._same(item, placed) if item["type"] == CALL else item
            placed += [same] if same else []
        calls = self._calls.calls
        placed += calls
        first = [each for n, each in enumerate(placed) if not any(each is p for p in placed[:n])]
        return [_item(e) for e in first if not isinstance(e, Call) or any(e is c for c in calls)]

    def _same(self, item: Json, placed: list[Call | Json]) -> Call | None:
        """The call that this item is, if it is any."""
        name, arguments = item.get("name"), given_arguments(item)
        known = {call.theirs for call in self._calls.calls}
        free = (c for c in self._calls.calls if not any(c is each for each in placed))
        same = next((call for call in free if call.says(plain(name), arguments)), None)
        if same is None or item.get("call_id") in known:
            same = self._calls.take(item, (None, item.get("id")), whole=True) or same
        if same:
            same.extras = item
        return same


def _item(of: Call | Json) -> Json:
    if not isinstance(of, Call):
        return of
    call = {"call_id": of.id, "name": of.name, "arguments": of.arguments or "{}"}
    return {**of.extras, **call, "status": "completed"}
