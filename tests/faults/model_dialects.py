"""How a model's answer looks on the wire, in each of OpenAI's two APIs."""

import json
from typing import Any, Protocol

Json = dict[str, Any]


class Dialect(Protocol):
    """One of the APIs: reads its requests and writes its streams, frame by frame."""

    def prompt(self, body: Json) -> str:
        """The text of the last message of a person."""
        ...

    def steps(self, body: Json) -> int:
        """How many tools' outputs came since that message."""
        ...

    def call(self, id: str, name: str, arguments: str) -> bytes:
        """A whole answer that is one call of a tool."""
        ...

    def opening(self) -> bytes:
        """What precedes the text."""
        ...

    def delta(self, text: str) -> bytes:
        """Some text."""
        ...

    def closing(self, text: str) -> bytes:
        """What follows the text, all of which is given once more."""
        ...


class Responses:
    """`POST /responses`."""

    def prompt(self, body: Json) -> str:
        return next(_text(item) for item in reversed(body["input"]) if item.get("role") == "user")

    def steps(self, body: Json) -> int:
        outputs = 0
        for item in reversed(body["input"]):
            if item.get("role") == "user":
                break
            outputs += item.get("type") == "function_call_output"
        return outputs

    def call(self, id: str, name: str, arguments: str) -> bytes:
        item = {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": name}
        begun = {**item, "arguments": "", "status": "in_progress"}
        done = {**item, "arguments": arguments, "status": "completed"}
        frames = [
            self._frame("response.created", response=_response("in_progress")),
            self._frame("response.output_item.added", output_index=0, item=begun),
            self._frame(
                "response.function_call_arguments.done",
                output_index=0,
                item_id=item["id"],
                arguments=arguments,
                name=name,
            ),
            self._frame("response.output_item.done", output_index=0, item=done),
            self._frame("response.completed", response=_response("completed", done)),
        ]
        return b"".join(frames)

    def opening(self) -> bytes:
        return (
            self._frame("response.created", response=_response("in_progress"))
            + self._frame("response.output_item.added", output_index=0, item=_message())
            + self._part("response.content_part.added", part=_part(""))
        )

    def delta(self, text: str) -> bytes:
        return self._part("response.output_text.delta", delta=text, logprobs=[])

    def closing(self, text: str) -> bytes:
        whole = _message(text)
        return (
            self._part("response.output_text.done", text=text, logprobs=[])
            + self._part("response.content_part.done", part=_part(text))
            + self._frame("response.output_item.done", output_index=0, item=whole)
            + self._frame("response.completed", response=_response("completed", whole))
        )

    def _part(self, type: str, **more: Any) -> bytes:
        return self._frame(type, item_id="msg_1", output_index=0, content_index=0, **more)

    def _frame(self, type: str, **more: Any) -> bytes:
        data = json.dumps({"type": type, "sequence_number": 0, **more})
        return f"event: {type}\ndata: {data}\n\n".encode()


class ChatCompletions:
    """`POST /chat/completions`."""

    def prompt(self, body: Json) -> str:
        asked = (m for m in reversed(body["messages"]) if m["role"] == "user")
        return next(map(_text, asked))

    def steps(self, body: Json) -> int:
        outputs = 0
        for message in reversed(body["messages"]):
            if message["role"] == "user":
                break
            outputs += message["role"] == "tool"
        return outputs

    def call(self, id: str, name: str, arguments: str) -> bytes:
        function = {"name": name, "arguments": arguments}
        call = {"index": 0, "id": id, "type": "function", "function": function}
        return self._chunk({"role": "assistant", "tool_calls": [call]}) + self._end("tool_calls")

    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def delta(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def closing(self, text: str) -> bytes:
        return self._end("stop")

    def _end(self, reason: str) -> bytes:
        return self._chunk({}, reason) + b"data: [DONE]\n\n"

    def _chunk(self, delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "chatcmpl_1", "object": "chat.completion.chunk", "created": 0}
        data = json.dumps({**chunk, "model": "stub", "choices": [choice]})
        return f"data: {data}\n\n".encode()


DIALECTS: dict[str, Dialect] = {
    "/chat/completions": ChatCompletions(),
    "/responses": Responses(),
}
"""By how their paths end."""


def _text(message: Json) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(text: str | None = None) -> Json:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "in_progress" if text is None else "completed",
        "content": [] if text is None else [_part(text)],
    }


def _response(status: str, *output: Json) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "status": status,
        "model": "stub",
        "output": list(output),
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
    }
