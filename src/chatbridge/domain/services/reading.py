"""What is in the files that people's messages carry, read at the beginning of a turn."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import aclosing

from chatbridge.domain.model.attachment import Attached, Attachment, Opened
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.media import is_read, is_text
from chatbridge.domain.model.message import Message
from chatbridge.domain.services.attachments import Attachments

_log = logging.getLogger(__name__)

_SECONDS = 20.0
_BYTES_OF_A_CHARACTER = 4


class Reading:
    """Reads the newest files of a window, as much as one message may carry in all.

    Of a text no more than `max_characters` are wanted. Where `attachments` are not taken any more,
    none can be read.
    """

    def __init__(self, attachments: Attachments | None, *, max_characters: int) -> None:
        self._attachments = attachments
        self._most_of_a_text = _BYTES_OF_A_CHARACTER * max_characters

    async def of(self, user_id: UserId, window: Sequence[Message]) -> tuple[Opened, ...]:
        """The files of the window, the newest message's first. Raises nothing for what is away.

        It costs one look into the store, and none where no message carries any.
        """
        # what was made in an answer is told in words
        asked = (message for message in reversed(window) if message.role == "user")
        files = [file for message in asked for file in message.attachments]
        if not files:
            return ()
        fitting = {*self._fitting(files)}
        wanted = [file for file in files if file.id in fitting]
        contents = await self._contents(user_id, wanted) if wanted else {}
        return tuple(_opened(file, fitting, contents) for file in files)

    def _fitting(self, files: Sequence[Attached]) -> Iterator[AttachmentId]:
        left = self._attachments.allowance.max_bytes if self._attachments else 0
        for file in files:
            size = min(file.size, self._most_of_a_text) if is_text(file.media_type) else file.size
            if is_read(file.media_type) and size <= left:
                left -= size
                yield file.id

    async def _contents(
        self, user_id: UserId, wanted: Sequence[Attached]
    ) -> dict[AttachmentId, bytes]:
        assert self._attachments  # noqa: S101 - nothing fits where there are none
        contents: dict[AttachmentId, bytes] = {}
        try:
            async with asyncio.timeout(_SECONDS):
                kept = await self._attachments.all_of(user_id, [file.id for file in wanted])
                await asyncio.gather(*(self._read(each, contents) for each in kept))
        except (ChatbridgeError, TimeoutError) as error:
            _log.warning("attachments could not be read for a model (%s)", type(error).__name__)
        return contents

    async def _read(self, file: Attachment, contents: dict[AttachmentId, bytes]) -> None:
        assert self._attachments  # noqa: S101
        most = self._most_of_a_text if is_text(file.media_type) else file.size
        parts, size = list[bytes](), 0
        try:
            async with aclosing(await self._attachments.read(file)) as content:
                async for part in content:
                    parts.append(part)
                    size += len(part)
                    if size >= most:
                        break
        except ChatbridgeError as error:
            _log.warning("attachment %s could not be read (%s)", file.id, type(error).__name__)
            return
        contents[file.id] = b"".join(parts)[:most]


def _opened(
    file: Attached, fitting: set[AttachmentId], contents: dict[AttachmentId, bytes]
) -> Opened:
    if file.id in contents:
        return Opened(attached=file, content=contents[file.id])
    if not is_read(file.media_type):
        return Opened(attached=file)
    return Opened(attached=file, unread="away" if file.id in fitting else "no room")
