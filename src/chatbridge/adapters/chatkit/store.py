"""The store that a host's server is given: what is kept, with what its turn has said over it."""

from contextvars import ContextVar
from typing import Any

from chatkit.store import Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from chatbridge.adapters.chatkit.speaking import Speaking

SPEAKING: ContextVar[Speaking] = ContextVar("chatbridge_speaking")


class OutsideOfATurn(RuntimeError):
    """Nobody can say whose thread is meant."""

    def __init__(self) -> None:
        super().__init__("chatbridge's store was asked outside of a turn or an action.")


class NotServed(NotImplementedError):
    """The store has no such thing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"chatbridge's store {what}.")


_ATTACHMENTS = "holds no attachments"


class HostStore(Store[Any]):
    """Whose turn it is says the task, never the context, which hosts pass on as they like."""

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
        raise NotServed(_ATTACHMENTS)

    async def load_attachment(self, attachment_id: str, context: Any) -> Attachment:
        raise NotServed(_ATTACHMENTS)

    async def delete_attachment(self, attachment_id: str, context: Any) -> None:
        raise NotServed(_ATTACHMENTS)


class ChatStore(HostStore):
    """The store of one turn of an agent's, whoever asks it."""

    def __init__(self, speaking: Speaking) -> None:
        super().__init__()
        self._speaking = speaking

    @property
    def _now(self) -> Speaking:
        return self._speaking
