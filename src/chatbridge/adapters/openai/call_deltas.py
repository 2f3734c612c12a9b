"""The tool calls of one answer, gathered from whatever pieces until the answer has ended."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from chatbridge.adapters.openai.arguments import (
    fullest,
    has_all,
    has_more,
    is_object,
    meant_arguments,
)
from chatbridge.adapters.openai.carried import CALL_FIELDS, unknown
from chatbridge.adapters.openai.halves import joined
from chatbridge.adapters.openai.names import short_id
from chatbridge.domain.model.identifiers import new_call_id

Json = dict[str, Any]
Place = tuple[Any, ...]
_ENDS = '}]`"'
_ARGUMENTS = ("arguments", "parameters", "input", "args", "params", "kwargs")
_NAMES = ("name", "tool_name", "function_name")
_GROWING = ("text", "summary", "thinking")


@dataclass(slots=True)
class Call:
    """One call: what its provider calls it, where it stood, and what is known of it so far."""

    theirs: str
    place: Place
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])
    extras: Json = field(default_factory=dict[str, Any])
    id: str = ""

    @property
    def arguments(self) -> str:
        """All that its pieces say: one behind the other, or each more than the last."""
        text = joined("".join(self.pieces))
        meant = meant_arguments(text)
        return meant if is_object(meant) else fullest(map(joined, self.pieces)) or text

    @property
    def whole(self) -> bool:
        """Whether its arguments are an object already."""
        ends = not self.pieces or self.pieces[-1].rstrip()[-1:] in _ENDS
        return self.name != "" and ends and is_object(self.arguments)

    @property
    def is_nothing(self) -> bool:
        """Whether nobody can tell what is to be called: some endpoints send such beside a text."""
        return not self.name and not has_more(self.arguments)

    def at(self, place: Place) -> bool:
        """Whether it stands there, as far as that is known of both."""
        known = [(a, b) for a, b in zip(self.place, place, strict=True) if None not in (a, b)]
        return bool(known) and all(a == b for a, b in known)

    def says(self, name: str, arguments: str) -> bool:
        """Whether it is this very call."""
        mine, theirs = self.arguments or "{}", arguments or "{}"
        return name in ("", self.name) and has_all(mine, theirs) and has_all(theirs, mine)

    def again(self, of: "Call") -> bool:
        """Whether it is only the head of the other once more."""
        same = self.name == of.name and self.theirs in ("", of.theirs)
        return same and not self.pieces and bool(of.pieces)


class CallDeltas:
    """Finds the call of each piece, and knows at the end what was called.

    The id goes before the place: some endpoints give all calls of an answer the same place, some
    give each piece an id of its own, some give neither. What is told twice is one call.
    """

    def __init__(self, taken: Iterable[str] = (), offered: Collection[str] = ()) -> None:
        """`taken` are ids that earlier calls of the turn have, `offered` names that there are.

        `length` is how many characters of arguments have come.
        """
        self._taken = taken
        self._offered = offered
        self._calls: list[Call] = []
        self.length = 0

    @property
    def calls(self) -> list[Call]:
        """The calls of the answer, each under an id that no other has."""
        given: list[Call] = []
        for call in self._calls:
            if call.is_nothing or any(call.again(other) for other in given):
                continue
            free = call.theirs not in ("", *self._taken, *(other.id for other in given))
            call.id = call.id or (call.theirs if free else short_id(new_call_id()))
            given.append(call)
        return given

    @property
    def whole(self) -> list[tuple[str, str]]:
        """The names and the arguments of those that have all of them, where the answer has not."""
        return [(call.name, call.arguments) for call in self.calls if call.whole]

    def take(self, piece: Json, place: Place, *, whole: bool = False) -> Call | None:
        """The call that this is a piece of, or all of (`whole`); None where nothing is said."""
        function = _function(piece)
        theirs = _text(piece.get("call_id") or piece.get("id"))
        name, arguments = _name(function) or _name(piece), given_arguments(piece)
        if not (theirs or name or arguments):
            return None
        self.length += len(arguments)
        call = self._find(theirs, place, name, arguments) or self._begin(theirs, place)
        call.theirs = call.theirs or theirs
        call.place = tuple(b if a is None else a for a, b in zip(call.place, place, strict=True))
        call.name = self._named(call, name)
        if whole and has_more(meant_arguments(arguments)):
            call.pieces = [arguments]
        elif arguments:
            call.pieces.append(arguments)
        merge(call.extras, unknown(piece, CALL_FIELDS | {*function, *_ARGUMENTS, *_NAMES}))
        return call

    def _begin(self, theirs: str, place: Place) -> Call:
        self._calls.append(Call(theirs, place))
        return self._calls[-1]

    def _find(self, theirs: str, place: Place, name: str, arguments: str) -> Call | None:
        newest = [*reversed(self._calls)]
        named = [call for call in newest if theirs and call.theirs == theirs]
        nowhere = all(part is None for part in place)
        here = named or [call for call in newest if nowhere or call.at(place)]
        if is_object(arguments) and (named or not theirs):
            for call in here:
                if call.says(name, arguments):
                    return call
            if named and has_all(named[0].arguments, arguments):
                return named[0]  # an end that tells less than what came before it
        if not here:
            return None
        other = bool(theirs) and here[0].theirs not in ("", theirs)
        if other and nowhere and name and arguments.lstrip()[:1] in ("", "{"):
            return None  # two at once, told apart by nothing else
        return here[0] if self._goes_on(here[0], name, arguments, other) else None

    def _goes_on(self, call: Call, name: str, arguments: str, other_id: bool) -> bool:
        """Whether a piece at a call's own place belongs to it, and does not begin the next."""
        if not name or not call.name:
            return True
        if not call.pieces:
            return not other_id and (name == call.name or self._is_more(call.name, name))
        if not call.whole:
            return True
        return not other_id and name == call.name and has_all(arguments, call.arguments)

    def _named(self, call: Call, name: str) -> str:
        if call.pieces or not self._is_more(call.name, name):
            return call.name or name
        return name if name.startswith(call.name) else call.name + name

    # Whether a name comes in pieces, or longer each time.
    def _is_more(self, name: str, more: str) -> bool:
        if not name or not more or name == more:
            return False
        if any(offered.startswith(name + more) for offered in self._offered):
            return True
        return name not in self._offered and (more not in self._offered or more.startswith(name))


