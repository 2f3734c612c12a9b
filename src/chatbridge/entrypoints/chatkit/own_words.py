"""What is in a surface's own words already, or is nothing but a change: told as it is."""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import TypeGuard

from chatkit.types import (
    ProgressUpdateEvent,
    ThreadItemRemovedEvent,
    ThreadStreamEvent,
)

from chatbridge.adapters.chatkit.items.inline import addressed
from chatbridge.adapters.chatkit.items.wire import Verbatim, wire_item
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    Changed,
    Progressed,
    Removed,
    Revised,
    Shown,
    TextFinished,
    TextStarted,
    Told,
    TurnEvent,
    TurnFailed,
)

Own = (
    TextStarted
    | TextFinished
    | Shown
    | Changed
    | Removed
    | Progressed
    | Told
    | Revised
    | TurnFailed
)

Said = ThreadStreamEvent | Verbatim


class OwnWords:
    """Of the turn that `transcript` follows; of the messages in `still_open` there is more to come,
    for whoever else translates it too."""

    def __init__(
        self,
        conversation_id: ConversationId,
        transcript: Transcript,
        still_open: set[MessageId],
        address: Callable[[Attached], str] | None,
    ) -> None:
        self._conversation_id, self._address = conversation_id, address
        self._transcript, self._open = transcript, still_open

    def of(self, event: Own) -> Generator[Said]:
        """What the client is told of this event."""
        match event:
            case TextStarted(message_id=id, at=at, payload=payload):
                if not event.at_once:
                    self._open.add(id)
                    yield self._verbatim("added", id, at, payload or {}, event.attachments)
            case TextFinished(message_id=id, payload=payload):
                self._open.discard(id)
                if message := self._transcript.message(id):
                    carried = event.attachments
                    yield self._verbatim("done", id, message.created_at, payload or {}, carried)
            case Shown(message_id=id, how=how):
                (self._open.add if how == "added" else self._open.discard)(id)
                if how != "kept" and event.kind != "note":
                    yield self._verbatim(how, id, event.at, event.payload, event.attachments)
            case _:
                yield from self._passed_on(event)

    def _passed_on(
        self, event: Changed | Removed | Progressed | Told | Revised | TurnFailed
    ) -> Generator[Said]:
        match event:
            case Changed(message_id=id, payload=payload):
                told = {**addressed(payload, event.attachments, self._address)}
                yield Verbatim({"type": "thread.item.updated", "item_id": id, "update": told})
            case Removed(message_id=id):
                self._open.discard(id)
                if event.told:
                    yield ThreadItemRemovedEvent(item_id=id)
            case Progressed(text=text, icon=icon):
                yield ProgressUpdateEvent.model_validate({"text": text, "icon": icon})
            case Told() | Revised() | TurnFailed():
                if event.payload is not None:
                    yield Verbatim({**event.payload})

    def _verbatim(
        self, how: str, id: MessageId, at: datetime, payload: Payload, carried: Sequence[Attached]
    ) -> Verbatim:
        told = addressed(payload, carried, self._address)
        item = wire_item(id, self._conversation_id, at, told)
        return Verbatim({"type": f"thread.item.{how}", "item": item})


def is_own(event: TurnEvent) -> TypeGuard[Own]:
    """Whether it is one of these."""
    match event:
        case Shown() | Changed() | Removed() | Progressed() | Told():
            return True
        case Revised():
            return event.id is None
        case TextStarted():
            return event.at_once or event.payload is not None
        case TextFinished() | TurnFailed():
            return event.payload is not None
        case _:
            return False
