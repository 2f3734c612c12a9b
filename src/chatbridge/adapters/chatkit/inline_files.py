"""Files in what a host shows: kept as such, whatever way they come."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from chatbridge.adapters.chatkit.items.inline import (
    KEPT,
    Put,
    files_in,
    in_markdown,
    kept_id,
    made_of,
    pictures_in,
    with_files,
)
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn_event import (
    Changed,
    Shown,
    TextDelta,
    TextFinished,
    TextStarted,
    TurnEvent,
)
from chatbridge.domain.services.made_files import MadeFiles, NotKept
from chatbridge.ports.inline_files import InlineFiles

_log = logging.getLogger(__name__)

_MOST = 100
"""So many files of one turn, or of what is shown beside one, are kept."""

_PICTURE = "picture"

_Own = TextStarted | TextFinished | Shown | Changed


class ItemFiles(InlineFiles):
    """Of ChatKit's items. One for each turn: it knows what has come before."""

    def __init__(self, files: MadeFiles) -> None:
        self._files = files
        self._known: dict[bytes, Attached | None] = {}

    def has_any(self, event: TurnEvent) -> bool:
        """See the port."""
        return bool(_files_in(event))

    async def taken_out(
        self, user_id: UserId, where: ConversationId, events: Sequence[TurnEvent]
    ) -> tuple[TurnEvent, ...]:
        """See the port."""
        return tuple([await self._one(user_id, where, event) for event in events])

    async def _one(self, user_id: UserId, where: ConversationId, event: TurnEvent) -> TurnEvent:
        shown: dict[str, Attached | None] = {}
        for file in _files_in(event):
            if file not in shown:
                shown[file] = await self._kept(user_id, where, file)
        return _told(event, shown) if shown else event

    async def _kept(self, user_id: UserId, where: ConversationId, file: str) -> Attached | None:
        if id := kept_id(file):
            return next(iter(await self._files.known(user_id, where, [id])), None)
        key = sha256(file.encode("utf-8", "surrogatepass")).digest()
        if key not in self._known:
            self._known[key] = await self._keep(user_id, where, file)
        return self._known[key]

    async def _keep(self, user_id: UserId, where: ConversationId, file: str) -> Attached | None:
        try:
            if len(self._known) >= _MOST:
                raise NotKept(f"{_MOST} files of an answer are kept")
            made = made_of(file, _PICTURE)
            if made is None:
                raise NotKept("its base64 can't be read")
            return await self._files.keep(user_id, where, made)
        except NotKept as why:
            _log.warning("a file in what was shown is left out: %s", why)
            return None


def _files_in(event: TurnEvent) -> Sequence[str]:
    match event:
        case TextDelta(text=text):
            return pictures_in(text)
        case TextStarted() | TextFinished():
            return [*pictures_in(event.content), *files_in(event.payload)]
        case Shown(role="assistant", payload=payload) | Changed(payload=payload):
            return files_in(payload)
        case _:
            return ()


def _told(event: TurnEvent, shown: dict[str, Attached | None]) -> TurnEvent:
    def put(file: str) -> str:
        kept = shown.get(file)
        # what is not ours keeps its name, which leads nowhere
        return f"{KEPT}{kept.id}" if kept else file if kept_id(file) else ""

    if isinstance(event, TextDelta):
        return replace(event, text=in_markdown(event.text, put))
    assert isinstance(event, _Own)  # noqa: S101  # no other has files
    attachments = tuple({kept.id: kept for kept in shown.values() if kept}.values())
    return replace(event, attachments=attachments, **_fields(event, put))


def _fields(event: _Own, put: Put) -> dict[str, Any]:
    payload = None if event.payload is None else with_files(event.payload, put)
    if isinstance(event, Changed):
        return {"payload": payload}
    text = event.content
    return {"payload": payload, "content": text if _is_no_text(event) else in_markdown(text, put)}


def _is_no_text(event: TurnEvent) -> bool:
    return isinstance(event, Shown) and event.kind != "text"
