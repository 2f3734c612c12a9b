"""Files that lie ready for a model, and the messages that carry them."""

from collections.abc import Sequence
from dataclasses import replace

from chatbridge.domain.model.attachment import Attached, Opened
from chatbridge.domain.model.identifiers import AttachmentId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.services.reading import Reading
from tests.contracts.agent_runner import said


class Shelf(Reading):
    """Files that lie ready."""

    def __init__(self) -> None:
        super().__init__(None, max_characters=1_000)
        self.contents: dict[AttachmentId, bytes] = {}

    def message(self, text: str, *files: tuple[str, str, bytes]) -> Message:
        """One that carries these: name, type and bytes of each."""
        carried = list[Attached]()
        for name, type, content in files:
            id = AttachmentId(f"att_{len(self.contents)}")
            self.contents[id] = content
            carried.append(Attached(id=id, name=name, media_type=type, size=len(content)))
        return replace(said(text), attachments=tuple(carried))

    async def of(self, user_id: UserId, window: Sequence[Message]) -> tuple[Opened, ...]:
        """See `Reading`."""
        files = [file for message in reversed(window) for file in message.attachments]
        return tuple(Opened(attached=file, content=self.contents[file.id]) for file in files)
