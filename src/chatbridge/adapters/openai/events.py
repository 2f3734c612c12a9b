"""One response of a model, read event by event into turn events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.items import TResponseOutputItem, TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseErrorEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
)

from chatbridge.adapters.openai.arguments import storable_arguments
from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.failures import ProviderFailure, TruncatedStream
from chatbridge.domain.model.identifiers import MessageId, new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.turn_event import TextDelta, TextFinished, TextStarted, TurnEvent


@dataclass(slots=True)
class _Text:
    id: MessageId = field(default_factory=new_message_id)
    said: list[str] = field(default_factory=list[str])
    whole: bool = False


class ResponseReader:
    """Reads one response: its texts become messages, its calls share one.

    Ids are ours, whatever the model says: Chat Completions models give all items the same one, and
    some endpoints leave out indices, ids and annotations.
    """

    def __init__(self, emit: Callable[[TurnEvent], None], calls: Calls) -> None:
        self._emit = emit
        self._calls = calls
        self._step = new_message_id()
        self._texts: dict[int | str, _Text] = {}
        self._ids: dict[str, list[str]] = {}
        self._ended = False
        self.called = False

    def read(self, event: TResponseStreamEvent) -> None:
        """Emit what the event means. Raises ProviderFailure or TruncatedStream if it says so."""
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                self._say(_key(event.output_index, event.item_id), event.delta)
            case "response.output_item.done":
                self._item(_key(event.output_index, event.item.id), event.item)
            case "response.completed":
                self._complete(event.response)
            case "response.incomplete":
                raise TruncatedStream("incomplete response")
            case "response.failed":
                raise _failed(event.response)
            case "error":
                raise _error(event)
            case _:
                pass

    def end(self) -> None:
        """The stream has ended. Raises TruncatedStream unless the response was complete."""
        if not self._ended:
            raise TruncatedStream("no final response")

    def _item(self, key: int | str, item: TResponseOutputItem) -> None:
        _clean(item)
        if getattr(item, "status", None) == "incomplete":
            return
        if isinstance(item, ResponseOutputMessage):
            self._finish(key, _text_of(item))
        elif isinstance(item, ResponseFunctionToolCall):
            self._call(item)

    def _complete(self, response: Response) -> None:
        if response.status == "incomplete":
            raise TruncatedStream("incomplete response")
        self._ended = True
        for key, text in tuple(self._texts.items()):
            self._finish(key, "".join(text.said))
        silent = not self._texts
        # some endpoints leave out the events and send only the response
        for index, item in enumerate(response.output or []):
            _clean(item)
            if isinstance(item, ResponseOutputMessage):
                if silent:
                    self._finish(index, _text_of(item))
            elif isinstance(item, ResponseFunctionToolCall):
                self._same_call(item)

    def conclude(self, answer: str) -> None:
        """What the response's tools have brought is the whole answer."""
        self._finish("answer", cleaned(answer))

    def _call(self, item: ResponseFunctionToolCall) -> None:
        self.called = True
        given = item.call_id
        item.call_id = self._calls.start(self._step, given, item.name, item.arguments)
        for id in {given, item.call_id}:
            self._ids.setdefault(id, []).append(item.call_id)

    # The final response repeats each call, and the SDK runs it under the id that stands there.
    def _same_call(self, item: ResponseFunctionToolCall) -> None:
        known = self._ids.get(item.call_id)
        if known:
            item.call_id = known.pop(0)
        else:
            self._call(item)

    def _say(self, key: int | str, delta: str) -> None:
        delta = cleaned(delta or "")
        if not delta:
            return
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _Text()
            self._emit(TextStarted(message_id=text.id, at=datetime.now(UTC)))
        text.said.append(delta)
        self._emit(TextDelta(message_id=text.id, text=delta))

    def _finish(self, key: int | str, whole: str) -> None:
        said = "".join(self._texts[key].said) if key in self._texts else ""
        if whole.startswith(said):
            self._say(key, whole[len(said) :])
        text = self._texts.get(key)
        if text is not None and not text.whole:
            text.whole = True
            self._emit(TextFinished(message_id=text.id))


def _key(index: int | None, item_id: str | None) -> int | str:
    return index if index is not None else item_id or ""


# The SDK keeps the item and sends it back, where one bad character would end the run.
def _clean(item: TResponseOutputItem) -> None:
    if isinstance(item, ResponseFunctionToolCall):
        item.call_id = cleaned(item.call_id or "")
        item.name = cleaned(item.name or "")
        item.arguments = storable_arguments(item.arguments or "")
    elif isinstance(item, ResponseOutputMessage):
        for part in item.content or []:
            if part.type == "output_text":
                part.text = cleaned(part.text or "")
            else:
                part.refusal = cleaned(part.refusal or "")


def _text_of(item: ResponseOutputMessage) -> str:
    parts = item.content or []
    return "".join(p.text if p.type == "output_text" else p.refusal for p in parts)


def _failed(response: Response) -> ProviderFailure:
    error = response.error
    return ProviderFailure(error.code, error.message) if error else ProviderFailure(None, "failed")


def _error(event: ResponseErrorEvent) -> ProviderFailure:
    return ProviderFailure(event.code, event.message)
