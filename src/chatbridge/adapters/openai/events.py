"""One response of a model, read event by event into turn events."""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from agents.items import TResponseOutputItem, TResponseStreamEvent
from openai.types.responses import (
    Response,
    ResponseErrorEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseReasoningItem,
)

from chatbridge.adapters.openai.arguments import parsed_arguments, storable_arguments
from chatbridge.adapters.openai.calls import Calls
from chatbridge.adapters.openai.citations import to_citation
from chatbridge.adapters.openai.hosted import HostedCalls
from chatbridge.adapters.openai.images import ImageForms, Images
from chatbridge.adapters.openai.names import meant_name
from chatbridge.adapters.openai.thoughts import Thoughts
from chatbridge.adapters.openai.troubles import EndpointTrouble, ProviderFailure, TruncatedStream
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.identifiers import MessageId, new_message_id
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.turn_event import (
    Cited,
    TextDelta,
    TextFinished,
    TextStarted,
    TokensUsed,
    TurnEvent,
)


@dataclass(slots=True)
class _Text:
    id: MessageId = field(default_factory=new_message_id)
    said: list[str] = field(default_factory=list[str])
    parts: dict[int, int] = field(default_factory=dict[int, int])
    cited: set[Citation] = field(default_factory=set[Citation])
    whole: bool = False

    def before(self, part: int) -> int:
        """How many characters stand before this part."""
        return sum(length for number, length in self.parts.items() if number < part)


