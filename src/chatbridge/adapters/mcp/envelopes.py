"""A server's JSON-RPC messages in the one form that the client reads; none becomes a silence."""

import json
import math
import re
from typing import Any, cast

from mcp_types import INTERNAL_ERROR, JSONRPCError, JSONRPCMessage, jsonrpc_message_adapter
from pydantic import ValidationError

Json = Any

_WITHOUT_WORDS = "an error without words"
_DEEPEST = 100
_MOST_DIGITS = 300
_RESULTS = {"content", "structuredContent", "tools"}
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.S)


def message_in(text: bytes, asked: Json = None) -> JSONRPCMessage:
    """The message. `asked` is the id that an answer without one is given. Raises ValueError.

    Of an answer that the client's types refuse what can be read is read: an `error` in whatever
    form, with a code or without, a `result` that is no object, an answer in a list, halves of
    characters, numbers of thousands of digits (as text), what is deeper than 100 levels (as null).
    """
    try:
        message = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError:
        message = jsonrpc_message_adapter.validate_json(_mended(text, asked), by_name=False)
    if isinstance(message, JSONRPCError) and message.id is None:
        message.id = asked
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
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode()
    except ValueError:
        return text


def _mended(text: bytes, asked: Json) -> bytes:
    try:
        flat = _flat(text.decode("utf-8-sig", "replace"))
        answer = _answer_in(json.loads(flat, parse_int=_whole))
        if answer is None:
            raise ValueError("This is no answer.")
        told = json.dumps(_enveloped(answer, asked), ensure_ascii=False)
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


def _answer_in(value: Json) -> dict[str, Json] | None:
    """The first answer in what came; None where there is none."""
    several = cast(list[Json], value) if isinstance(value, list) else [value]
    for each in several:
        if isinstance(each, dict) and "method" not in each:
            found = cast(dict[str, Json], each)
            if "result" in found or "error" in found:
                return found
            if _RESULTS & found.keys():
                return {"result": found}
    return None


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
