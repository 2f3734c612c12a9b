"""Servers with attachments: with ours, with an attachment store of their own, with both stores."""

from typing import Any

from chatkit.store import AttachmentStore, NotFoundError
from chatkit.types import Attachment, AttachmentUploadDescriptor, ImageAttachment
from pydantic import AnyUrl

from tests.hosts.bare import PlainStore
from tests.hosts.servers import Base


class Reading(Base):
    """Says what it finds of what is attached; its attachment store is ours."""

    async def respond(self, thread, item, context):
        said = [await self.found(attachment, context) for attachment in item.attachments]
        yield self.said(thread, "; ".join(said) or "nothing", context)

    async def found(self, attachment: Attachment, context: Any) -> str:
        known = await self.store.load_attachment(attachment.id, context)
        content = await self.attachment_store.read(attachment.id, context)
        return f"{known.name}: {content.decode()}"

    async def action(self, thread, action, sender, context):
        """Take back what the action names."""
        await self.attachment_store.delete_attachment(action.payload["id"], context)
        yield self.said(thread, "gone", context)


class Elsewhere(AttachmentStore[Any]):
    """Keeps its bytes elsewhere; what was deleted there."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def create_attachment(self, input, context):
        if input.mime_type == "text/x-bad":
            raise ValueError("not with me")
        id = self.generate_attachment_id(input.mime_type, context)
        return ImageAttachment(
            id=id,
            name=input.name,
            mime_type=input.mime_type,
            preview_url=AnyUrl(f"https://files.example/{id}"),
            upload_descriptor=AttachmentUploadDescriptor(
                url=AnyUrl(f"https://files.example/put/{id}"), method="POST", headers={"x": "y"}
            ),
            metadata={"secret": "of-the-host"},
        )

    async def delete_attachment(self, attachment_id, context):
        self.deleted.append(attachment_id)


class Keeping(Reading):
    """Keeps the bytes itself, and what it says of them in the store that it is given."""

    def __init__(self, store) -> None:
        super().__init__(store, Elsewhere())

    async def found(self, attachment, context):
        known = await self.store.load_attachment(attachment.id, context)
        return (
            f"{known.name}: {known.metadata['secret']} in {known.thread_id == attachment.thread_id}"
        )


class OwnRecords(PlainStore):
    """Keeps what is said of attachments, each for whoever has made it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], Attachment] = {}

    async def save_attachment(self, attachment, context):
        self.kept[context["user_id"], attachment.id] = attachment

    async def load_attachment(self, attachment_id, context):
        if found := self.kept.get((context["user_id"], attachment_id)):
            return found
        raise NotFoundError(attachment_id)

    async def delete_attachment(self, attachment_id, context):
        del self.kept[context["user_id"], attachment_id]


class KeepingAll(Keeping):
    """Has both stores of its own."""

    def __init__(self) -> None:
        Base.__init__(self, OwnRecords(), Elsewhere())
