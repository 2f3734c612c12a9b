"""The fold of turn events into messages: the only code that does it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chatbridge.domain.model.call_ends import closed, ended
from chatbridge.domain.model.identifiers import CallId, ConversationId, MessageId
from chatbridge.domain.model.message import Message, unreadable
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.tool_call import CallState, ToolCall
from chatbridge.domain.model.turn_event import (
    Changed,
    Cited,
    Removed,
    Revised,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Titled,
    TokensUsed,
    ToolCallAnswered,
    ToolCallAsked,
    ToolCallFinished,
    ToolCallStarted,
    TurnEvent,
    TurnFailed,
    TurnResumed,
    Unreadable,
)
from chatbridge.domain.model.usage import Usage

_OfMessage = (
    TextDelta | Cited | TextFinished | ToolCallFinished | ToolCallAsked | ToolCallAnswered | Changed
)


class Transcript:
    """What a turn has said, as the messages that a reader sees or that finish keeps.

    And what it has changed: `replaced` and `removed` are entries of earlier turns, `revised` is
    what is different in the conversation itself. What a surface has changed of an entry is put
    into its payload as `updates`, for that surface to put together. `agent` made the call that was
    asked about last, and `payloads` are what its provider wants back with such calls.
    """

    def __init__(self, conversation_id: ConversationId, events: Iterable[TurnEvent] = ()) -> None:
        self._conversation_id = conversation_id
        self._messages: dict[MessageId, Message] = {}
        self._words: dict[MessageId, list[str]] = {}
        self._updates: dict[MessageId, list[Payload]] = {}
        self.replaced: dict[MessageId, Message] = {}
        self.removed: set[MessageId] = set()
        self.revised = Revised()
        self.title: str | None = None
        self.usage: Usage | None = None
        self.code: str | None = None
        self.agent: str | None = None
        self.payloads: dict[CallId, Payload] = {}
        self.states: dict[CallId, Payload] = {}
        self.take(events)

    def take(self, events: Iterable[TurnEvent]) -> None:
        """Take several more events."""
        for event in events:
            self.apply(event)

    def apply(self, event: TurnEvent) -> None:
        """Take one more event.

        What belongs to a message whose beginning could not be read changes nothing.
        """
        match event:
            case (
                TextDelta()
                | Cited()
                | TextFinished()
                | ToolCallFinished()
                | ToolCallAsked()
                | ToolCallAnswered()
                | Changed()
            ):
                if event.message_id in self._messages:
                    self._go_on(event)
            case TextStarted():
                self._begin_text(event)
            case ToolCallStarted():
                self._begin_call(event)
            case Unreadable(message_id=id, at=at, shown=True):
                self._messages[id] = unreadable(id, self._conversation_id, at)
            case Shown():
                self._show(event)
            case Removed(message_id=id):
                self._remove(id, earlier=event.earlier)
            case _:
                self._note(event)

    def message(self, id: MessageId) -> Message | None:
        """This message so far."""
        # joined when it is read, not at each word: a long answer has thousands of them
        if words := self._words.pop(id, None):
            self._change(id, content=self._messages[id].content + "".join(words))
        if updates := self._updates.pop(id, None):
            payload = self._messages[id].payload or {}
            known = payload.get("updates", ())
            self._change(id, payload={**payload, "updates": [*known, *updates]})
        return self._messages.get(id)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, in the order in which they began."""
        return tuple(m for id in tuple(self._messages) if (m := self.message(id)))

    @property
    def said(self) -> tuple[Message, ...]:
        """Those of them that hold something."""
        return tuple(m for m in self.messages if m.content or m.tool_calls or m.payload)

    def calls_in(self, *states: CallState) -> tuple[tuple[MessageId, ToolCall], ...]:
        """The calls that are in these states, each with its message."""
        calls = ((m.id, call) for m in self.messages for call in m.tool_calls)
        return tuple((id, call) for id, call in calls if call.state in states)

    def closed(self, open_calls: CallState = "unknown") -> tuple[Message, ...]:
        """What is kept when the turn has ended: a call that nobody saw end is `open_calls`."""
        return tuple(
            replace(m, tool_calls=tuple(closed(c, open_calls) for c in m.tool_calls))
            for m in self.said
        )

    def _begin_text(self, event: TextStarted) -> None:
        self._messages[event.message_id] = Message(
            id=event.message_id,
            conversation_id=self._conversation_id,
            role="assistant",
            kind="partial",
            content=event.content,
            attachments=event.attachments,
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

    def _show(self, event: Shown) -> None:
        shown = Message(
            id=event.message_id,
            conversation_id=self._conversation_id,
            role=event.role,
            kind=event.kind,
            content=event.content,
            payload=event.payload,
            attachments=event.attachments,
            created_at=event.at,
        )
        if event.earlier and event.message_id not in self._messages:
            self.removed.discard(event.message_id)
            self.replaced[event.message_id] = shown
        else:
            self._forget(event.message_id)
            self._messages[event.message_id] = shown

    def _remove(self, id: MessageId, *, earlier: bool) -> None:
        self._forget(id)
        self.replaced.pop(id, None)
        if self._messages.pop(id, None) is None and earlier:
            self.removed.add(id)

    def _forget(self, id: MessageId) -> None:
        self._words.pop(id, None)
        self._updates.pop(id, None)

    def _go_on(self, event: _OfMessage) -> None:
        match event:
            case ToolCallFinished():
                self._end_call(event)
            case ToolCallAsked():
                self._ask(event)
            case ToolCallAnswered(message_id=id, call_id=call_id):
                if event.lets_it_run:  # that another one ends is told next
                    self._change_call(id, call_id, state="approved", answers=event.answers)
                elif event.answers is not None:
                    self._change_call(id, call_id, answers=event.answers)
            case _:
                self._go_on_showing(event)

    def _go_on_showing(self, event: TextDelta | Cited | TextFinished | Changed) -> None:
        message = self._messages[event.message_id]
        match event:
            case TextDelta(message_id=id, text=text):
                self._words.setdefault(id, []).append(text)
            case Cited(message_id=id, citation=citation):
                self._change(id, citations=(*message.citations, citation))
            case TextFinished(message_id=id):
                self._end_text(event)
            case Changed(message_id=id, payload=payload):
                # a text that was cut off is put together of its words
                if message.payload is not None:
                    self._updates.setdefault(id, []).append(payload)
                    if event.attachments:
                        self._change(id, attachments=(*message.attachments, *event.attachments))

    def _ask(self, event: ToolCallAsked) -> None:
        self.agent = event.agent
        if event.payload is not None:
            self.payloads[event.call_id] = event.payload
        if event.state is not None:
            self.states[event.call_id] = event.state
        self._change_call(
            event.message_id,
            event.call_id,
            state="waiting",
            asks=event.asks,
            form=event.form,
            proposal=event.proposal,
        )

    def _end_text(self, event: TextFinished) -> None:
        id = event.message_id
        if event.payload is None:
            return self._change(id, kind="text")
        self._forget(id)
        at = event.at or self._messages[id].created_at
        return self._change(
            id,
            kind="text",
            content=event.content,
            payload=event.payload,
            attachments=event.attachments,
            created_at=at,
        )

    def _end_call(self, event: ToolCallFinished) -> None:
        calls = tuple(
            ended(c, event) if c.id == event.call_id else c
            for c in self._messages[event.message_id].tool_calls
        )
        self._change(event.message_id, tool_calls=calls)

    def _change_call(self, message_id: MessageId, call_id: CallId, **fields: Any) -> None:
        calls = tuple(
            replace(call, **fields) if call.id == call_id else call
            for call in self._messages[message_id].tool_calls
        )
        self._change(message_id, tool_calls=calls)

    def _note(self, event: TurnEvent) -> None:
        match event:
            case Titled(title=title):
                self.title = title
            case TokensUsed(input_tokens=read, output_tokens=written):
                used = Usage(input_tokens=read, output_tokens=written)
                self.usage = self.usage + used if self.usage else used
            case Revised():
                self.revised = self.revised.then(event)
            case TurnFailed(code=code):
                self.code = code
            case TurnResumed():
                for id, call in self.calls_in("approved"):
                    self._change_call(id, call.id, state="running")
            case _:
                pass

    def _change(self, id: MessageId, **fields: object) -> None:
        self._messages[id] = replace(self._messages[id], **fields)  # pyright: ignore[reportArgumentType]
