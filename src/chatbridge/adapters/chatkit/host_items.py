"""The items of a thread as a host's server sees them: kept ones, and its turn's over them."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace

from chatkit.store import NotFoundError
from chatkit.types import ThreadItem

from chatbridge.adapters.chatkit.host_loop import across
from chatbridge.adapters.chatkit.ids import Ids
from chatbridge.adapters.chatkit.items.mapping import to_item
from chatbridge.domain.model import errors
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.message import Message, storable
from chatbridge.domain.model.page import Order, PageRequest
from chatbridge.ports.conversation_repository import ConversationRepository

_PAGE = 50


class HostItems:
    """`own` are those of this turn, `over` those of earlier ones that it has changed.

    `window` are the newest messages, which are here already: reading them costs no round trip and,
    what is more, no await. The SDK's `stream_agent_response` reads two items after the run has
    begun, and whatever the run says meanwhile comes before what it should follow. Others that are
    `known` are answered without a question too.
    """

    def __init__(
        self,
        conversations: ConversationRepository,
        home: asyncio.AbstractEventLoop,
        conversation: Conversation,
        *,
        window: Sequence[Message] = (),
        known: Iterable[Message] = (),
        until: Message | None = None,
    ) -> None:
        self._conversations, self.home = conversations, home
        self.conversation = conversation
        self._window, self._until = window, until
        self.ids = Ids()
        self.own: dict[str, ThreadItem] = {}
        self.over: dict[str, Message] = {}
        self.gone: set[str] = set()
        self._earlier: dict[str, Message] = {}
        for message in (*window, *known):
            self.put(message)

    def require(self, thread_id: str) -> None:
        """Raises NotFoundError for another thread than this turn's."""
        if thread_id != self.conversation.id:
            raise NotFoundError(f"Thread {thread_id} is not the one of this turn")

    def put(self, message: Message) -> None:
        """One that is kept, as it is now."""
        self.ids.ours.add(message.id)
        self._earlier[message.id] = message

    def said(self, message: Message) -> None:
        """One that this turn has said, before it rested."""
        self.ids.ours.add(message.id)
        self.own[message.id] = _as_the_sdk_has_it(message)

    def is_earlier(self, id: str) -> bool:
        """Whether an earlier turn has begun it."""
        return id in self._earlier and id not in self.own

    def known(self, id: str) -> Message | None:
        """An item of an earlier turn as it is now, as far as it has been read."""
        return self.over.get(id) or self._earlier.get(id)

    async def one(self, item_id: str) -> ThreadItem:
        """One item. Raises NotFoundError."""
        id = self.ids.known(item_id)
        if id in self.own:
            return self.own[id].model_copy(deep=True)
        if id in self.gone:
            raise NotFoundError(f"Item {item_id} not found")
        message = self.known(id)
        if message is None and not storable(id):
            raise NotFoundError(f"Item {item_id!r} not found")
        if message is None:
            where = self.conversation
            reading = self._conversations.message(where.user_id, where.id, MessageId(id))
            try:
                message = await across(self.home, reading)
            except errors.NotFound as error:
                raise NotFoundError(f"Item {item_id} not found") from error
            self.put(message)
        return _as_the_sdk_has_it(message)

    async def all(self, after: str | None, order: str) -> AsyncGenerator[ThreadItem, None]:
        """All that there is, kept and said so far, in order and from there on."""
        direction: Order = "desc" if order == "desc" else "asc"
        own = [*self.own.values()][:: -1 if direction == "desc" else 1]
        ids = [item.id for item in own]
        at = ids.index(after) + 1 if after in ids else None
        # forwards, own ones follow the kept ones; backwards, they come first
        if direction == "asc" and at is None:
            async for item in self._kept(after, direction):
                yield item
        if direction == "asc" or after is None or at is not None:
            for item in own[at or 0 :]:
                yield item.model_copy(deep=True)
        if direction == "desc":
            async for item in self._kept(None if at is not None else after, direction):
                yield item

    async def _kept(self, after: str | None, order: Order) -> AsyncGenerator[ThreadItem, None]:
        async for message in self._messages(after, order):
            self.ids.ours.add(message.id)
            self._earlier.setdefault(message.id, message)
            if message.id not in self.gone and message.id not in self.own:
                yield _as_the_sdk_has_it(self.over.get(message.id, message))

    async def _messages(self, after: str | None, order: Order) -> AsyncGenerator[Message, None]:
        if order == "desc" and after is None and self._window:
            for message in reversed(self._window):
                yield message
            after = self._window[0].id
            if self._window[0].position <= 1:
                return
        where = self.conversation
        while True:
            request = PageRequest(limit=_PAGE, after=after, order=order)
            reading = self._conversations.messages(where.user_id, where.id, request, notes=True)
            page = await across(self.home, reading)
            for message in page.items:
                # a retry reads nothing of the answer that it is to replace
                if self._until is None or message.position <= self._until.position:
                    yield message
            after = page.next
            if after is None:
                return

    def replaced(self, message: Message) -> None:
        """Another form of an earlier one stands in its place."""
        known = self._earlier[message.id]
        kept = {"position": known.position, "created_at": known.created_at}
        self.over[message.id] = replace(message, **kept)
        self.gone.discard(message.id)


def _as_the_sdk_has_it(message: Message) -> ThreadItem:
    """With a naive local time, as the SDK makes and compares them."""
    item = to_item(message)
    item.created_at = item.created_at.astimezone().replace(tzinfo=None)
    return item
