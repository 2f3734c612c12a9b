"""A model endpoint over real HTTP that sends exactly the bytes that a test has written."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Literal

Ending = Literal["end", "cut", "silence", "pings"]
Frame = bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, its frames, and how it goes on after them.

    Before its frames it waits for `late` seconds, and for `pause` before each. `end` is a body that
    is complete, `cut` a connection that breaks in the middle of the body; after `silence` nothing
    comes any more, and after `pings` only comments do.
    """

    frames: Sequence[Frame] = ()
    ending: Ending = "end"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    pause: float = 0.0
    late: float = 0.0


class ScriptedEndpoint:
    """Answers each request with the next answer, and remembers what it was asked and when."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.heads: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.url = ""
        self.connections = 0
        self.serving: set[asyncio.Task[Any]] = set()

    def answer(self, *frames: Frame, **how: Any) -> "ScriptedEndpoint":
        """The next answer; more may follow."""
        self.answers.append(Answer(frames, **how))
        return self

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        """What this request is answered with."""
        return self.answers.pop(0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedEndpoint"]:
        """Listen on a free port of 127.0.0.1."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            for task in self.serving:
                task.cancel()
            await asyncio.gather(*self.serving, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        try:
            # the client may go at any time, and the test may end before it does
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer_one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head, asked = await _request(reader)
        self.heads.append(head)
        self.requests.append(asked)
        self.times.append(asyncio.get_running_loop().time())
        answer = self.next_answer(asked)
        await _send(reader, writer, answer)
        return answer.ending == "end"


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    told = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*)\r$", head, re.M)}
    body = await reader.readexactly(int(told["content-length"]))
    is_form = told["content-type"].startswith("multipart/form-data")
    return head.lower(), _form(told["content-type"], body) if is_form else json.loads(body)


def _form(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a form; of a file its name, its type and its bytes."""
    form = BytesParser(policy=HTTP).parsebytes(f"content-type: {kind}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        file = part.get_filename()
        fields[name] = (file, part.get_content_type(), value) if file else value.decode()
    return fields


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    stream = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    headers = {**stream, **answer.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} x\r\n{head}\r\n".encode())
    await asyncio.sleep(answer.late)
    for frame in answer.frames:
        await asyncio.sleep(answer.pause)
        await _chunk(writer, frame)
    while answer.ending == "pings":
        await asyncio.sleep(0.02)
        await _chunk(writer, b": ping\n\n")
    if answer.ending == "silence":
        await reader.read()
    if answer.ending == "end":
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()


def frame(value: dict[str, Any]) -> Frame:
    """A frame of the stream, as both APIs send it."""
    name = f"event: {value['type']}\n" if "type" in value else ""
    return f"{name}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


# --- Chat Completions

DONE: Frame = b"data: [DONE]\n\n"


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> Frame:
    """One chunk of Chat Completions."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return frame({**head, "choices": [choice], **more})


def usage_chunk(read: int, written: int) -> Frame:
    """The chunk that tells what the answer has cost."""
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return chunk(choices=[], usage=usage)


def completions(text: str) -> list[Frame]:
    """A whole answer, word by word."""
    words = [chunk({"content": word}) for word in _words(text)]
    start = chunk({"role": "assistant", "content": ""})
    return [start, *words, chunk(finish="stop"), usage_chunk(11, 7), DONE]


# --- Responses


def message(text: str, *annotations: dict[str, Any], id: str = "msg_theirs") -> dict[str, Any]:
    """An output item that says something."""
    part = {"type": "output_text", "text": text, "annotations": [*annotations], "logprobs": []}
    return {
        "type": "message",
        "id": id,
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def function_call(name: str, arguments: str = "{}", call_id: str = "call_theirs") -> dict[str, Any]:
    """An output item that asks for a tool of ours."""
    return {
        "type": "function_call",
        "id": "fc_theirs",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed",
    }


def responses(*items: dict[str, Any]) -> list[Frame]:
    """A whole response with these output items."""
    frames = [frame({"type": "response.created", "response": response("in_progress")})]
    for index, item in enumerate(items):
        begun = {**item, "status": "in_progress"}
        begun |= {"content": []} if item["type"] == "message" else {}
        frames.append(_event("output_item.added", index, item=begun))
        if item["type"] == "message":
            frames += _said(index, item)
        frames.append(_event("output_item.done", index, item=item))
    whole = response("completed", *items, usage=usage(11, 7))
    return [*frames, frame({"type": "response.completed", "response": whole})]


def response(status: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The response object that the first and the last event carry."""
    return {
        "id": "resp_theirs",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": [*items],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **more,
    }


def usage(read: int, written: int) -> dict[str, Any]:
    """What a response has cost."""
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _said(index: int, item: dict[str, Any]) -> list[Frame]:
    (part,) = item["content"]
    where = {"item_id": item["id"], "content_index": 0}
    empty = {**part, "text": "", "annotations": []}
    deltas = [
        _event("output_text.delta", index, delta=word, logprobs=[], **where)
        for word in _words(part["text"])
    ]
    annotations = [
        _event("output_text.annotation.added", index, annotation=a, annotation_index=n, **where)
        for n, a in enumerate(part["annotations"])
    ]
    return [
        _event("content_part.added", index, part=empty, **where),
        *deltas,
        *annotations,
        _event("content_part.done", index, part=part, **where),
    ]


def _event(name: str, index: int, **fields: Any) -> Frame:
    event = {"type": f"response.{name}", "output_index": index, "sequence_number": 0}
    return frame({**event, **fields})


def _words(text: str) -> list[str]:
    return text.split(" ")[:1] + [f" {word}" for word in text.split(" ")[1:]]
