"""The fold of turn events into messages: the only code that does it."""

from collections.abc import Iterable
from dataclasses import replace

from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.message import Message, unreadable
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn_event import (
    Cited,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TokensUsed,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
    TurnFailed,
    Unreadable,
)
from chatbridge.domain.model.usage import Usage


class Transcript:
    """What a turn has said, as the messages that a reader sees or that finish keeps."""

    def __init__(self, conversation_id: ConversationId, events: Iterable[TurnEvent] = ()) -> None:
        self._conversation_id = conversation_id
        self._messages: dict[MessageId, Message] = {}
        self._words: dict[MessageId, list[str]] = {}
        self.title: str | None = None
        self.usage: Usage | None = None
        self.code: str | None = None
        for event in events:
            self.apply(event)

    def apply(self, event: TurnEvent) -> None:
        """Take one more event.

        What belongs to a message whose beginning could not be read changes nothing.
        """
        match event:
            case TextDelta() | Cited() | TextFinished() | ToolCallFinished():
                if event.message_id in self._messages:
                    self._go_on(event)
            case TextStarted():
                self._begin_text(event)
            case ToolCallStarted():
                self._begin_call(event)
            case Unreadable(message_id=id, at=at):
                self._messages[id] = unreadable(id, self._conversation_id, at)
            case _:
                self._note(event)

    def message(self, id: MessageId) -> Message | None:
        """This message so far."""
        # joined when it is read, not at each word: a long answer has thousands of them
        if words := self._words.pop(id, None):
            self._change(id, content=self._messages[id].content + "".join(words))
        return self._messages.get(id)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, in the order in which they began."""
        return tuple(m for id in tuple(self._messages) if (m := self.message(id)))

    @property
    def said(self) -> tuple[Message, ...]:
        """Those of them that hold something."""
        return tuple(m for m in self.messages if m.content or m.tool_calls)

    def closed(self, open_calls: CallState = "unknown") -> tuple[Message, ...]:
        """What is kept when the turn has ended: a call that nobody saw end is `open_calls`."""
        return tuple(
            replace(m, tool_calls=tuple(_closed(c, open_calls) for c in m.tool_calls))
            for m in self.said
        )

    def _begin_text(self, event: TextStarted) -> None:
        self._messages[event.message_id] = Message(
            id=event.message_id,
            conversation_id=self._conversation_id,
            role="assistant",
            kind="partial",
            created_at=event.at,
        )

    def _begin_call(self, event: ToolCallStarted) -> None:
        step = self._messages.get(event.message_id) or Message(
            id=event.message_id,
            conversation_id=self._conversation_id,
            role="assistant",
            kind="tools",
            created_at=event.call.started_at,
        )
        self._messages[step.id] = replace(step, tool_calls=(*step.tool_calls, event.call))

    def _go_on(self, event: TextDelta | Cited | TextFinished | ToolCallFinished) -> None:
        message = self._messages[event.message_id]
        match event:
            case TextDelta(message_id=id, text=text):
                self._words.setdefault(id, []).append(text)
            case Cited(message_id=id, citation=citation):
                self._change(id, citations=(*message.citations, citation))
            case TextFinished(message_id=id):
                self._change(id, kind="text")
            case ToolCallFinished():
                self._end_call(event)

    def _end_call(self, event: ToolCallFinished) -> None:
        calls = tuple(
            _ended(c, event) if c.id == event.call_id else c
            for c in self._messages[event.message_id].tool_calls
        )
        self._change(event.message_id, tool_calls=calls)

    def _note(self, event: TurnEvent) -> None:
        match event:
            case Titled(title=title):
                self.title = title
            case TokensUsed(input_tokens=read, output_tokens=written):
                used = Usage(input_tokens=read, output_tokens=written)
                self.usage = self.usage + used if self.usage else used
            case TurnFailed(code=code):
                self.code = code
            case _:
                pass

    def _change(self, id: MessageId, **fields: object) -> None:
        self._messages[id] = replace(self._messages[id], **fields)  # pyright: ignore[reportArgumentType]


def _ended(call: ToolCall, event: ToolCallFinished) -> ToolCall:
    arguments = call.arguments if event.arguments is None else event.arguments
    return replace(
        call, arguments=arguments, state=event.state, output=event.output, ended_at=event.at
    )


def _closed(call: ToolCall, state: CallState) -> ToolCall:
    return replace(call, state=state) if call.state == "running" else call
