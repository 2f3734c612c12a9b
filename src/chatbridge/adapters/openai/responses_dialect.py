"""The events of the Responses API, from whatever dialect to the one that its clients read.

What leaves has the words and the thoughts as they come, each other item when it is whole, and the
calls at the end. All else that an endpoint says is dropped.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from chatbridge.adapters.openai.call_deltas import CallDeltas, given_arguments
from chatbridge.adapters.openai.cost import cost_in_responses, cost_of
from chatbridge.adapters.openai.halves import Halves
from chatbridge.adapters.openai.output_items import CALL, Output, brings, strict_item
from chatbridge.adapters.openai.telling import Telling
from chatbridge.adapters.openai.texts import answer_in, plain
from chatbridge.adapters.openai.thinking import Thinking, without_thinking
from chatbridge.adapters.openai.troubles import (
    AnotherApi,
    EmptyAnswer,
    EndpointTrouble,
    NotAStream,
    TruncatedStream,
    is_of_another_api,
    is_told_alone,
    provider_failure,
)

Json = dict[str, Any]
_OPENINGS = ("response.created", "response.in_progress", "response.queued")
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.done")
_ENDED_SECONDS = 1.0
_PARTIAL = "response.image_generation_call.partial_image"
_WORDS = "response.output_text.delta"
_PLACE = ("item_id", "output_index", "content_index")


@dataclass(slots=True)
class _Text:
    place: Json
    thinking: Thinking
    halves: Halves = field(default_factory=Halves)
    telling: Telling = field(default_factory=Telling)
    said: str = ""
    thought: str = ""

    def take(self, given: str, *, ends: bool = False) -> str:
        said = self.thinking.take(self.halves.whole(given) + (self.halves.rest() if ends else ""))
        said += self.thinking.end() if ends else []
        self.thought = "".join(part.text for part in said if part.kind == "thinking")
        told = self.telling.take("".join(part.text for part in said if part.kind == "answer"))
        self.said += told
        return told


class ResponsesDialect:
    """Reads one streamed response; raises an EndpointTrouble where it is none.

    Its properties are as those of Chat Completions.
    """

    def __init__(self, thinking: Callable[[], Thinking], offered: Collection[str] = ()) -> None:
        """`offered` are the names of the tools that the model was given."""
        self._new = thinking
        self._calls = CallDeltas(offered=offered)
        self._output = Output(self._calls)
        self._texts: dict[Any, _Text] = {}
        self._written = 0
        self._spoke = self._foreign = self._known = False
        self.begun = self.ended = False
        self.said = ""
        self._readers: tuple[tuple[str, Callable[[Json, str], Iterator[Json]]], ...] = (
            ("response.output_text.annotation.added", self._annotation),
            ("response.output_text.d", self._text),
            ("response.content_part.done", self._text),
            ("response.refusal.delta", self._refusal),
            ("response.reasoning_summary_text.d", self._thought),
            ("response.reasoning_text.d", self._thought),
            ("response.function_call_arguments.d", self._arguments),
            (_PARTIAL, self._image),
            ("response.output_item.", self._item),
            *((end, self._end) for end in _ENDS),
        )

    @property
    def grace(self) -> float | None:
        """Seconds of silence behind its end that are the end of all; None where it has none."""
        return _ENDED_SECONDS if self.ended else None

    @property
    def length(self) -> int:
        """How many characters the model has written."""
        return self._written + self._calls.length

    def read(self, event: Json) -> Iterator[Json]:
        """The same in the strict dialect. Raises an EndpointTrouble if it says so."""
        kind = str(event.get("type") or "")
        told = (kind.split(".")[-1], event.get("object"))
        if event.get("error") or "error" in told or (not kind and is_told_alone(event)):
            raise provider_failure(event)
        known = kind.startswith("response.")
        self._known = self._known or known
        foreign = not known and ("choices" in event or is_of_another_api(event))
        self._foreign = self._foreign or foreign
        self.begun = self.begun or kind not in _OPENINGS
        read = next((read for like, read in self._readers if kind.startswith(like)), None)
        if read:
            yield from read(event, kind)

    def goes_on(self, event: Json, more: Json) -> bool:
        """See Dialect."""
        if event["type"] == more["type"] == _WORDS and _place(event) == _place(more):
            event["delta"] += more["delta"]
            return True
        return False

    def document(self, whole: Json) -> Iterator[Json]:
        """The events of a response that came as one object. Raises ProviderFailure, NotAStream."""
        if whole.get("object") != "response" and not isinstance(whole.get("output"), list):
            raise provider_failure(whole) if whole.get("error") else NotAStream("application/json")
        status = whole.get("status") or "completed"
        if f"response.{status}" not in _ENDS:
            raise provider_failure(whole)
        yield from self.read({"type": f"response.{status}", "response": whole})

    def answer(self, events: list[Json]) -> Json:
        """These events of the strict dialect as the one response that was not wanted streamed."""
        return cast(Json, events[-1]["response"])

    def end(self, *, done: bool = False) -> Iterator[Json]:
        """What was held back, where the response has no end. Raises TruncatedStream then."""
        if not self.ended:
            yield from self._rest()
            if self._foreign and not self._known:
                raise AnotherApi()
            raise self._with_calls(TruncatedStream(None))

    def _refusal(self, event: Json, kind: str) -> Iterator[Json]:
        self._spoke = True
        yield _event(kind, delta=plain(event.get("delta")), **_place(event))

    def _image(self, event: Json, kind: str) -> Iterator[Json]:
        if isinstance(event.get("partial_image_b64"), str):
            yield event | {"type": _PARTIAL}

    def _thought(self, event: Json, kind: str) -> Iterator[Json]:
        part = "summary_index" if "summary" in kind else "content_index"
        told = {name: event.get(name) for name in ("item_id", "output_index", part)}
        word = "text" if kind.endswith(".done") else "delta"
        yield _event(kind, **{word: plain(event.get(word))}, **told)

    def _annotation(self, event: Json, kind: str) -> Iterator[Json]:
        yield _event(kind, annotation=event.get("annotation"), **_place(event))

    def _arguments(self, event: Json, kind: str) -> Iterator[Json]:
        whole = kind.endswith(".done")
        arguments = given_arguments(event) if whole else event.get("delta")
        told = {"name": event.get("name"), "arguments": arguments}
        self._calls.take(told, (event.get("output_index"), event.get("item_id")), whole=whole)
        yield from ()

    def _text(self, event: Json, kind: str) -> Iterator[Json]:
        place = _place(event)
        key = tuple(place.values())
        if kind.endswith(".done"):
            told = event.get("text") or answer_in(event.get("part"))
            given = "" if key in self._texts or self._spoke else without_thinking(plain(told))
        else:
            given = plain(event.get("delta"))
        if key not in self._texts:
            self._texts[key] = _Text(place, self._new())
        yield from self._told(self._texts[key], given)

    def _told(self, text: _Text, given: str, *, ends: bool = False) -> Iterator[Json]:
        told = text.take(given, ends=ends)
        if text.thought:
            yield _event("response.reasoning_text.delta", delta=text.thought, **text.place)
        if told:
            self._written += len(told)
            self.said += told if len(self.said) < 500 else ""
            self._spoke = True
            yield _event(_WORDS, delta=told, logprobs=[], **text.place)

    # Where a whole text follows, its reader says the rest; else it has to be said here.
    def _rest(self) -> Iterator[Json]:
        for text in self._texts.values():
            yield from self._told(text, "", ends=True)

    def _item(self, event: Json, kind: str) -> Iterator[Json]:
        item = strict_item(event.get("item"))
        if item is None:
            return
        index, done = event.get("output_index"), kind.endswith(".done")
        self._output.add(item, (index, item.get("id")), whole=done)
        # nobody waits for a message that begins, and a client is slow with its first such event
        if item["type"] == CALL or (item["type"] == "message" and not done):
            return
        if done and item["type"] == "message":
            self._texts.clear()  # its reader has the whole text now
            self._spoke = self._spoke or brings(item)
        yield _event(kind, item=item, output_index=index)

    def _end(self, event: Json, kind: str) -> Iterator[Json]:
        self.ended = True
        response = _object(event, "response")
        status = str(response.get("status") or "completed")
        good = kind in ("response.completed", "response.done") and status == "completed"
        usage = cost_of(response.get("usage"))
        yield from self._rest()
        said = "".join(text.said for text in self._texts.values())
        said = said or ("" if self._spoke else plain(response.get("output_text")))
        items = self._output.settled(response.get("output"), said)
        if not good and not self._spoke:
            yield from self._unsaid(items)
        if kind == "response.failed" or status == "failed":
            error = response.get("error") or {"message": "failed"}
            raise self._with_calls(provider_failure(error), usage)
        if not good:
            reason = _object(response, "incomplete_details").get("reason")
            why = plain(reason) or (status if status != "completed" else "incomplete")
            raise self._with_calls(TruncatedStream(why), usage)
        if not self._spoke and not any(map(brings, items)):
            raise EmptyAnswer(kind, usage)
        yield _event("response.completed", response=_response(event, "completed", items))

    # Words that no event has told before the response was cut.
    def _unsaid(self, items: list[Json]) -> Iterator[Json]:
        for index, item in enumerate(items):
            for part in item["content"] if item["type"] == "message" else ():
                text = _Text({"output_index": index, "content_index": 0}, self._new())
                yield from self._told(text, part.get("text") or "", ends=True)

    def _with_calls(self, trouble: EndpointTrouble, usage: Any = None) -> EndpointTrouble:
        trouble.usage, trouble.calls = usage, self._calls.whole
        return trouble


def _event(kind: str, **fields: Any) -> Json:
    # nobody counts them, and an event that misses its number is not valid
    return {"type": kind, "sequence_number": 0, **fields}


def _object(of: Json, name: str) -> Json:
    given: Any = of.get(name)
    return cast(Json, given) if isinstance(given, dict) else {}


def _place(event: Json) -> Json:
    return {name: event.get(name) for name in _PLACE}


def _response(event: Json, status: str, items: list[Json]) -> Json:
    told = _object(event, "response")
    created = told.get("created_at")
    return {
        "id": plain(told.get("id")),
        "object": "response",
        "created_at": created if isinstance(created, int | float) else 0,
        "model": plain(told.get("model")),
        "status": status,
        "output": items,
        "usage": cost_in_responses(told.get("usage")),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
