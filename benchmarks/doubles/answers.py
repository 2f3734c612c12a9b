"""What the model double says, as bytes: the same words by either of the two APIs."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

WORD = 5
"""Characters of a delta."""

MARK = "@" * 25
"""Stands in ids for what tells one answer from another; it has the length of what replaces it."""

_END = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Script:
    """How the next answers are given.

    `pace` is in deltas a second, 0 is all at once. `held` answers end when the next script comes.
    `calls`: the first step of a turn calls the tool `tool` so often.
    """

    deltas: int = 500
    pace: float = 50.0
    held: bool = False
    calls: int = 0
    tool: str = "list_tasks"


@dataclass(frozen=True, slots=True)
class Answer:
    """The chunks of a streamed response's body."""

    begin: bytes
    deltas: tuple[bytes, ...]
    end: bytes


def words(count: int) -> str:
    """What an answer of so many deltas says: each has a number, so that none can be lost unseen."""
    return "".join(_word(number) for number in range(count))


@lru_cache(maxsize=16)
def spoken(api: str, count: int) -> Answer:
    """An answer in words; `api` is `responses` or `chat_completions`."""
    return _responses_words(count) if api == "responses" else _chat_words(count)


def calling(api: str, tool: str, count: int) -> Answer:
    """An answer that calls a tool without arguments, so many times at once."""
    return _responses_calls(tool, count) if api == "responses" else _chat_calls(tool, count)


def _word(number: int) -> str:
    return f"{number % 10_000:04d} "


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(kind: str, number: int, **fields: Any) -> bytes:
    data = _json({"type": kind, "sequence_number": number, **fields})
    return _chunk(b"event: %s\ndata: %s\n\n" % (kind.encode(), data))


def _response(status: str, output: list[Any], tokens: int | None = None) -> dict[str, Any]:
    usage = None
    if tokens is not None:
        usage = {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 20 + tokens,
        }
    return {
        "id": f"resp_{MARK}",
        "object": "response",
        "created_at": 1764000000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "double",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": {},
    }


def _responses_words(count: int) -> Answer:
    said = words(count)
    here = {"item_id": f"msg_{MARK}", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    item = {"id": f"msg_{MARK}", "type": "message", "role": "assistant"}
    whole = {**part, "text": said}
    done = {**item, "status": "completed", "content": [whole]}
    begun = {**item, "status": "in_progress", "content": []}
    begin = (
        _event("response.created", 0, response=_response("in_progress", []))
        + _event("response.in_progress", 1, response=_response("in_progress", []))
        + _event("response.output_item.added", 2, output_index=0, item=begun)
        + _event("response.content_part.added", 3, **here, part=part)
    )
    deltas = tuple(
        _event(
            "response.output_text.delta",
            4 + number,
            **here,
            delta=_word(number),
            logprobs=[],
            obfuscation="k3Jx8sQv0aZ",
        )
        for number in range(count)
    )
    end = (
        _event("response.output_text.done", 4 + count, **here, text=said, logprobs=[])
        + _event("response.content_part.done", 5 + count, **here, part=whole)
        + _event("response.output_item.done", 6 + count, output_index=0, item=done)
        + _event("response.completed", 7 + count, response=_response("completed", [done], count))
    )
    return Answer(begin, deltas, end + _END)


def _responses_calls(tool: str, count: int) -> Answer:
    items = [
        {
            "id": f"fc_{MARK}{number}",
            "type": "function_call",
            "status": "completed",
            "arguments": "{}",
            "call_id": f"call_{MARK}{number}",
            "name": tool,
        }
        for number in range(count)
    ]
    frames = _event("response.created", 0, response=_response("in_progress", []))
    for place, item in enumerate(items):
        begun = {**item, "arguments": "", "status": "in_progress"}
        frames += _event("response.output_item.added", 1, output_index=place, item=begun)
        frames += _event("response.output_item.done", 2, output_index=place, item=item)
    frames += _event("response.completed", 3, response=_response("completed", items, 10))
    return Answer(frames, (), _END)


def _chat_chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _chunk(b"data: %s\n\n" % _json({**_chat_head(), "choices": [choice], "usage": None}))


def _chat_head() -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{MARK}",
        "object": "chat.completion.chunk",
        "created": 1764000000,
        "model": "double",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
        "obfuscation": "k3Jx8sQv0aZ",
    }


def _chat_end(reason: str, tokens: int) -> bytes:
    usage = {"prompt_tokens": 20, "completion_tokens": tokens, "total_tokens": 20 + tokens}
    used = _chunk(b"data: %s\n\n" % _json({**_chat_head(), "choices": [], "usage": usage}))
    return _chat_chunk({}, reason) + used + _chunk(b"data: [DONE]\n\n") + _END


def _chat_words(count: int) -> Answer:
    begin = _chat_chunk({"role": "assistant", "content": "", "refusal": None})
    deltas = tuple(_chat_chunk({"content": _word(number)}) for number in range(count))
    return Answer(begin, deltas, _chat_end("stop", count))


def _chat_calls(tool: str, count: int) -> Answer:
    calls = [
        {
            "index": number,
            "id": f"call_{MARK}{number}",
            "type": "function",
            "function": {"name": tool, "arguments": "{}"},
        }
        for number in range(count)
    ]
    frames = b"".join(_chat_chunk({"tool_calls": [call]}) for call in calls)
    return Answer(frames, (), _chat_end("tool_calls", 10))
