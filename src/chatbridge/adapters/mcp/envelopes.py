"""A server's JSON-RPC messages in the one form that the client reads; none becomes a silence."""

import json
import math
import re
from typing import Any, cast

from mcp_types import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

Json = Any

TO_ANOTHER_CALL = "it answered another call than this one"
"""What is told in place of an answer that is not ours."""
_NAMELESS = ""
_WITHOUT_WORDS = "an error without words"
_DEEPEST = 100
_MOST_DIGITS = 300
_RESULTS = {"content", "structuredContent", "tools"}
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)


def message_in(text: bytes, asked: Json = None, nameless: Json = None) -> JSONRPCMessage:
    """The message. `asked` is the id of what was asked, of several answers the one that bears it
    is taken; an answer without an id is given `nameless`, or else `asked`. Raises ValueError.

    Of an answer that the client's types refuse what can be read is read: an `error` in whatever
    form, with a code or without, a `result` that is no object, an answer in a list, halves of
    characters, numbers of thousands of digits (as text), what is deeper than 100 levels (as null).
    """
    try:
        message = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError:
        mended = _mended(text, asked, nameless)
        message = jsonrpc_message_adapter.validate_json(mended, by_name=False)
    if isinstance(message, JSONRPCError) and message.id is None:
        message.id = asked if nameless is None else nameless
    return message


def readable(text: bytes, asked: Json) -> bytes:
    """The same message as the client's types take it, or the text as it is."""
    try:
        message = jsonrpc_message_adapter.validate_json(text, by_name=False)
        if not isinstance(message, JSONRPCError) or message.id is not None:
            return text
    except ValidationError:
        pass
    try:
        message = message_in(text, asked)
        return _dumped(message)
    except ValueError:
        return text


class Ours:
    """Which of the answers in a response is the one to what was asked, by its id.

    One whose id may be ours in other words (a text, null) is ours at the end of the response, if
    no other answer came. Where all that came was to another call, that is told, with `telling`.
    """

    def __init__(self, asked: Json, *, telling: bool) -> None:
        self._asked = asked
        self._telling = telling
        self._found = False
        self._others = 0
        self._maybe: bytes | None = None

    def taken(self, text: bytes) -> bytes:
        """The message as the client's types take it; nothing where it is not ours so far."""
        try:
            message = message_in(text, self._asked, _NAMELESS)
        except ValueError:
            return text
        if not isinstance(message, JSONRPCResponse | JSONRPCError):
            return text
        if message.id == self._asked:
            self._found = True
            return readable(text, self._asked)
        self._others += 1
        if message.id in (_NAMELESS, str(self._asked)):
            message.id = self._asked
            self._maybe = _dumped(message)
        return b""

    def left_over(self) -> bytes:
        """At the end: the one answer that may be ours, or that all were to other calls."""
        if self._found or not self._others or self._asked is None:
            return b""
        if self._others == 1 and self._maybe is not None:
            return self._maybe
        error = ErrorData(code=INVALID_REQUEST, message=TO_ANOTHER_CALL)
        told = JSONRPCError(jsonrpc="2.0", id=self._asked, error=error)
        return _dumped(told) if self._telling else b""

    def only(self, text: bytes) -> bytes:
        """What is taken of a response that is this one message."""
        return self.taken(text) or self.left_over()

    def whoever_it_names(self, text: bytes) -> bytes:
        """The message as the client's types take it, by whatever id."""
        return readable(text, self._asked)


def _dumped(message: JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _mended(text: bytes, asked: Json, nameless: Json) -> bytes:
    try:
        flat = _flat(text.decode("utf-8-sig", "replace"))
        answer = _answer_in(json.loads(flat, parse_int=_whole), asked)
        if answer is None:
            raise ValueError("This is no answer.")
        without = asked if nameless is None else nameless
        told = json.dumps(_enveloped(answer, without), ensure_ascii=False)
    except RecursionError as error:
        raise ValueError("This is nested too deeply.") from error
    return told.encode(errors="replace")


def _flat(text: str) -> str:
    """The JSON with null for what is nested in more than 100 levels."""
    kept: list[str] = []
    depth = begin = 0
    for mark in _MARKS.finditer(text):
        if mark[0] in "[{":
            depth += 1
            if depth == _DEEPEST + 1:
                kept.append(text[begin : mark.start()])
        elif mark[0] in "]}":
            if depth == _DEEPEST + 1:
                kept.append("null")
                begin = mark.end()
            depth -= 1
    return "".join([*kept, text[begin:]])


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _answer_in(value: Json, asked: Json) -> dict[str, Json] | None:
    """The answer in what came, of several ours; None where there is none, or none is ours."""
    several = cast(list[Json], value) if isinstance(value, list) else [value]
    answers = [*filter(None, map(_as_answer, several))]
    if len(answers) == 1 or asked is None:
        return answers[0] if answers else None
    return next((each for each in answers if _id_of(each.get("id"), None) == asked), None)


def _as_answer(value: Json) -> dict[str, Json] | None:
    if not isinstance(value, dict) or "method" in value:
        return None
    found = cast(dict[str, Json], value)
    if "result" in found or "error" in found:
        return found
    return {"result": found} if _RESULTS & found.keys() else None


def _enveloped(answer: dict[str, Json], asked: Json) -> dict[str, Json]:
    envelope = {"jsonrpc": "2.0", "id": _id_of(answer.get("id"), asked)}
    error, result = answer.get("error"), answer.get("result")
    if error is None and "result" in answer:
        return envelope | {"result": result if isinstance(result, dict) else {"content": result}}
    return envelope | {"error": _error_of(error)}


def _id_of(given: Json, asked: Json) -> Json:
    if isinstance(given, float) and given.is_integer():
        return int(given)
    return given if isinstance(given, int | str) and not isinstance(given, bool) else asked


def _error_of(error: Json) -> dict[str, Json]:
    found = cast(dict[str, Json], error) if isinstance(error, dict) else {}
    data = {"data": found["data"]} if "data" in found else {}
    return {"code": _code_of(found.get("code")), "message": _words_of(error), **data}


def _code_of(code: Json) -> int:
    try:
        number = float(code)
    except (TypeError, ValueError):
        return INTERNAL_ERROR
    return int(number) if math.isfinite(number) else INTERNAL_ERROR


def _words_of(error: Json) -> str:
    match error:
        case None | {} if not error:
            words = ""
        case str():
            words = error
        case {"message": message} if message:
            words = _words_of(message)
        case list():
            words = "; ".join(map(_words_of, cast(list[Json], error)))
        case _:
            words = json.dumps(error, ensure_ascii=False)
    return words.strip() or _WITHOUT_WORDS
