"""A turn's events in ChatKit's words, as its client draws them."""

from collections.abc import AsyncGenerator, Generator

from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartTextDelta,
    ErrorEvent,
    ProgressUpdateEvent,
    Thread,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    WidgetRootUpdated,
)
from chatkit.types import Page as ChatKitPage

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import CallId, MessageId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Cited,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    Unreadable,
)
from chatbridge.domain.services.recording import Recording
from chatbridge.entrypoints.chatkit.badges import card, line_updated
from chatbridge.entrypoints.chatkit.mapping import (
    BY_NAME,
    Display,
    to_annotation,
    to_item,
    to_thread,
)

_OfMessage = TextStarted | Cited | TextFinished | ToolCallStarted | ToolCallFinished | Unreadable

THINKING = ProgressUpdateEvent(text="Thinking")


async def stream_events(
    recording: Recording, display: Display = BY_NAME
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Everything from the turn's first event to its last."""
    translation = Translation(recording.turn.conversation, display)
    yield THINKING
    async for _, event in recording.show():
        for told in translation.of(event):
            yield told


class Translation:
    """Translates one turn; remembers what is still open on the client's screen."""

    def __init__(self, conversation: Conversation, display: Display = BY_NAME) -> None:
        self._thread = to_thread(conversation, display.pictures)
        self._display = display
        self._transcript = Transcript(conversation.id)
        self._open: set[MessageId] = set()
        # of each card, how many lines it has room for
        self._places: dict[MessageId, int] = {}

    def of(self, event: TurnEvent) -> Generator[ThreadStreamEvent]:
        """What the client is told of this event."""
        self._transcript.apply(event)
        match event:
            case TextDelta(message_id=id, text=text) if id in self._open:
                delta = AssistantMessageContentPartTextDelta(content_index=0, delta=text)
                yield ThreadItemUpdatedEvent(item_id=id, update=delta)
            case TextStarted() | Cited() | TextFinished() if message := self._message(event):
                yield from self._text(event, message)
            case ToolCallStarted() | ToolCallFinished() if message := self._message(event):
                yield from self._tools(event, message)
            case Titled(title=title):
                told = self._thread.model_dump(exclude={"title"})
                yield ThreadUpdatedEvent(thread=Thread(**told, title=title, items=ChatKitPage()))
            case TurnFailed(code=code, detail=detail):
                retry = code != "conversation_deleted"
                yield ErrorEvent(code="custom", message=detail, allow_retry=retry)
            case Unreadable() if message := self._message(event):
                yield self._done(message)
            case TurnEnded():
                yield from self._close()
            case _:
                pass

    def _message(self, event: _OfMessage) -> Message | None:
        return self._transcript.message(event.message_id)

    def _text(
        self, event: TextStarted | Cited | TextFinished, message: Message
    ) -> Generator[ThreadStreamEvent]:
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

    def _tools(
        self, event: ToolCallStarted | ToolCallFinished, message: Message
    ) -> Generator[ThreadStreamEvent]:
        match event:
            case ToolCallStarted():
                yield from self._call_started(message)
            case ToolCallFinished(call_id=id):
                yield from self._call_finished(message, id)

    def _call_started(self, message: Message) -> Generator[ThreadStreamEvent]:
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
            update = WidgetRootUpdated(
                widget=card(calls, self._places[message.id], details=self._display.details)
            )
            yield ThreadItemUpdatedEvent(item_id=message.id, update=update)
        else:
            update = line_updated(len(calls) - 1, calls[-1], details=self._display.details)
            yield ThreadItemUpdatedEvent(item_id=message.id, update=update)

    def _call_finished(self, message: Message, id: CallId) -> Generator[ThreadStreamEvent]:
        for place, call in enumerate(message.tool_calls):
            if call.id == id:
                update = line_updated(place, call, details=self._display.details)
                yield ThreadItemUpdatedEvent(item_id=message.id, update=update)
        if not _running(message):
            yield THINKING

    def _settled(self) -> Generator[ThreadStreamEvent]:
        """A card is done when something else begins: until then its step may call once more."""
        for id in [id for id in self._places if id in self._open]:
            message = self._transcript.message(id)
            if message and not _running(message):
                yield self._done(message)

    def _close(self) -> Generator[ThreadStreamEvent]:
        """What is kept is what was shown: finish what is open as finish keeps it."""
        kept = {message.id: message for message in self._transcript.closed()}
        for id in [m.id for m in self._transcript.messages if m.id in self._open]:
            yield self._done(kept[id]) if id in kept else ThreadItemRemovedEvent(item_id=id)

    def _added(self, message: Message) -> ThreadItemAddedEvent:
        self._open.add(message.id)
        return ThreadItemAddedEvent(item=to_item(message, self._display))

    def _done(self, message: Message) -> ThreadItemDoneEvent:
        self._open.discard(message.id)
        return ThreadItemDoneEvent(item=to_item(message, self._display))


def _running(message: Message) -> bool:
    return any(call.state == "running" for call in message.tool_calls)
