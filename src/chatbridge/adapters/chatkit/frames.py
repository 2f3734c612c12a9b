"""The frames of a host's server, one by one, as events of its turn."""

from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from chatbridge.adapters.chatkit.items.updates import updated
from chatbridge.adapters.chatkit.items.wire import lifted, wire_time
from chatbridge.adapters.chatkit.speaking import Speaking, earlier_now
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.keepable import keepable
from chatbridge.domain.model.message import Kind, Role
from chatbridge.domain.model.turn_event import (
    Changed,
    How,
    Progressed,
    Removed,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    Told,
)

Json = dict[str, Any]

_DELTA = "assistant_message.content_part.text_delta"
_TEXT = "assistant_message"


class Frames:
    """Reads them into what is spoken."""

    def __init__(self, speaking: Speaking) -> None:
        self._speaking, self._items = speaking, speaking.items
        self._error: Json | None = None
        self.unheard = False
        self._whole: set[str] = set()

    def read(self, event: Json) -> None:
        """The next frame."""
        if event["type"] != "thread.updated":
            self.goes_on()
        match event:
            case {"item": item, "type": type}:
                self._item(type, item)
            case {"type": "thread.item.updated", "item_id": id, "update": update}:
                self._updated(id, update)
            case {"type": "thread.item.removed", "item_id": id}:
                self._removed(id)
            case {"type": "error"}:
                self._error = event
            case _:
                self._thread_or_told(event)

    def goes_on(self) -> None:
        """Something follows, so an error that was told was no end."""
        error, self._error = self._error, None
        if error is not None:
            self._speaking.say(Told(payload=error))

    def failure(self) -> AgentFailed | None:
        """What the host's last words were, if they say that it has failed."""
        error = self._error
        if error is None:
            return None
        detail = error.get("message") or "Something went wrong while answering."
        return AgentFailed(detail, code="host_failed", payload=error)

    def _item(self, type: str, item: Json) -> None:
        match type:
            case "thread.item.added":
                self._added(item)
            case "thread.item.done":
                self._done(item)
            case _:
                self._settled(item, "replaced")

    def _thread_or_told(self, event: Json) -> None:
        match event:
            case {"type": "thread.created"}:
                pass
            case {"type": "thread.updated"}:
                told = replace(self._speaking.take_revised(), payload=_timed(event))
                self._speaking.say(told)
            case {"type": "progress_update", "text": str(text), **more} if more.keys() <= {"icon"}:
                self._speaking.say(Progressed(text=text, icon=more.get("icon")))
            case _:
                self._speaking.say(Told(payload=event))

    def _added(self, item: Json) -> None:
        id = self._items.ids.begins(item["id"])
        at, payload = lifted(item)
        if item["type"] == _TEXT:
            self._speaking.open_texts.add(id)
            content = _content(payload)
            self._speaking.say(
                TextStarted(message_id=MessageId(id), at=at, content=content, payload=payload)
            )
        else:
            self._speaking.say(_shown(id, "added", at, payload))

    def _updated(self, item_id: str, update: Json) -> None:
        id = self._items.ids.known(item_id)
        if update["type"] == _DELTA and id in self._speaking.open_texts:
            delta = TextDelta(
                message_id=MessageId(id), text=update["delta"], part=update["content_index"]
            )
            return self._speaking.say(delta)
        self._speaking.say(Changed(message_id=MessageId(id), payload=update))
        if self._items.is_earlier(id) and (known := self._items.known(id)) and known.payload:
            # the SDK forgets this one; what was shown is kept here
            new = earlier_now(self._items, id, updated(known.payload, [update]))
            if new is not None:
                self._speaking.say(new)
        return None

    def _done(self, item: Json) -> None:
        if self._speaking.is_subject(item["id"]):
            return
        id = self._items.ids.of(item["id"])
        is_text = item["type"] == _TEXT and not self._items.is_earlier(id)
        if is_text and id not in self._whole:
            self._finished(id, item)
        else:
            self._settled(item, "done")
        self._items.ids.ends(id)

    def _finished(self, id: str, item: Json) -> None:
        at, payload = lifted(item)
        content = _content(payload)
        message_id = MessageId(id)
        self._speaking.take(id)
        finished = keepable(
            TextFinished(message_id=message_id, at=at, content=content, payload=payload)
        )
        if id not in self._speaking.open_texts:
            self._speaking.say(TextStarted(message_id=message_id, at=at, at_once=True))
            self._speaking.say(TextDelta(message_id=message_id, text=content))
        self._speaking.open_texts.discard(id)
        self._whole.add(id)
        self._speaking.say(finished)

    def _settled(self, item: Json, how: How) -> None:
        id = self._items.ids.of(item["id"])
        self._speaking.take(id)
        at, payload = lifted(item)
        earlier = self._items.is_earlier(id)
        self._speaking.say(replace(_shown(id, how, at, payload), earlier=earlier))

    def _removed(self, item_id: str) -> None:
        id = self._items.ids.known(item_id)
        self._speaking.take(id)
        earlier = self._items.is_earlier(id) or self._speaking.is_subject(id)
        self._speaking.say(
            Removed(message_id=MessageId(id), earlier=earlier or id not in self._items.ids.ours)
        )


def _shown(id: str, how: How, at: datetime, payload: Json) -> Shown:
    role, kind, content = _read(payload)
    return Shown(
        message_id=MessageId(id),
        at=at,
        how=how,
        kind=kind,
        content=content,
        payload=payload,
        role=role,
    )


def _read(payload: Json) -> tuple[Role, Kind, str]:
    """What the domain reads of an item on the wire, of a newer SDK's too."""
    match payload["type"]:
        case "user_message":
            return "user", "text", _content(payload)
        case "assistant_message":
            return "assistant", "text", _content(payload)
        case "hidden_context_item" | "sdk_hidden_context":
            return "assistant", "note", str(payload.get("content"))
        case _:
            return "assistant", "shown", payload.get("copy_text") or ""


def _content(payload: Json) -> str:
    return "".join(part.get("text", "") for part in payload.get("content", ()))


def _timed(event: Json) -> Json:
    told = deepcopy(event)
    at = datetime.fromisoformat(told["thread"]["created_at"])
    told["thread"]["created_at"] = wire_time(at)
    return told
