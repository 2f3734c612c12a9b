"""What a model says that it thinks, shown beside its answer and never given to a model again."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal, Protocol

from agents import Model
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseReasoningItem

from chatbridge.adapters.openai.models import is_chat_completions
from chatbridge.adapters.openai.shown_entry import ShownEntry
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn_event import Changed, TurnEvent

Form = Literal["summary", "text"]
"""In which events of the Responses API a thought comes."""

_MOST = 20_000
"""How many characters of thoughts one response shows; models can think without an end."""

_LEAST = 24
_GROWTH = 8
_PARAGRAPH = "\n\n"


class ThoughtForms(Protocol):
    """How a surface writes thoughts, and what is new in them."""

    def entry(self, thoughts: Sequence[str], seconds: int | None) -> Payload:
        """All of them. Without `seconds`, the time that they took, there are more to come."""
        ...

    def change(self, place: int, thought: str, *, new: bool) -> Payload:
        """The thought at this place, which has begun or has grown."""
        ...


@dataclass(slots=True)
class _Entry(ShownEntry):
    began: float = field(default_factory=monotonic)
    thoughts: list[str] = field(default_factory=list[str])
    told: list[int] = field(default_factory=list[int])
    places: dict[Hashable, int] = field(default_factory=dict[Hashable, int])


class Thoughts:
    """The thoughts of one response: each row of them is an entry, which ends where something else
    begins.

    A summary comes in parts, which are thoughts; what was thought itself is parted at its blank
    lines. A surface has no word for "some more of a thought": the whole is told again when it has
    grown by an eighth, so that what is told of one grows with its length and not with its square.
    """

    def __init__(
        self,
        emit: Callable[[TurnEvent], None],
        forms: ThoughtForms | None,
        *,
        summaries: bool,
        chat: bool,
    ) -> None:
        """Without `forms` nothing is shown; with `summaries`, nothing else. By Chat Completions
        (`chat`) none come, though the SDK makes it look so."""
        self._emit = emit
        self._forms = forms
        self._summaries = summaries
        self._chat = chat
        self._form: Form | None = None
        self._said: dict[Hashable, str] = {}
        self._length = 0
        self._entry: _Entry | None = None

    def read(self, event: TResponseStreamEvent) -> None:
        """An event of the response; nothing happens where it is no thought."""
        match event.type:
            case "response.reasoning_summary_text.delta":
                self.take("summary", _key(event, event.summary_index), event.delta)
            case "response.reasoning_summary_text.done":
                self.whole("summary", _key(event, event.summary_index), event.text)
            case "response.reasoning_text.delta":
                self.take("text", _key(event, event.content_index), event.delta)
            case "response.reasoning_text.done":
                self.whole("text", _key(event, event.content_index), event.text)
            case _:
                pass

    def read_item(self, key: Hashable, item: ResponseReasoningItem) -> None:
        """All thoughts of an item, of which some may have been told as they came."""
        for number, part in enumerate(item.summary or []):
            self.whole("summary", (key, number), part.text)
        for number, part in enumerate(item.content or []):
            self.whole("text", (key, number), part.text)

    def take(self, form: Form, key: Hashable, delta: str) -> None:
        """Some more of a thought; of two forms of the same, the first that comes is followed."""
        raw = self._chat or form == "text"
        if self._forms is None or (raw and self._summaries) or self._form not in (None, form):
            return
        delta = cleaned(delta or "")
        if not delta or self._length > _MOST or not (delta.strip() or key in self._said):
            return
        self._form = form
        self._said[key] = self._said.get(key, "") + delta
        room = _MOST - self._length
        self._length += len(delta)
        self._write(self._forms, key, delta if len(delta) <= room else delta[:room] + "…")

    def whole(self, form: Form, key: Hashable, text: str) -> None:
        """A thought is whole; only what was not told of it is new."""
        text = cleaned(text or "")
        said = self._said.get(key, "")
        if text.startswith(said) and text not in self._said.values():
            self.take(form, key, text[len(said) :])
        entry = self._entry
        if self._forms and entry and key in entry.places:
            self._tell(self._forms, entry, entry.places[key], now=True)

    def close(self) -> None:
        """Something else begins, or the response has ended."""
        entry = self._entry
        if entry and self._forms:
            self._entry = None
            thoughts = [thought.strip() for thought in entry.thoughts]
            self._emit(
                entry.shown("done", self._forms.entry(thoughts, int(monotonic() - entry.began)))
            )

    def _write(self, forms: ThoughtForms, key: Hashable, delta: str) -> None:
        entry = self._entry or self._begin(forms)
        place = entry.places.get(key)
        if place is None:
            if not delta.strip():
                return None
            place = entry.places[key] = len(entry.thoughts)
            entry.thoughts.append("")
            entry.told.append(0)
            delta = delta.lstrip()
        entry.thoughts[place] += delta
        before, blank, behind = entry.thoughts[place].partition(_PARAGRAPH)
        parted = blank and (self._chat or self._form == "text")
        if not parted:
            return self._tell(forms, entry, place)
        entry.thoughts[place] = before
        self._tell(forms, entry, place, now=True)
        del entry.places[key]
        return self._write(forms, key, behind)

    def _begin(self, forms: ThoughtForms) -> _Entry:
        self._entry = _Entry()
        self._emit(self._entry.shown("added", forms.entry((), None)))
        return self._entry

    def _tell(self, forms: ThoughtForms, entry: _Entry, place: int, *, now: bool = False) -> None:
        thought, told = entry.thoughts[place], entry.told[place]
        fresh = len(thought) - told
        if fresh > 0 and (now or not told or fresh >= max(_LEAST, told // _GROWTH)):
            entry.told[place] = len(thought)
            payload = forms.change(place, thought, new=not told)
            self._emit(Changed(message_id=entry.id, payload=payload, text=thought[told:]))


def thoughts_of(
    emit: Callable[[TurnEvent], None],
    model: Model,
    *,
    forms: ThoughtForms | None,
    summaries: bool,
) -> Thoughts:
    """Those of one response of this model."""
    return Thoughts(emit, forms, summaries=summaries, chat=is_chat_completions(model))


def _key(event: Any, part: int | None) -> Hashable:
    item = event.output_index if event.output_index is not None else event.item_id or ""
    return item, part or 0
