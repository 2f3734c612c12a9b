"""What tools and models make, kept as files of the conversation that it was made in."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from mimetypes import guess_extension

from chatbridge.domain.model.attachment import Attached, Attachment, KeptFiles, Made
from chatbridge.domain.model.errors import ChatbridgeError, Conflict, Invalid
from chatbridge.domain.model.identifiers import (
    AttachmentId,
    ConversationId,
    UserId,
    new_attachment_id,
)
from chatbridge.domain.model.media import TEXT, ZIP, Look, in_a_word, is_text, named, office_type
from chatbridge.domain.model.message import cleaned
from chatbridge.domain.model.words import in_a_line
from chatbridge.domain.services.attachments import MAX_NAME, Attachments

_log = logging.getLogger(__name__)

# those that not every machine knows
_ENDINGS = {"audio/wav": ".wav", "audio/ogg": ".ogg", "audio/webm": ".webm"}

_NOWHERE = "no files are kept here"
_UNKNOWN = "it is of no type that is kept"
_TOO_LARGE = "it is larger than {:,} bytes"
_ENOUGH = "enough files were made in a day"
_AWAY = "it could not be kept just now"
_UNREADABLE = "it can't be read, or has too many pixels"
_MANY = "{:,} files of one call are kept"


class NotKept(Exception):
    """Why not, as the end of a sentence."""


class MadeFiles:
    """The row comes before the bytes, as with what people bring; and both before anybody is shown
    them. Where no files are kept there are no `attachments`.
    """

    def __init__(self, attachments: Attachments | None) -> None:
        self._attachments = attachments

    async def keep_all(
        self, user_id: UserId, where: ConversationId, made: Sequence[Made]
    ) -> KeptFiles:
        """What one call has brought. Nothing is raised."""
        known: dict[bytes, Attached] = {}
        words: list[str] = []
        for each in made:
            try:
                if each.data not in known:
                    self._require_room(len(known))
                    known[each.data] = await self.keep(user_id, where, each)
                words.append(f"[{_told(known[each.data])} was shown to the person.]")
            except NotKept as why:
                words.append(f"[{_told(each)} is not kept, and nobody has seen it: {why}.]")
        return KeptFiles(tuple(known.values()), tuple(words))

    async def keep(self, user_id: UserId, where: ConversationId, made: Made) -> Attached:
        """One of them, of the type that its bytes are. Raises NotKept."""
        attachments = self._attachments
        if not attachments:
            raise NotKept(_NOWHERE)
        if len(made.data) > attachments.allowance.max_bytes:
            raise NotKept(_TOO_LARGE.format(attachments.allowance.max_bytes))
        media_type = await asyncio.to_thread(_type_of, made)
        if media_type is None:
            raise NotKept(_UNKNOWN)
        new = Attachment(
            id=new_attachment_id(),
            user_id=user_id,
            name=_name(made.name, media_type),
            media_type=media_type,
            size=0,
            state="awaited",
            created_at=datetime.now(UTC),
            made=True,
            conversation_id=where,
        )
        try:
            return await attachments.make(new, made.data)
        except Conflict:
            raise NotKept(_ENOUGH) from None
        except Invalid:
            raise NotKept(_UNREADABLE) from None
        except ChatbridgeError as error:
            _log.warning("a file that was made is not kept (%s)", error.code)
            raise NotKept(_AWAY) from None

    async def known(
        self, user_id: UserId, where: ConversationId, ids: Sequence[AttachmentId]
    ) -> tuple[Attached, ...]:
        """Those of them that are the conversation's already; nothing is raised."""
        found: list[Attached] = []
        if attachments := self._attachments:
            for id in ids:
                with suppress(ChatbridgeError):
                    one = await attachments.of(user_id, id)
                    found += [one.attached] if one.conversation_id == where else []
        return tuple(found)

    def _require_room(self, count: int) -> None:
        if self._attachments and count >= self._attachments.allowance.max_files:
            raise NotKept(_MANY.format(self._attachments.allowance.max_files))


def _type_of(made: Made) -> str | None:
    """By the bytes; only of a text what it is said to be counts."""
    look = Look()
    look.at(made.data)
    found = look.found()
    if found == ZIP:
        return office_type(BytesIO(made.data))
    if found != TEXT:
        return found
    declared = named(made.media_type)
    return declared if declared and is_text(declared) and made.data else None


def _name(name: str, media_type: str) -> str:
    bare = in_a_line(cleaned(name)).replace("/", "_").strip()[: MAX_NAME - 10] or "file"
    return (
        bare
        if "." in bare
        else f"{bare}{_ENDINGS.get(media_type) or guess_extension(media_type) or ''}"
    )


def _told(file: Attached | Made) -> str:
    size = file.size if isinstance(file, Attached) else len(file.data)
    return f"The {in_a_word(file.media_type)} {file.name} ({file.media_type}, {size:,} bytes)"
