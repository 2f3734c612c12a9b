"""ChatKit's Store, twice: for the operations that answer, and for those that stream.

Nothing is ever saved through it. Messages are written by the turn's begin and finish alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from chatkit.store import Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata

from chatbridge.adapters.chatkit.items.mapping import (
    BY_NAME,
    Display,
    to_attachment,
    to_item,
    to_thread,
)
from chatbridge.adapters.chatkit.items.wire import Json, as_shown
from chatbridge.domain.model.identifiers import AttachmentId, ConversationId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_LIMIT
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Order, PageRequest
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording


@dataclass(slots=True)
class Watching:
    """The context of a streaming operation: the turn that was begun for it, how it is shown, and
    the number of the turn's frame that is being told; 0 as long as the SDK speaks for itself.
    `after` is how many of the turn's events came before the answer that is answered."""

    recording: Recording
    display: Display = BY_NAME
    frame: int = 0
    after: int = 0

    @property
    def thread(self) -> ThreadMetadata:
        """The conversation that it is in."""
        return to_thread(self.recording.turn.conversation, self.display.pictures)

    @property
    def subject(self) -> Message:
        """The message that the turn answers."""
        subject = self.recording.turn.subject
        assert subject is not None  # noqa: S101  # a turn that was begun has one
        return subject


class ConversationStore(Store[UserId]):
    """Translates and delegates, for one operation; each call answers 403 and 404 by itself.

    `shown` are those of the items that it has read which are to be told as they were shown;
    `rated` says whether its owner has given a verdict on any of them, `unfinished` whose answer
    was not whole then. `waiting` are those of the listed threads that wait for a person.
    """

    def __init__(self, history: ConversationHistory, display: Display) -> None:
        self._history, self._display = history, display
        self.shown: dict[str, Json] = {}
        self.rated = False
        self.unfinished: TurnId | None = None
        self.waiting: Sequence[ConversationId] = ()

    async def load_thread(self, thread_id: str, context: UserId) -> ThreadMetadata:
        conversation = await self._history.get(context, ConversationId(thread_id))
        return to_thread(conversation, self._display.pictures)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: UserId
    ) -> Page[ThreadMetadata]:
        page = await self._history.list(context, _request(limit, after, order))
        self.waiting = [conversation.id for conversation in page.items if conversation.waits]
        found = [to_thread(conversation, self._display.pictures) for conversation in page.items]
        return Page(data=found, has_more=page.next is not None, after=page.next)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: UserId
    ) -> Page[ThreadItem]:
        request = _request(limit, after, order)
        page, self.unfinished = await self._history.opened(
            context, ConversationId(thread_id), request
        )
        found = [to_item(message, self._display) for message in page.items]
        address = self._display.address
        items = ((message.id, as_shown(message, address=address)) for message in page.items)
        self.shown.update((id, item) for id, item in items if item)
        self.rated = any(message.feedback for message in page.items)
        return Page(data=found, has_more=page.next is not None, after=page.next)

    async def save_thread(self, thread: ThreadMetadata, context: UserId) -> None:
        """Only `threads.update` saves a thread, and only for its title."""
        renamed = await self._history.rename(context, ConversationId(thread.id), thread.title or "")
        thread.title = renamed.title

    async def delete_thread(self, thread_id: str, context: UserId) -> None:
        await self._history.delete(context, ConversationId(thread_id))

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: UserId) -> None:
        _not_asked()

    async def save_item(self, thread_id: str, item: ThreadItem, context: UserId) -> None:
        _not_asked()

    async def load_item(self, thread_id: str, item_id: str, context: UserId) -> ThreadItem:
        _not_asked()

    async def delete_thread_item(self, thread_id: str, item_id: str, context: UserId) -> None:
        _not_asked()

    async def save_attachment(self, attachment: Attachment, context: UserId) -> None: ...

    async def load_attachment(self, attachment_id: str, context: UserId) -> Attachment:
        _not_asked()

    async def delete_attachment(self, attachment_id: str, context: UserId) -> None: ...


class TurnStore(Store[Watching]):
    """Answers from the turn that was begun; every write does nothing.

    It has no repository, so nothing can be saved twice, and a retry finds nothing to delete.
    """

    def generate_thread_id(self, context: Watching) -> str:
        return context.recording.turn.conversation.id

    def generate_item_id(self, item_type: str, thread: ThreadMetadata, context: Watching) -> str:
        return context.subject.id

    async def load_thread(self, thread_id: str, context: Watching) -> ThreadMetadata:
        return context.thread

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Watching
    ) -> Page[ThreadItem]:
        return Page(data=[to_item(context.subject, context.display)])

    async def save_thread(self, thread: ThreadMetadata, context: Watching) -> None: ...

    async def add_thread_item(
        self, thread_id: str, item: ThreadItem, context: Watching
    ) -> None: ...

    async def save_item(self, thread_id: str, item: ThreadItem, context: Watching) -> None: ...

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Watching) -> None: ...

    async def load_item(self, thread_id: str, item_id: str, context: Watching) -> ThreadItem:
        _not_asked()

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Watching
    ) -> Page[ThreadMetadata]:
        _not_asked()

    async def delete_thread(self, thread_id: str, context: Watching) -> None:
        _not_asked()

    async def save_attachment(self, attachment: Attachment, context: Watching) -> None: ...

    async def load_attachment(self, attachment_id: str, context: Watching) -> Attachment:
        carried = {attached.id: attached for attached in context.subject.attachments}
        where = context.subject.conversation_id
        return to_attachment(carried[AttachmentId(attachment_id)], where, context.display)

    async def delete_attachment(self, attachment_id: str, context: Watching) -> None:
        _not_asked()


def _request(limit: int, after: str | None, order: str) -> PageRequest:
    direction: Order = "asc" if order == "asc" else "desc"
    # OpenAI's element is reported to ask for 9,999 threads: it gets a page of what is allowed
    return PageRequest(limit=min(limit, MAX_LIMIT), after=after, order=direction)


def _not_asked() -> NoReturn:
    """The operations that are served never come here; a test lists the calls that do."""
    raise NotImplementedError
