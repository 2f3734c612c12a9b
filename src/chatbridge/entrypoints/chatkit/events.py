"""A turn's events in ChatKit's words, as its client draws them."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from typing import Any

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartTextDelta,
    ProgressUpdateEvent,
    Thread,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadUpdatedEvent,
    WidgetRootUpdated,
)
from chatkit.types import Page as ChatKitPage

from chatbridge.adapters.chatkit.items.asked import on_turn, stands_apart
from chatbridge.adapters.chatkit.items.badges import card, line_updated
from chatbridge.adapters.chatkit.items.mapping import (
    BY_NAME,
    Display,
    to_annotation,
    to_item,
    to_thread,
)
from chatbridge.adapters.chatkit.items.wire import Verbatim, as_shown
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Cited,
    Revised,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    ToolCallAnswered,
    ToolCallAsked,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnResumed,
    TurnWaiting,
    Unreadable,
)
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.own_words import OwnWords, Said, is_own

_OfCall = ToolCallStarted | ToolCallFinished | ToolCallAsked | ToolCallAnswered
_OfMessage = TextStarted | Cited | TextFinished | _OfCall | Unreadable

THINKING = ProgressUpdateEvent(text="Thinking")


async def stream_events(
    recording: Recording, display: Display = BY_NAME, after: int = 0
) -> AsyncGenerator[tuple[int, Said], None]:
    """All that follows the turn's first `after` events, each with its place among all that is said
    of the turn."""
    translation = Translation(recording.turn.conversation, display)
    count = 0
    if not recording.turn.by_host:
        count = 1
        if not after:
            yield count, THINKING
    async for number, event in recording.show():
        for told in translation.of(event):
            count += 1
            if number > after:
                yield count, told


class Translation:
    """Translates one turn; remembers what is still open on the client's screen."""

    def __init__(self, conversation: Conversation, display: Display = BY_NAME) -> None:
        self._conversation = conversation
        self._display = display
        self._looks: dict[str, Any] = {"details": display.details, "address": display.address}
        self._transcript = Transcript(conversation.id)
        self._open: set[MessageId] = set()
        self._own = OwnWords(conversation.id, self._transcript, self._open, display.address)
        # of each card, how many lines it has room for
        self._places: dict[MessageId, int] = {}
        # of what is asked besides leave, which call was told last
        self._asked: dict[MessageId, CallId] = {}

    def of(self, event: TurnEvent) -> Generator[Said]:
        """What the client is told of this event."""
        self._transcript.apply(event)
        return self._own.of(event) if is_own(event) else self._ours(event)

    def _ours(self, event: TurnEvent) -> Generator[Said]:
        match event:
            case TextDelta(message_id=id, text=text, part=part) if id in self._open:
                delta = AssistantMessageContentPartTextDelta(content_index=part, delta=text)
                yield ThreadItemUpdatedEvent(item_id=id, update=delta)
            case TextStarted() | Cited() | TextFinished() if message := self._message(event):
                yield from self._text(event, message)
            case ToolCallStarted() | ToolCallFinished() | ToolCallAsked() | ToolCallAnswered() if (
                message := self._message(event)
            ):
                yield from self._tools(event, message)
            case TurnFailed(code=code, detail=detail):
                retry = code != "conversation_deleted"
                # a client shows the message of a custom one, and words of its own for any other
                told = {"code": "custom", "message": detail, "allow_retry": retry}
                yield Verbatim({"type": "error", **told, "chatbridge_code": code})
            case Unreadable(shown=True) if message := self._message(event):
                yield self._done(message)
            case _:
                yield from self._of_the_turn(event)

    def _of_the_turn(self, event: TurnEvent) -> Generator[Said]:
        match event:
            case Titled() | Revised():
                yield self._thread(event.title)
            case TurnWaiting():
                yield from self._rest()
            case TurnResumed():
                yield from self._go_on()
            case TurnEnded():
                yield from self._close()
            case _:
                pass

    def _thread(self, title: str | None) -> ThreadUpdatedEvent:
        now = self._transcript.revised.of(self._conversation)
        now = replace(now, title=title or now.title or self._transcript.title)
        told = to_thread(now, self._display.pictures).model_dump()
        return ThreadUpdatedEvent(thread=Thread(**told, items=ChatKitPage()))

    def _message(self, event: _OfMessage) -> Message | None:
        return self._transcript.message(event.message_id)

    def _text(self, event: TextStarted | Cited | TextFinished, message: Message) -> Generator[Said]:
        match event:
            case TextStarted():
                yield from self._settled()
                yield self._added(message)
                part = AssistantMessageContent(text="", annotations=[])
                added = AssistantMessageContentPartAdded(content_index=0, content=part)
                yield ThreadItemUpdatedEvent(item_id=message.id, update=added)
            case Cited(citation=citation):
                cited = AssistantMessageContentPartAnnotationAdded(
                    content_index=0,
                    annotation_index=len(message.citations) - 1,
                    annotation=to_annotation(citation),
                )
                yield ThreadItemUpdatedEvent(item_id=message.id, update=cited)
            case TextFinished():
                yield self._done(message)

    def _tools(self, event: _OfCall, message: Message) -> Generator[Said]:
        match event:
            case _ if stands_apart(message):
                if isinstance(event, ToolCallFinished):
                    yield from self._asked_no_more(message)
            case ToolCallStarted():
                yield from self._call_started(message)
            case ToolCallFinished() | ToolCallAnswered() if message.id not in self._open:
                # it was asked, and so it was done
                yield self._replaced(message)
            case ToolCallFinished(call_id=id):
                yield from self._call_changed(message, id)
                if not _running(message):
                    yield THINKING
            case ToolCallAsked(call_id=id) | ToolCallAnswered(call_id=id):
                yield from self._call_changed(message, id)

    def _asked_no_more(self, message: Message) -> Generator[Said]:
        if message.id not in self._asked:
            # nobody was asked: its arguments were none
            yield from self._settled()
            yield self._done(message)
        elif on_turn(message).state != "waiting":
            yield self._replaced(message)

    def _rest(self) -> Generator[Said]:
        for message in self._transcript.messages:
            if message.id in self._open:
                yield self._done(message)
            elif stands_apart(message):
                yield from self._asked_now(message)

    def _asked_now(self, message: Message) -> Generator[Said]:
        """A page acts on what is done, and must be told of it once."""
        call = on_turn(message)
        if call.state == "waiting" and self._asked.get(message.id) != call.id:
            self._asked[message.id] = call.id
            yield self._done(message)

    def _go_on(self) -> Generator[Said]:
        """What was approved runs: its card is open again, with as many places as it has lines."""
        for message in self._transcript.messages:
            if _running(message):
                self._open.add(message.id)
                self._places[message.id] = len(message.tool_calls)
                yield self._replaced(message)
        yield THINKING

    def _call_started(self, message: Message) -> Generator[Said]:
        """One more line in the card; what is told of all calls grows with their number alone.

        A card that is full is told anew with twice as many places.
        """
        calls = message.tool_calls
        if len(calls) == 1:
            yield from self._settled()
            self._places[message.id] = 1
            yield self._added(message)
            yield THINKING
            return
        self._open.add(message.id)
        if len(calls) > self._places[message.id]:
            self._places[message.id] *= 2
            update = WidgetRootUpdated(widget=card(calls, self._places[message.id], **self._looks))
            yield ThreadItemUpdatedEvent(item_id=message.id, update=update)
        else:
            update = line_updated(len(calls) - 1, calls, **self._looks)
            yield ThreadItemUpdatedEvent(item_id=message.id, update=update)

    def _call_changed(self, message: Message, id: CallId) -> Generator[Said]:
        for place, call in enumerate(message.tool_calls):
            if call.id == id:
                update = line_updated(place, message.tool_calls, **self._looks)
                yield ThreadItemUpdatedEvent(item_id=message.id, update=update)

    def _settled(self) -> Generator[Said]:
        """A card is done when something else begins: until then its step may call once more."""
        for id in [id for id in self._places if id in self._open]:
            message = self._transcript.message(id)
            if message and not _running(message):
                yield self._done(message)

    def _close(self) -> Generator[Said]:
        """What is kept is what was shown: finish what is open as finish keeps it."""
        kept = {message.id: message for message in self._transcript.closed()}
        for id in [m.id for m in self._transcript.messages if m.id in self._open]:
            yield self._done(kept[id]) if id in kept else ThreadItemRemovedEvent(item_id=id)
        for id, _ in self._transcript.calls_in("waiting", "approved"):
            yield self._replaced(kept[id])

    def _added(self, message: Message) -> ThreadItemAddedEvent:
        self._open.add(message.id)
        return ThreadItemAddedEvent(item=to_item(message, self._display))

    def _replaced(self, message: Message) -> ThreadItemReplacedEvent:
        return ThreadItemReplacedEvent(item=to_item(message, self._display))

    def _done(self, message: Message) -> Said:
        self._open.discard(message.id)
        if item := as_shown(message, ended=True, address=self._display.address):
            return Verbatim({"type": "thread.item.done", "item": item})
        return ThreadItemDoneEvent(item=to_item(message, self._display))


def _running(message: Message) -> bool:
    return any(call.state == "running" for call in message.tool_calls)
