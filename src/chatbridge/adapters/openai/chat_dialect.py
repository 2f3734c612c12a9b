"""The events of Chat Completions, from whatever dialect to the one that its clients read.

What leaves has the words as they come, and one last event with all the calls, the reason for the
end and the cost. All else that an endpoint says is dropped.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, cast

from chatbridge.adapters.openai.call_deltas import CallDeltas, indexed, merge
from chatbridge.adapters.openai.carried import MESSAGE_FIELDS, Carried, unknown
from chatbridge.adapters.openai.cost import cost_in_chat, cost_of
from chatbridge.adapters.openai.halves import Halves
from chatbridge.adapters.openai.telling import Telling
from chatbridge.adapters.openai.texts import plain, texts
from chatbridge.adapters.openai.thinking import Said, Thinking
from chatbridge.adapters.openai.troubles import (
    AnotherApi,
    EmptyAnswer,
    NotAStream,
    TruncatedStream,
    is_of_another_api,
    is_told_alone,
    provider_failure,
)

Json = dict[str, Any]

_GOOD_ENDS = {
    "stop": "eos eos_token end_turn stop_sequence complete finish_reason_stop",
    "tool_calls": "tool_call tool_use finish_reason_tool_calls",
    "function_call": "finish_reason_function_call",
}
"""The good ends, each with what others say for the same: that the model itself has ended."""

_NO_REASON = re.compile(
    r"|null|none|false|0|.*unspecified|unknown|pending|running|in.?progress|continue|not.?finished",
    re.I,
)
_SETTLED_SECONDS, _ENDED_SECONDS, _MAYBE_SECONDS = 1.0, 2.0, 10.0
_THOUGHTS = ("reasoning_content", "reasoning")
_SAID = {"content", *_THOUGHTS}


class ChatDialect:
    """Reads one streamed answer; raises an EndpointTrouble where it is none.

    `begun` is whether the model has brought anything.
    """

    def __init__(self, carried: Carried, thinking: Thinking, offered: Collection[str] = ()) -> None:
        """`offered` are the names of the tools that the model was given."""
        self._carried = carried
        self._thinking = thinking
        self._calls = CallDeltas(carried.ids, offered)
        self._extras: Json = {}
        self._halves = Halves()
        self._telling = Telling()
        self._refused = False
        self._followed: int | None = None
        self._reason: str | None = None
        self._cost: Json | None = None
        self._template: Json = {}
        self._goes_on = self._ends_alone = self._ends_unnamed = False
        self._foreign = self._settled = self._open = False
        self.begun = False

    @property
    def ended(self) -> bool:
        """Whether it has said why it ends; some say so all the time, which means nothing."""
        return self._reason is not None and not self._goes_on

    @property
    def grace(self) -> float | None:
        """Seconds of silence behind its end that are the end of all; None where it has none.

        Some leave the connection open. What says that it ends in its only event may say so in each.
        """
        if not self.ended:
            return None
        if self._settled:
            return _SETTLED_SECONDS
        return _ENDED_SECONDS if self._ends_alone or self._open else _MAYBE_SECONDS

    @property
    def length(self) -> int:
        """How many characters the model has written."""
        return self._telling.length + self._calls.length

    @property
    def said(self) -> str:
        """How its text begins."""
        return self._telling.beginning

    def read(self, event: Json) -> Iterator[Json]:
        """The same in the strict dialect. Raises ProviderFailure if it tells of an error."""
        if (error := _error(event)) is not None:
            raise provider_failure(error)
        self._foreign = self._foreign or ("choices" not in event and is_of_another_api(event))
        self._count(event)
        self._template = self._template or _head(event)
        choice = next(filter(self._is_followed, enumerate(_objects(event, "choices"))), None)
        if choice:
            yield self._event(self._choice(choice[1]))

    def goes_on(self, event: Json, more: Json) -> bool:
        """See Dialect."""
        said: Json = event["choices"][0]["delta"]
        further: Json = more["choices"][0]["delta"]
        if further.keys() == said.keys() and len(said) == 1 and said.keys() <= _SAID:
            merge(said, further)
            return True
        return False

    def document(self, whole: Json) -> Iterator[Json]:
        """The events of an answer that came as one object. Raises ProviderFailure or NotAStream."""
        if _error(whole) is None and not _objects(whole, "choices"):
            raise NotAStream("application/json")
        yield from self.read(whole)

    def end(self, *, done: bool = False) -> Iterator[Json]:
        """What was held back. Raises TruncatedStream unless the answer has a good end.

        `done` is whether the stream itself said so, which makes an empty reason a good one, but
        runs no call.
        """
        if self._foreign and self._followed is None:
            raise AnotherApi()
        if done and self._reason is None and self._ends_unnamed and not self._calls.calls:
            self._reason = "stop"
        rest = self._delta_of([*self._thinking.take(self._halves.rest()), *self._thinking.end()])
        if rest:
            yield self._event(rest)
        self._require_good_end()
        calls = self._calls.calls
        self._carried.keep(self._extras, {call.id: call.extras for call in calls})
        called = [
            {
                "index": number,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for number, call in enumerate(calls)
        ]
        yield self._event({"tool_calls": called} if called else {}, ends=True)

    def answer(self, events: list[Json]) -> Json:
        """These events of the strict dialect as the one answer that was not wanted streamed."""
        message: Json = {}
        for event in events:
            merge(message, event["choices"][0]["delta"])
        last = events[-1]["choices"][0]
        choice = {**last, "message": {"content": None, **message, "role": "assistant"}}
        del choice["delta"]
        return {**events[-1], "object": "chat.completion", "choices": [choice]}

    def _event(self, delta: Json, *, ends: bool = False) -> Json:
        reason = "tool_calls" if "tool_calls" in delta else "stop"
        choice = {"index": 0, "delta": delta, "finish_reason": reason if ends else None}
        cost = {"usage": self._cost} if ends and self._cost else {}
        return {**self._template, "choices": [choice], **cost}

    def _require_good_end(self) -> None:
        usage = cost_of(self._cost)
        if not _is_good(self._reason or ""):
            cut = TruncatedStream(self._reason, usage)
            cut.calls = self._calls.whole
            raise cut
        if not (self._telling.begun or self._refused or self._calls.calls):
            raise EmptyAnswer(self._reason, usage)

    def _count(self, event: Json) -> None:
        groq = event.get("x_groq")
        further = cast(Json, groq).get("usage") if isinstance(groq, dict) else None
        cost = cost_in_chat(event.get("usage")) or cost_in_chat(further)
        self._cost = cost or self._cost
        last = self._ends_alone and self.ended and not event.get("choices")
        self._settled = last and cost is not None

    # Of several answers one is followed, whatever its number.
    def _is_followed(self, placed: tuple[int, Json]) -> bool:
        place, choice = placed
        given = choice.get("index")
        index = given if isinstance(given, int) else place
        if self._followed is None:
            self._followed = index
        return index == self._followed

    def _choice(self, choice: Json) -> Json:
        delta = _delta(choice, self.begun)
        reason = plain(choice.get("finish_reason") or delta.pop("finish_reason", None))
        brings = any(delta.get(name) for name in delta if name != "role")
        self._goes_on = self._goes_on or (brings and self._reason is not None)
        self.begun = self.begun or brings
        self._ends_unnamed = choice.get("finish_reason") == "" and not brings
        last = brings or self._goes_on or _is_good(self._reason or "stop")
        if last and not _NO_REASON.fullmatch(reason.strip()):
            self._reason, self._ends_alone = reason, not brings
        self._open = self._open or (brings and self._reason is None)
        return self._strict(delta)

    def _strict(self, delta: Json) -> Json:
        for piece in _pieces(delta):
            self._calls.take(piece, indexed(piece))
        merge(self._extras, unknown(delta, MESSAGE_FIELDS))
        given = [part for text in texts(delta.get("content")) for part in self._parted(text)]
        written = self._delta_of(given)
        thoughts = {k: thought for k in _THOUGHTS if (thought := plain(delta.get(k)))}
        if thoughts:
            written.pop("reasoning_content", None)  # the same twice
        refusal = plain(delta.get("refusal") or None)
        self._refused = self._refused or bool(refusal)
        cited, blocks = _objects(delta, "annotations"), _blocks(delta)
        others = {"refusal": refusal, "annotations": cited, "thinking_blocks": blocks}
        return written | thoughts | {name: told for name, told in others.items() if told}

    def _parted(self, said: Said) -> list[Said]:
        if said.kind == "thinking":
            return [said]
        return self._thinking.take(self._halves.whole(said.text))

    def _delta_of(self, parts: list[Said]) -> Json:
        answer = "".join(part.text for part in parts if part.kind == "answer")
        thought = "".join(part.text for part in parts if part.kind == "thinking")
        told = self._telling.take(answer)
        delta: Json = {"content": told} if told else {}
        return delta | ({"reasoning_content": thought} if thought else {})


def _is_good(reason: str) -> bool:
    return any(reason.lower() in (end, *same.split()) for end, same in _GOOD_ENDS.items())


def _error(event: Json) -> Json | None:
    """The error that the event tells of, or None."""
    if event.get("error") or "error" in (event.get("object"), event.get("type")):
        return event
    choices = _objects(event, "choices")
    within = next((choice["error"] for choice in choices if choice.get("error")), None)
    if within:
        return {"error": within}
    answers = choices or event.get("usage")
    return None if answers or not is_told_alone(event) else event


def _head(event: Json) -> Json:
    created = event.get("created")
    return {
        "id": plain(event.get("id")),
        "object": "chat.completion.chunk",
        "created": created if isinstance(created, int) else 0,
        "model": plain(event.get("model")),
    }


def _objects(of: Json, name: str) -> list[Json]:
    given: Any = of.get(name)
    if given is None:
        return []
    listed = cast(list[Any], given) if isinstance(given, list) else [given]
    return [cast(Json, each) for each in listed if isinstance(each, dict)]


# `message` is what an answer has that was not streamed, and what some repeat at the end of one that
# was; `text` stood in the API before this one.
def _delta(choice: Json, begun: bool) -> Json:
    delta: Any = choice.get("delta")
    if delta:
        return {**cast(Json, delta)} if isinstance(delta, dict) else {"content": delta}
    whole: Any = choice.get("message")
    if isinstance(whole, dict):
        told = cast(Json, whole)
        return {"tool_calls": told.get("tool_calls")} if begun else told
    return {"content": choice["text"]} if choice.get("text") else {}


def _pieces(delta: Json) -> list[Json]:
    given = [piece for piece in _objects(delta, "tool_calls") if piece]
    return given or _objects(delta, "function_call")


def _blocks(delta: Json) -> list[Json]:
    blocks = _objects(delta, "thinking_blocks")
    return [{k: v for k, v in block.items() if isinstance(v, str)} for block in blocks]