class ResponseReader:
    """Reads one response: its texts become messages, its calls share one.

    Ids are ours, whatever the model says: Chat Completions models give all items the same one, and
    some endpoints leave out indices, ids and annotations.
    """

    def __init__(
        self,
        emit: Callable[[TurnEvent], None],
        calls: Calls,
        thoughts: Thoughts,
        known: Collection[str] = (),
        images: ImageForms | None = None,
    ) -> None:
        """`known` are the names that the model may call; `images` how those are shown that it has
        made."""
        self._emit_it = emit
        self._calls = calls
        self._thoughts = thoughts
        self._known = known
        self._hosted = HostedCalls(self._emit, Images(self._emit, images))
        self._step = new_message_id()
        self._texts: dict[int | str, _Text] = {}
        self._ids: dict[str, list[str]] = {}
        self._ended = False
        self.called = False

    def read(self, event: TResponseStreamEvent) -> None:
        """Emit what the event means. Raises ProviderFailure or TruncatedStream if it says so."""
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta":
                key = _key(event.output_index, event.item_id)
                self._say(key, event.delta, event.content_index or 0)
            case "response.output_text.annotation.added":
                key = _key(event.output_index, event.item_id)
                self._cite(key, event.annotation, event.content_index or 0)
            case "response.output_item.added":
                self._hosted.start(event.output_index, event.item)
            case "response.image_generation_call.partial_image":
                # of newer providers it says in which format it is
                format = getattr(event, "output_format", None)
                self._hosted.grow(
                    event.output_index, event.item_id, event.partial_image_b64, format
                )
            case "response.output_item.done":
                self._item(event.output_index, event.item)
            case "response.completed" | "response.incomplete" | "response.failed":
                self._count(event.response)
                _require_whole(event.type, event.response)
                self._complete(event.response)
            case "error":
                raise _error(event)
            case _:
                self._thoughts.read(event)

    def end(self) -> None:
        """The stream has ended. Raises TruncatedStream unless the response was complete."""
        if not self._ended:
            raise TruncatedStream(None)

    def broke_off(self, error: Exception) -> None:
        """The response has no good end; what it has cost may be known, and what it has called."""
        self._thoughts.close()
        if isinstance(error, EndpointTrouble):
            if error.usage:
                self._emit_it(TokensUsed(**asdict(error.usage)))
            for name, arguments in error.calls:
                meant = meant_name(cleaned(name), self._known)
                self._calls.start(self._step, "", meant, storable_arguments(arguments))
        self._calls.never_begin()

    def _item(self, index: int | None, item: TResponseOutputItem) -> None:
        self._clean(item)
        if isinstance(item, ResponseOutputMessage):
            self._message(_key(index, item.id), item)
        elif isinstance(item, ResponseFunctionToolCall):
            if item.status != "incomplete":
                self._call(item)
        elif isinstance(item, ResponseReasoningItem):
            self._thoughts.read_item(_key(index, item.id), item)
        else:
            self._hosted.finish(index, item)

    # The SDK keeps the item and sends it back, where one bad character would end the run.
    def _clean(self, item: TResponseOutputItem) -> None:
        if isinstance(item, ResponseFunctionToolCall):
            item.call_id = cleaned(item.call_id or "")
            item.name = meant_name(item.name or "", self._known)
            item.arguments = storable_arguments(item.arguments or "")
        elif isinstance(item, ResponseOutputMessage):
            for part in item.content or []:
                if part.type == "output_text":
                    part.text = cleaned(part.text or "")
                else:
                    part.refusal = cleaned(part.refusal or "")

    def _message(self, key: int | str, item: ResponseOutputMessage) -> None:
        if item.status == "incomplete":
            return
        parts = [_text_of(part) for part in item.content or []]
        self._say_rest(key, "".join(parts))
        if key in self._texts:
            self._texts[key].parts = {n: len(part) for n, part in enumerate(parts)}
        for number, part in enumerate(item.content or []):
            for annotation in _annotations(part):
                self._cite(key, annotation, number)
        self._finish(key)

    def _complete(self, response: Response) -> None:
        self._ended = True
        for key in tuple(self._texts):
            self._finish(key)
        silent = not self._texts
        # some endpoints leave out the events and send only the response
        for index, item in enumerate(response.output or []):
            if isinstance(item, ResponseFunctionToolCall):
                self._clean(item)
                self._same_call(item)
            elif silent or not isinstance(item, ResponseOutputMessage | ResponseReasoningItem):
                self._item(index, item)
        self._thoughts.close()

    def conclude(self, answer: str) -> None:
        """What the response's tools have brought is the whole answer."""
        self._say("answer", answer)
        self._finish("answer")

    def refuse(self, name: str, arguments: str, why: str) -> None:
        """The provider has asked for a call of its own that it may not begin."""
        self._hosted.refuse(name, arguments, why)

    def _call(self, item: ResponseFunctionToolCall) -> None:
        self.called = True
        self._thoughts.close()
        given = item.call_id
        item.call_id = self._calls.start(self._step, given, item.name, item.arguments)
        self._let_be_asked(item)
        for id in {given, item.call_id}:
            self._ids.setdefault(id, []).append(item.call_id)

    # The final response repeats each call, and the SDK runs it under the id that stands there.
    def _same_call(self, item: ResponseFunctionToolCall) -> None:
        known = self._ids.get(item.call_id)
        if known:
            item.call_id = known.pop(0)
            self._let_be_asked(item)
        else:
            self._call(item)

    # Where the SDK can't read the arguments it lets a person be asked about them, whatever we say.
    def _let_be_asked(self, item: ResponseFunctionToolCall) -> None:
        if item.name in self._calls.asking and parsed_arguments(item.arguments) is None:
            item.arguments = "{}"

    # Thoughts end where something else begins.
    def _emit(self, event: TurnEvent) -> None:
        self._thoughts.close()
        self._emit_it(event)

    def _say(self, key: int | str, delta: str, part: int = 0) -> None:
        delta = cleaned(delta or "")
        if not delta:
            return
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = _Text()
            self._emit(TextStarted(message_id=text.id, at=datetime.now(UTC)))
        text.said.append(delta)
        text.parts[part] = text.parts.get(part, 0) + len(delta)
        self._emit(TextDelta(message_id=text.id, text=delta))

    def _say_rest(self, key: int | str, whole: str) -> None:
        said = "".join(self._texts[key].said) if key in self._texts else ""
        if whole.startswith(said):
            self._say(key, whole[len(said) :])

    def _cite(self, key: int | str, annotation: object, part: int) -> None:
        text = self._texts.get(key)
        if text is None:
            return
        citation = to_citation(annotation, text.before(part))
        if citation is not None and citation not in text.cited:
            text.cited.add(citation)
            self._emit(Cited(message_id=text.id, citation=citation))

    def _count(self, response: Response) -> None:
        usage = response.usage
        read, written = (usage.input_tokens or 0, usage.output_tokens or 0) if usage else (0, 0)
        if read or written:
            self._emit_it(TokensUsed(input_tokens=read, output_tokens=written))

    def _finish(self, key: int | str) -> None:
        text = self._texts.get(key)
        if text is not None and not text.whole:
            text.whole = True
            self._emit(TextFinished(message_id=text.id))


def _key(index: int | None, item_id: str | None) -> int | str:
    return index if index is not None else item_id or ""


def _text_of(part: ResponseOutputText | ResponseOutputRefusal) -> str:
    return part.text if part.type == "output_text" else part.refusal


def _annotations(part: ResponseOutputText | ResponseOutputRefusal) -> list[Any]:
    return [*(part.annotations or [])] if part.type == "output_text" else []


def _require_whole(kind: str, response: Response) -> None:
    if kind == "response.failed":
        raise _failed(response)
    if kind == "response.incomplete" or response.status not in ("completed", None):
        details = response.incomplete_details
        raise TruncatedStream((details and details.reason) or response.status or "incomplete")


def _failed(response: Response) -> ProviderFailure:
    error = response.error
    return ProviderFailure(error.code, error.message) if error else ProviderFailure(None, "failed")


def _error(event: ResponseErrorEvent) -> ProviderFailure:
    return ProviderFailure(event.code, event.message)
