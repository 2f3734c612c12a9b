"""The events of the Responses API, from whatever dialect to the one that its clients read."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

from chatbridge.adapters.openai.halves import Halves
from chatbridge.adapters.openai.thinking import Thinking, without_thinking
from chatbridge.adapters.openai.troubles import EmptyAnswer, NotAStream, provider_failure
from chatbridge.domain.model.usage import Usage

Json = dict[str, Any]
_OPENINGS = ("response.created", "response.in_progress", "response.queued")
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class ResponsesDialect:
    """Reads one streamed response; raises an EndpointTrouble where it is none.

    `begun`, `ended`, `length` and `said` are as those of Chat Completions. Whether an end is a good
    one is for the reader of the response to say; that it is not empty is said here.
    """

    def __init__(self, thinking: Callable[[], Thinking]) -> None:
        self._new = thinking
        self._texts: dict[Any, tuple[Halves, Thinking]] = {}
        self._made = False
        self._last: Json = {}
        self.begun = self.ended = False
        self.length = 0
        self.said = ""

    def read(self, event: Json) -> Iterator[Json]:
        """The same in the strict dialect. Raises ProviderFailure or EmptyAnswer if it says so."""
        kind = str(event.get("type") or "")
        if event.get("error") or kind == "error" or event.get("object") == "error":
            raise provider_failure(event)
        self.begun = self.begun or kind not in _OPENINGS
        self.ended = self.ended or kind in _ENDS
        match kind:
            case "response.output_text.delta":
                event = event | {"delta": self._answer(event)}
            case "response.function_call_arguments.delta":
                self.length += len(str(event.get("delta") or ""))
            case "response.completed":
                yield from self._rest()
            case _:
                pass
        if kind == "response.completed" and not self._is_answer(event):
            raise EmptyAnswer(kind, _cost(event))
        yield self._whole(event)

    def document(self, whole: Json) -> Iterator[Json]:
        """The events of a response that came as one object. Raises ProviderFailure, NotAStream."""
        if whole.get("object") != "response":
            raise provider_failure(whole) if whole.get("error") else NotAStream("application/json")
        status = whole.get("status") or "completed"
        if f"response.{status}" not in _ENDS:
            raise provider_failure(whole)
        told = whole if status == "failed" else {k: v for k, v in whole.items() if k != "error"}
        yield from self.read({"type": f"response.{status}", "response": told})

    def answer(self, whole: Json) -> Json:
        """A response that nobody wanted streamed, in the strict dialect."""
        (strict,) = self.document(whole)
        return cast(Json, strict["response"])

    def end(self) -> Iterator[Json]:
        """Nothing is left; whether the response had an end is seen by its reader."""
        yield from ()

    def _answer(self, event: Json) -> str:
        key = (event.get("output_index"), event.get("item_id"), event.get("content_index"))
        halves, thinking = self._texts.setdefault(key, (Halves(), self._new()))
        self._last = event
        given = event.get("delta")
        said = thinking.take(halves.whole(given if isinstance(given, str) else ""))
        return self._note("".join(part.text for part in said if part.kind == "answer"))

    def _note(self, answer: str) -> str:
        self.length += len(answer)
        if len(self.said) < 500:
            self.said += answer
        return answer

    # Where a whole text follows, its reader says the rest; else it has to be said here.
    def _rest(self) -> Iterator[Json]:
        for halves, thinking in self._texts.values():
            rest = [*thinking.take(halves.rest()), *thinking.end()]
            answer = self._note("".join(part.text for part in rest if part.kind == "answer"))
            if answer:
                yield self._last | {"delta": answer}
        self._texts.clear()

    def _is_answer(self, event: Json) -> bool:
        response: Any = event.get("response")
        output = cast(Json, response).get("output") if isinstance(response, dict) else None
        items = cast(list[Any], output) if isinstance(output, list) else []
        return self._made or bool(self.said.strip()) or any(map(_brings, items))

    def _whole(self, event: Json) -> Json:
        """The event, with the whole texts and the calls in it as they should be."""
        kind = event.get("type")
        if kind in ("response.output_text.done",):
            return event | {"text": without_thinking(str(event.get("text") or ""))}
        if kind in ("response.output_item.added", "response.output_item.done"):
            item = _item(event.get("item"))
            if kind == "response.output_item.done":
                self._made = self._made or _brings(item)
                self._texts.clear()  # its reader has the whole text now
            return event | {"item": item}
        if kind == "response.content_part.done":
            return event | {"part": _part(event.get("part"))}
        response: Any = event.get("response")
        if kind in _ENDS and isinstance(response, dict):
            told = cast(Json, response)
            output: Any = told.get("output")
            items = cast(list[Any], output) if isinstance(output, list) else []
            return event | {"response": told | {"output": [_item(item) for item in items]}}
        return event


def _cost(event: Json) -> Usage | None:
    response: Any = event.get("response")
    usage: Any = cast(Json, response).get("usage") if isinstance(response, dict) else None
    if not isinstance(usage, dict):
        return None
    told = cast(Json, usage)
    read, written = told.get("input_tokens") or 0, told.get("output_tokens") or 0
    return Usage(input_tokens=read, output_tokens=written)


def _item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    told = cast(Json, item)
    content: Any = told.get("content")
    if told.get("type") == "message" and isinstance(content, str):
        content = [{"type": "output_text", "text": content, "annotations": []}]
    if told.get("type") == "message" and isinstance(content, list):
        return told | {"content": [_part(part) for part in cast(list[Any], content)]}
    arguments = told.get("arguments")
    if told.get("type") == "function_call" and not isinstance(arguments, str | None):
        return told | {"arguments": json.dumps(arguments, ensure_ascii=False)}
    return told


def _part(part: Any) -> Any:
    told = cast(Json, part) if isinstance(part, dict) else {}
    if told.get("type") == "output_text":
        return told | {"text": without_thinking(str(told.get("text") or ""))}
    return cast(Any, part)


# Whether an item of the output is a word or a call: all but thinking and a message without words.
def _brings(item: Any) -> bool:
    told = cast(Json, item) if isinstance(item, dict) else {}
    if told.get("type") != "message":
        return told.get("type") not in (None, "reasoning")
    parts: Any = told.get("content")
    listed = cast(list[Any], parts) if isinstance(parts, list) else []
    said = [cast(Json, part) for part in listed if isinstance(part, dict)]
    return any(str(part.get("text") or part.get("refusal") or "").strip() for part in said)
