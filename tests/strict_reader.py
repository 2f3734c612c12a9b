"""The strictest reader of a history: the rules of known endpoints and templates, all at once."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any

Message = Mapping[str, Any]

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[A-Za-z0-9]{9}")


def complaint(request: Mapping[str, Any]) -> str | None:
    """What this reader refuses in a request of either API; None where it takes all of it."""
    shapes = (_wrong_shape(item) for item in request.get("input", ()))
    told = messages_of(request)
    wrong = chain(shapes, (_instructions(request),), (rule(told) for rule in _RULES))
    return next((found for found in wrong if found is not None), None)


def messages_of(request: Mapping[str, Any]) -> list[Message]:
    """What is said in a request of either API, without the instructions."""
    given = request.get("messages")
    told = [*_as_messages(request["input"])] if given is None else given
    return [message for message in told if message["role"] != "system"]


def _instructions(request: Mapping[str, Any]) -> str | None:
    roles = [each.get("role") for each in request.get("messages") or request.get("input") or ()]
    first = 1 if "messages" in request and roles[:1] == ["system"] else 0
    return "instructions amid it" if {"system", "developer"} & {*roles[first:]} else None


def _order(told: Sequence[Message]) -> str | None:
    roles = [message["role"] for message in told]
    if roles[:1] != ["user"]:
        return f"it begins with {roles[:1]}"
    allowed = {
        ("user", "assistant"),
        ("assistant", "user"),
        ("tool", "tool"),
        ("tool", "assistant"),
    }
    for before, after in pairwise(told):
        pair = (before["role"], after["role"])
        called = bool(before.get("tool_calls"))
        if (called and pair != ("assistant", "tool")) or (not called and pair not in allowed):
            return f"{pair[1]} behind {pair[0]}"
    return "calls at the end" if told[-1].get("tool_calls") else None


def _blank(told: Sequence[Message]) -> str | None:
    for message in told:
        content = message.get("content")
        if content is None and message.get("tool_calls"):
            continue
        if not isinstance(content, str) or not content.strip():
            return f"{message['role']} says {content!r}"
    return None


def _calls(told: Sequence[Message]) -> str | None:
    for message in told:
        for call in message.get("tool_calls") or []:
            function = call["function"]
            if not NAME.fullmatch(function["name"]):
                return f"the name {function['name']!r}"
            if not is_strict_object(function["arguments"]):
                return f"the arguments {function['arguments']!r}"
            if not CALL_ID.fullmatch(call["id"]):
                return f"the id {call['id']!r}"
    return None


def _pairs(told: Sequence[Message]) -> str | None:
    asked: list[str] = []
    for message in told:
        if message["role"] == "tool":
            if not asked or asked.pop(0) != message["tool_call_id"]:
                return f"an output for {message['tool_call_id']}, in vain or out of turn"
        elif asked:
            return f"no output for {asked}"
        else:
            asked = [call["id"] for call in message.get("tool_calls") or []]
    return None


def _ids_once(told: Sequence[Message]) -> str | None:
    ids = [call["id"] for message in told for call in message.get("tool_calls") or []]
    return None if len({*ids}) == len(ids) else "an id that stands twice"


_RULES: tuple[Callable[[Sequence[Message]], str | None], ...] = (
    _order,
    _blank,
    _calls,
    _pairs,
    _ids_once,
)


def is_strict_object(text: str) -> bool:
    """Whether this is one object of JSON as RFC 8259 has it, without a name that stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    def finite(number: str) -> float:
        if not math.isfinite(float(number)):
            raise ValueError(number)
        return float(number)

    try:
        read = json.loads(text, object_pairs_hook=once, parse_constant=finite, parse_float=finite)
        text.encode()
        json.dumps(read, ensure_ascii=False).encode()
    except ValueError:
        return False
    return isinstance(read, dict)


# llama.cpp asks for the type of each item, vLLM for all that OpenAI's types have of an answer.
def _wrong_shape(item: Mapping[str, Any]) -> str | None:
    if "type" not in item:
        return f"an item without a type: {item}"
    if item.get("role") != "assistant":
        return None
    parts = item["content"]
    whole = isinstance(parts, list) and all(
        part["type"] == "output_text" and "annotations" in part for part in parts
    )
    known = str(item.get("id")).startswith("msg_") and item.get("status") == "completed"
    return None if whole and known else f"an assistant's message of another form: {item}"


def _as_messages(items: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    """The messages that a server makes for its template out of the items of Responses."""
    answer: dict[str, Any] | None = None
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call" or item.get("role") == "assistant":
            if answer is None or ("content" in item and answer["content"]):
                if answer is not None:
                    yield answer
                answer = {"role": "assistant", "content": None, "tool_calls": []}
            _add(answer, item)
        elif kind in ("message", "function_call_output"):
            if answer is not None:
                yield answer
            answer = None
            yield _other(item)
    if answer is not None:
        yield answer


def _add(answer: dict[str, Any], item: Mapping[str, Any]) -> None:
    if "content" in item:
        answer["content"] = "".join(part["text"] for part in item["content"])
        return
    function = {"name": item["name"], "arguments": item["arguments"]}
    answer["tool_calls"].append({"id": item["call_id"], "function": function})


def _other(item: Mapping[str, Any]) -> Message:
    if "content" in item:
        return {"role": item["role"], "content": item["content"]}
    return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