def indexed(piece: Json) -> Place:
    """The place of a piece that says it by its index."""
    index = piece.get("index")
    if isinstance(index, str) and index.isdecimal():
        return (int(index),)
    return (index,) if isinstance(index, int) else (None,)


def _function(piece: Json) -> Json:
    function = piece.get("function")
    return cast(Json, function) if isinstance(function, dict) else piece


def _name(function: Json) -> str:
    """What is called; `function` may be the name itself."""
    told = (function.get(each) for each in (*_NAMES, "function"))
    return next(filter(None, (_text(name) for name in told if isinstance(name, str))), "")


def given_arguments(piece: Json) -> str:
    """The arguments in a piece of a call, whatever they are called, as a text.

    Where several names are there, the one that says something counts.
    """
    function = _function(piece)
    holders = (function,) if function is piece else (function, piece)
    told = [arguments_of(holder.get(name)) for holder in holders for name in _ARGUMENTS]
    given = [text for text in told if text]
    return next((text for text in given if not has_all("{}", text)), next(iter(given), ""))


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return "" if text.strip() in ("", "null", "None", "undefined") else text


def arguments_of(given: Any) -> str:
    """Arguments as a text, which some endpoints send as the object itself."""
    if given is None or isinstance(given, str):
        return given or ""
    return json.dumps(given, ensure_ascii=False)


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
