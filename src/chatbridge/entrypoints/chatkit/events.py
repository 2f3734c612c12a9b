"""A turn's events in ChatKit's words, as its client draws them."""

from collections.abc import AsyncGenerator, Generator, Sequence

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
    WidgetItem,
    WidgetRootUpdated,
)
from chatkit.types import Page as ChatKitPage

from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import MessageId
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
from chatbridge.entrypoints.chatkit.mapping import to_annotation, to_item, to_thread

_OfMessage = TextStarted | Cited | TextFinished | ToolCallStarted | ToolCallFinished | Unreadable

THINKING = ProgressUpdateEvent(text="Thinking")


async def stream_events(
    recording: Recording, pictures: Sequence[str] = ()
) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Everything from the turn's first event to its last."""
    translation = Translation(recording.turn.conversation, pictures)
    yield THINKING
    async for _, event in recording.show():
        for told in translation.of(event):
            yield told


class Translation:
    """Translates one turn; remembers what is still open on the client's screen."""

    def __init__(self, conversation: Conversation, pictures: Sequence[str] = ()) -> None:
        self._thread = to_thread(conversation, pictures)
        self._transcript = Transcript(conversation.id)
        self._open: set[MessageId] = set()

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
                yield from self._tools(message)
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

    def _tools(self, message: Message) -> Generator[ThreadStreamEvent]:
        running = any(call.state == "running" for call in message.tool_calls)
        item = to_item(message)
        if len(message.tool_calls) == 1 and running:
            yield self._added(message)
            yield THINKING
        elif isinstance(item, WidgetItem):
            update = WidgetRootUpdated(widget=item.widget)
            yield ThreadItemUpdatedEvent(item_id=message.id, update=update)
        if not running:
            yield self._done(message)
            yield THINKING

    def _close(self) -> Generator[ThreadStreamEvent]:
        """What is kept is what was shown: finish what is open as finish keeps it."""
        kept = {message.id: message for message in self._transcript.closed()}
        for id in [m.id for m in self._transcript.messages if m.id in self._open]:
            yield self._done(kept[id]) if id in kept else ThreadItemRemovedEvent(item_id=id)

    def _added(self, message: Message) -> ThreadItemAddedEvent:
        self._open.add(message.id)
        return ThreadItemAddedEvent(item=to_item(message))

    def _done(self, message: Message) -> ThreadItemDoneEvent:
        self._open.discard(message.id)
        return ThreadItemDoneEvent(item=to_item(message))
