"""The store that a host's server is given: what is kept, with what its turn has said over it."""

from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from chatkit.store import AttachmentStore, NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from chatbridge.adapters.chatkit.attachments import Asker, HostAttachments
from chatbridge.adapters.chatkit.speaking import Speaking

SPEAKING: ContextVar[Speaking] = ContextVar("chatbridge_speaking")
ASKER: ContextVar[Asker] = ContextVar("chatbridge_asker")
"""Who asks outside of a conversation."""


class OutsideOfATurn(RuntimeError):
    """Nobody can say whose thread is meant."""

    def __init__(self) -> None:
        super().__init__("chatbridge's store was asked outside of a turn or an action.")


def asker() -> Asker:
    """Whose request or turn the host's code runs in."""
    if now := SPEAKING.get(None):
        return Asker(now.items.conversation.user_id, now.items.home)
    try:
        return ASKER.get()
    except LookupError:
        raise OutsideOfATurn from None


class NotServed(NotImplementedError):
    """The store has no such thing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"chatbridge's store {what}.")


_ATTACHMENTS = "holds no attachments"


class HostStore(Store[Any]):
    """Whose turn it is says the task, never the context, which hosts pass on as they like."""

    def __init__(self, attachments: HostAttachments | None = None) -> None:
        super().__init__()
        self.attachments = attachments

    @property
    def _now(self) -> Speaking:
        try:
            return SPEAKING.get()
        except LookupError:
            raise OutsideOfATurn from None

    def _of(self, thread_id: str) -> Speaking:
        self._now.items.require(thread_id)
        return self._now

    def generate_thread_id(self, context: Any) -> str:
        return self._now.items.conversation.id

    def generate_item_id(
        self, item_type: StoreItemType, thread: ThreadMetadata, context: Any
    ) -> str:
        return self._now.new_id(item_type)

    async def load_thread(self, thread_id: str, context: Any) -> ThreadMetadata:
        return self._of(thread_id).thread()

    async def save_thread(self, thread: ThreadMetadata, context: Any) -> None:
        now = self._of(thread.id)
        now.save_thread(thread)
        await now.settle()

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Any
    ) -> Page[ThreadItem]:
        found: list[ThreadItem] = []
        async for item in self._of(thread_id).items.all(after, order):
            if len(found) == limit:
                return Page(data=found, has_more=True, after=found[-1].id)
            found.append(item)
        return Page(data=found)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        now = self._of(thread_id)
        now.keep(item)
        await now.settle()

    async def save_item(self, thread_id: str, item: ThreadItem, context: Any) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: Any) -> ThreadItem:
        return await self._of(thread_id).items.one(item_id)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Any) -> None:
        now = self._of(thread_id)
        now.drop(item_id)
        await now.settle()

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Any
    ) -> Page[ThreadMetadata]:
        raise NotServed("lists no threads: threads.list does, for who asks")

    async def delete_thread(self, thread_id: str, context: Any) -> None:
        raise NotServed("deletes no thread: threads.delete does, for its owner")

    async def save_attachment(self, attachment: Attachment, context: Any) -> None:
        await self._files.save(asker(), attachment)

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        return await self._files.load(asker(), attachment_id)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        with suppress(NotFoundError):
            await self._files.delete(asker(), attachment_id)

    @property
    def _files(self) -> HostAttachments:
        if self.attachments is None:
            raise NotServed(_ATTACHMENTS)
        return self.attachments


class HostFiles(AttachmentStore[Any]):
    """The attachment store of a server that brings none: the bytes are with us."""

    def __init__(self, attachments: HostAttachments) -> None:
        self._attachments = attachments

    async def read(self, attachment_id: str, context: Any) -> bytes:
        """The bytes of an attachment. Raises NotFoundError."""
        return await self._attachments.read(asker(), attachment_id)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        await self._attachments.delete(asker(), attachment_id)


class ChatStore(HostStore):
    """The store of one turn of an agent's, whoever asks it."""

    def __init__(self, speaking: Speaking) -> None:
        super().__init__()
        self._speaking = speaking

    @property
    def _now(self) -> Speaking:
        return self._speaking
