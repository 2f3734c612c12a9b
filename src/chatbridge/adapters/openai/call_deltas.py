"""The tool calls of one streamed completion, told apart whatever their indices say."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from chatbridge.adapters.openai.carried import CALL_FIELDS, unknown
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.identifiers import new_call_id

Json = dict[str, Any]
_GROWING = ("text", "summary", "thinking")


@dataclass(slots=True)
class _Call:
    number: int
    index: int | None
    theirs: str | None
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    extras: Json = field(default_factory=dict[str, Any])

    @property
    def whole(self) -> bool:
        """Whether its arguments are an object already."""
        return self.name != "" and _is_object("".join(self.arguments))

    def repeats(self, arguments: str) -> bool:
        """Whether these are all of its arguments once more: what is told twice is run once."""
        return self.whole and arguments == "".join(self.arguments)

    @property
    def begun(self) -> bool:
        """Whether its arguments have begun and have no end."""
        return bool(self.arguments) and not self.whole


class CallDeltas:
    """Gives each piece of a call the index and the id of its own call.

    The id goes before the index: some endpoints give all calls of an answer the index 0, some give
    each piece an id of its own, some give neither.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """`taken` are ids that earlier calls of the turn have."""
        self._taken = taken
        self._calls: list[_Call] = []

    @property
    def made(self) -> bool:
        """Whether the model has asked for a call."""
        return bool(self._calls)

    @property
    def extras(self) -> dict[str, Json]:
        """What came with each call that no client knows, by the call's id."""
        return {call.id: call.extras for call in self._calls}

    def strict(self, piece: Json) -> Json:
        """The piece as a strict endpoint would have sent it."""
        function = _function(piece)
        name, arguments = _text(function.get("name")), _arguments(function.get("arguments"))
        known = self._find(piece, name, arguments)
        call = known or self._begin(piece)
        first = not call.name
        call.name = call.name or name
        if call.repeats(arguments):
            arguments = ""
        if arguments:
            call.arguments.append(arguments)
        merge(call.extras, unknown(piece, CALL_FIELDS | set(function)))
        told = {"name": call.name if first else None, "arguments": arguments}
        head = {"index": call.number, "function": told}
        return head if known else head | {"id": call.id, "type": piece.get("type") or "function"}

    def _begin(self, piece: Json) -> _Call:
        theirs = _text(piece.get("id")) or None
        taken = theirs in (None, *self._taken, *(call.id for call in self._calls))
        id = short_id(new_call_id()) if taken else theirs
        call = _Call(len(self._calls), _index(piece), theirs, id or "")
        self._calls.append(call)
        return call

    def _find(self, piece: Json, name: str, arguments: str) -> _Call | None:
        theirs, index = _text(piece.get("id")), _index(piece)
        if theirs:
            same = [c for c in self._calls if c.theirs == theirs and index in (c.index, None)]
            if same:
                again = same[-1].repeats(arguments)
                return None if name and same[-1].whole and not again else same[-1]
        if index is None:
            return None if name or not self._calls else self._calls[-1]
        there = next((call for call in reversed(self._calls) if call.index == index), None)
        if there and not theirs and name == there.name and there.repeats(arguments):
            return there
        return None if there is None or _is_another(there, theirs, name) else there


# Whether a piece at a call's own index begins another call.
def _is_another(call: _Call, theirs: str, name: str) -> bool:
    if not name or not call.name or call.begun:
        return False
    return call.whole or name != call.name or bool(theirs)


def _function(piece: Json) -> Json:
    function = piece.get("function")
    return cast(Json, function) if isinstance(function, dict) else piece


def _index(piece: Json) -> int | None:
    index = piece.get("index")
    if isinstance(index, str) and index.isdecimal():
        return int(index)
    return index if isinstance(index, int) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _arguments(given: Any) -> str:
    if given is None or isinstance(given, str):
        return given or ""
    return json.dumps(given, ensure_ascii=False)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def merge(into: Json, more: Json) -> None:
    """Add what a further piece brings: texts and lists grow, objects are merged."""
    for key, value in more.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merge(cast(Json, known), cast(Json, value))
        elif isinstance(known, str) and isinstance(value, str):
            into[key] = known + value
        elif isinstance(known, list) and isinstance(value, list):
            _append(cast(list[Any], known), cast(list[Any], value))
        elif value is not None:
            into[key] = value


# OpenRouter sends a thought in pieces, and wants it back in one, with the signature that ends it.
def _append(known: list[Any], more: list[Any]) -> None:
    for part in more:
        if known and _goes_on(known[-1], part):
            last, further = cast(Json, known[-1]), cast(Json, part)
            grown = {k: last[k] + further[k] for k in _GROWING if last.get(k) and further.get(k)}
            last |= {k: v for k, v in further.items() if v is not None} | grown
        else:
            known.append(part)


def _goes_on(last: Any, part: Any) -> bool:
    if not isinstance(last, dict) or not isinstance(part, dict):
        return False
    first, second = cast(Json, last), cast(Json, part)
    same = all(first.get(key) == second.get(key) for key in ("type", "index"))
    texts = [each[k] for each in (first, second) for k in _GROWING if each.get(k)]
    return same and "index" in first and all(isinstance(text, str) for text in texts)
