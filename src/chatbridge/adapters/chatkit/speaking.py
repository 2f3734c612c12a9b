"""What a host's server keeps in its store and shows in its frames, as events of its turn.

What it *shows* comes as frames of its own ChatKitServer.process(), what it *keeps* as calls of the
store that it was given. The SDK stores an item and then tells it: the two are one event.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from chatkit.types import ThreadItem, ThreadMetadata

from chatbridge.adapters.chatkit.host_items import HostItems
from chatbridge.adapters.chatkit.items.mapping import read_item, to_thread
from chatbridge.adapters.chatkit.items.wire import payload_of
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.keepable import keepable
from chatbridge.domain.model.limits import MAX_REASON, MAX_TITLE
from chatbridge.domain.model.message import Message, cleaned
from chatbridge.domain.model.turn_event import How, Removed, Revised, Shown, TurnEvent

Json = dict[str, Any]

_UNSAID = "sdk_hidden_context"


class Speaking:
    """One turn of a host's server, or what it does outside of one.

    `say` is given each event, `afterwards` what is written once the turn has `ended`. `stopped`
    says whether the turn's owner wants no more of it. `pictures` are the domains that a page may
    show pictures from where the thread has none of its own.
    """

    def __init__(
        self,
        items: HostItems,
        say: Callable[[TurnEvent], None],
        *,
        afterwards: Callable[[Sequence[TurnEvent]], Awaitable[None]],
        subject: Message | None = None,
        said_by_person: bool = False,
        stopped: Callable[[], bool] = lambda: True,
        pictures: Sequence[str] = (),
    ) -> None:
        self.items = items
        self._say_now, self._afterwards = say, afterwards
        self.subject = subject
        self._subject_is_next = said_by_person
        self._stopped = stopped
        # texts that are begun and not whole
        self.open_texts: set[str] = set()
        self.hushed = False
        self.ended = False
        self._held: Shown | Removed | Revised | None = None
        self._late: list[TurnEvent] = []
        self._thread = to_thread(items.conversation, pictures)
        self._thread.created_at = self._thread.created_at.astimezone().replace(tzinfo=None)
        if subject:
            items.ids.ours.add(subject.id)

    # --- what the host asks and writes

    def new_id(self, kind: str) -> str:
        """A new item's id; the first of a turn with a message is that message's."""
        if self._subject_is_next and kind == "message" and self.subject:
            self._subject_is_next = False
            return self.subject.id
        return self.items.ids.new(kind)

    def thread(self) -> ThreadMetadata:
        """The thread as it is now."""
        return self._thread.model_copy(deep=True)

    def save_thread(self, thread: ThreadMetadata) -> None:
        """Keep what is another one in it. Raises AgentFailed, or what json does, for metadata that
        can't be kept; then the thread has what it had, so that nobody fails by it later."""
        known = self._thread
        title = None if thread.title == known.title else thread.title
        pictures = thread.allowed_image_domains
        status = None if thread.status == known.status else thread.status
        revised = Revised(
            title=cleaned(title)[:MAX_TITLE] if title is not None else None,
            status=status.type if status else None,
            status_reason=cleaned(getattr(status, "reason", None) or "")[:MAX_REASON] or None,
            metadata=None if thread.metadata == known.metadata else self._kept(thread),
            pictures=None if pictures == known.allowed_image_domains else pictures,
        )
        self._thread = _only_metadata(thread)
        if revised != Revised():
            held = self._held
            self._hold(held.then(revised) if isinstance(held, Revised) else revised)

    def _kept(self, thread: ThreadMetadata) -> Json:
        try:
            bounded = keepable(Revised(metadata=thread.metadata))
            return json.loads(json.dumps(bounded.metadata, allow_nan=False))
        except Exception:
            thread.metadata = self.thread().metadata
            raise

    def takes_title(self, title: str) -> bool:
        """Whether the thread gets a title that nobody has given: one of the host's stays."""
        if self._thread.title != self.items.conversation.title:
            return False
        self._thread.title = title
        return True

    def keep(self, item: ThreadItem) -> None:
        """An item is stored: a new one, or another form of one that is there."""
        if self.subject and item.id == self.subject.id:
            return
        # said of every stream that is broken off; here it is true only where a person has done it
        if item.type == _UNSAID and _is_broken_off() and not self._stopped():
            return
        id = self.items.ids.of(item.id)
        item = item.model_copy(deep=True, update={"id": id})
        earlier = self.items.is_earlier(id)
        shown = self.shown("kept", item, earlier=earlier)
        if earlier:
            self.items.replaced(_message(shown, self.items))
        else:
            self.items.own[id] = item
        # what was shown of a text that is cut off is kept as such
        if not (self.hushed and id in self.open_texts):
            self._hold(shown)

    def drop(self, item_id: str) -> None:
        """An item is deleted."""
        id = self.items.ids.known(item_id)
        earlier = self.items.is_earlier(id) or self.is_subject(id) or id not in self.items.ids.ours
        self.items.own.pop(id, None)
        self.items.over.pop(id, None)
        self.items.gone.add(id)
        self.open_texts.discard(id)
        self._hold(Removed(message_id=MessageId(id), told=False, earlier=earlier))

    async def settle(self) -> None:
        """Keep what was written after the end."""
        if self.ended:
            self.flush()
            late, self._late = self._late, []
            await self._afterwards(late)

    # --- what becomes of it

    def is_subject(self, id: str) -> bool:
        """Whether it is the message that the turn answers."""
        return self.subject is not None and id == self.subject.id

    def shown(self, how: How, item: ThreadItem, *, earlier: bool) -> Shown:
        """The item as it is now."""
        role, kind, content = read_item(item)
        return Shown(
            message_id=MessageId(item.id),
            at=item.created_at.astimezone(UTC),
            how=how,
            kind=kind,
            content=content,
            payload=payload_of(item),
            role=role,
            earlier=earlier,
        )

    def say(self, event: TurnEvent) -> None:
        """Say this, after what was held back."""
        self.flush()
        self._out(event)

    def take(self, id: str) -> None:
        """What was just stored of this item is about to be told: once is enough."""
        if isinstance(self._held, Shown | Removed) and self._held.message_id == id:
            self._held = None

    def take_revised(self) -> Revised:
        """What was just stored of the thread, about to be told."""
        held = self._held
        if isinstance(held, Revised):
            self._held = None
            return held
        return Revised()

    def flush(self) -> None:
        """Say what was held back: nothing has told it."""
        held, self._held = self._held, None
        if held is not None:
            self._out(held)

    def _hold(self, event: Shown | Removed | Revised) -> None:
        if isinstance(event, Revised) and isinstance(self._held, Revised):
            self._held = None
        self.flush()
        self._held = event

    def _out(self, event: TurnEvent) -> None:
        event = keepable(event)
        if self.ended:
            self._late.append(event)
        else:
            self._say_now(event)


def _is_broken_off() -> bool:
    """Whether the SDK asks while it handles that, whoever has done it: also the host's own code."""
    return isinstance(sys.exc_info()[1], asyncio.CancelledError)


def _only_metadata(thread: ThreadMetadata) -> ThreadMetadata:
    return ThreadMetadata.model_validate(thread.model_dump(exclude={"items"}))


def _message(shown: Shown, items: HostItems) -> Message:
    return Message(
        id=shown.message_id,
        conversation_id=items.conversation.id,
        role=shown.role,
        kind=shown.kind,
        content=shown.content,
        payload=shown.payload,
        created_at=shown.at,
    )


def earlier_now(items: HostItems, id: str, payload: Json) -> Shown | None:
    """An item of an earlier turn with this payload, kept and told by nobody."""
    known = items.known(id)
    if known is None:
        return None
    items.replaced(replace(known, payload=payload))
    return Shown(
        message_id=known.id,
        at=known.created_at,
        how="kept",
        kind=known.kind,
        content=known.content,
        payload=payload,
        role=known.role,
        earlier=True,
    )
