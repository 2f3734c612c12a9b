"""The events of Chat Completions, from whatever dialect to the one that its clients read."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from chatbridge.adapters.openai.call_deltas import CallDeltas, merge
from chatbridge.adapters.openai.carried import MESSAGE_FIELDS, Carried, unknown
from chatbridge.adapters.openai.halves import Halves
from chatbridge.adapters.openai.thinking import Said, Thinking
from chatbridge.adapters.openai.troubles import (
    EmptyAnswer,
    NotAStream,
    TruncatedStream,
    provider_failure,
)
from chatbridge.domain.model.usage import Usage

Json = dict[str, Any]

GOOD_ENDS = frozenset({"stop", "tool_calls", "function_call"})
_THOUGHTS = ("reasoning_content", "reasoning")


class ChatDialect:
    """Reads one streamed answer; raises an EndpointTrouble where it is none.

    `begun` is whether the model has brought anything, `ended` whether it has said why it ends,
    `length` how many characters it has written, and `said` how its text begins.
    """

    def __init__(self, carried: Carried, thinking: Thinking) -> None:
        self._carried = carried
        self._thinking = thinking
        self._calls = CallDeltas(carried.ids)
        self._extras: Json = {}
        self._halves = Halves()
        self._refused = False
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._template: Json = {}
        self.begun = self.ended = False
        self.length = 0
        self.said = ""

    def read(self, event: Json) -> Iterator[Json]:
        """The same in the strict dialect. Raises ProviderFailure if it tells of an error."""
        if _is_error(event):
            raise provider_failure(event)
        self._count(event)
        choices = [self._choice(n, choice) for n, choice in enumerate(_objects(event, "choices"))]
        self._template = {k: event[k] for k in ("id", "object", "created", "model") if k in event}
        yield event | {"choices": choices}

    def document(self, whole: Json) -> Iterator[Json]:
        """The events of an answer that came as one object. Raises ProviderFailure or NotAStream."""
        if not _is_error(whole) and not _objects(whole, "choices"):
            raise NotAStream("application/json")
        yield from self.read(whole)

    def answer(self, whole: Json) -> Json:
        """An answer that nobody wanted streamed, in the strict dialect. Raises as `end` does."""
        (strict,) = self.document(whole)
        rest = [part for each in self.end() for part in _objects(each, "choices")]
        for choice in _objects(strict, "choices")[:1]:
            message = cast(Json, choice.pop("delta"))
            for more in rest:
                merge(message, cast(Json, more["delta"]))
            choice["message"] = {"content": None, **message, "role": "assistant"}
        return strict

    def end(self) -> Iterator[Json]:
        """What was held back. Raises TruncatedStream unless the answer has a good end."""
        rest = [*self._thinking.take(self._halves.rest()), *self._thinking.end()]
        if rest:
            delta = self._delta_of(rest)
            yield {**self._template, "choices": [{"index": 0, "delta": delta}]}
        if (self._reason or "").lower() not in GOOD_ENDS:
            raise TruncatedStream(self._reason, self._usage)
        if not (self.said.strip() or self._refused or self._calls.made):
            raise EmptyAnswer(self._reason, self._usage)
        self._carried.keep(self._extras, self._calls.extras)

    def _count(self, event: Json) -> None:
        groq = event.get("x_groq")
        if not event.get("usage") and isinstance(groq, dict):
            event["usage"] = cast(Json, groq).get("usage")
        usage = event.get("usage")
        if isinstance(usage, dict):
            told = cast(Json, usage)
            counts = [told.get(f"{side}_tokens") for side in ("prompt", "completion")]
            read, written = (count if isinstance(count, int) else 0 for count in counts)
            self._usage = Usage(input_tokens=read, output_tokens=written)

    def _choice(self, place: int, choice: Json) -> Json:
        index = choice.get("index")
        reason = choice.get("finish_reason") or None
        choice = choice | {"index": index if isinstance(index, int) else place}
        if choice["index"] != 0:
            return choice | {"delta": choice.get("delta") or {}}
        self._reason = str(reason) if reason else self._reason
        self.ended = self._reason is not None
        return choice | {"delta": self._strict(_delta(choice)), "finish_reason": reason}

    def _strict(self, delta: Json) -> Json:
        calls = [self._calls.strict(piece) for piece in _pieces(delta)]
        self.length += sum(len(call["function"]["arguments"]) for call in calls)
        merge(self._extras, unknown(delta, MESSAGE_FIELDS))
        self._refused = self._refused or bool(delta.get("refusal"))
        self.begun = self.begun or bool(calls) or any(delta.get(k) for k in delta if k != "role")
        given = [part for text in _texts(delta.get("content")) for part in self._parted(text)]
        others = {k: v for k, v in delta.items() if k not in ("content", "function_call")}
        thoughts = {k: _plain(delta[k]) for k in _THOUGHTS if delta.get(k) is not None}
        told = others | thoughts | {"tool_calls": calls or None}
        written = self._delta_of(given)
        if "reasoning_content" in written and any(thoughts.values()):
            del written["reasoning_content"]  # the same twice
        return told | written

    def _parted(self, said: Said) -> list[Said]:
        if said.kind == "thinking":
            return [said]
        return self._thinking.take(self._halves.whole(said.text))

    def _delta_of(self, parts: list[Said]) -> Json:
        answer = "".join(part.text for part in parts if part.kind == "answer")
        thought = "".join(part.text for part in parts if part.kind == "thinking")
        self.length += len(answer)
        if len(self.said) < 500:
            self.said += answer
        delta: Json = {"content": answer} if answer else {}
        return delta | ({"reasoning_content": thought} if thought else {})


def _is_error(event: Json) -> bool:
    if event.get("error") or event.get("object") == "error":
        return True
    return not event.get("choices") and not event.get("usage") and "message" in event


def _objects(of: Json, name: str) -> list[Json]:
    given: Any = of.get(name)
    listed = cast(list[Any], given) if isinstance(given, list) else [given]
    return [cast(Json, each) for each in listed if isinstance(each, dict)]


# `message` is what an answer has that was not streamed; `text` stood in the API before this one.
def _delta(choice: Json) -> Json:
    for name in ("delta", "message"):
        if isinstance(choice.get(name), dict):
            return cast(Json, choice[name])
    return {"content": choice["text"]} if choice.get("text") else {}


def _pieces(delta: Json) -> list[Json]:
    old = delta.get("function_call")
    return _objects(delta, "tool_calls") or ([{"function": old}] if old else [])


def _texts(content: Any) -> Iterator[Said]:
    """The texts of a content: one text, or a list of parts, some of which may be thinking."""
    if isinstance(content, str):
        yield Said("answer", content)
    elif isinstance(content, list):
        for part in cast(list[Any], content):
            yield from _texts(part)
    elif isinstance(content, Mapping):
        part = cast(Mapping[str, Any], content)
        kind = str(part.get("type") or "text").lower()
        if "think" in kind or "reason" in kind or "thought" in kind:
            yield Said("thinking", _plain(part))
        elif "text" in part:
            yield Said("answer", _plain(part["text"]))


def _plain(value: Any) -> str:
    """All the text in it, whatever its shape."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_plain(each) for each in cast(list[Any], value))
    if isinstance(value, Mapping):
        told = cast(Mapping[str, Any], value)
        names = ("thinking", "reasoning", "text", "content", "summary", "value")
        return next((_plain(told[name]) for name in names if told.get(name)), "")
    return ""
