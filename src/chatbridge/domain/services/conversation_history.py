"""Which history is visible, and what its owner may do with it."""

from collections.abc import Sequence
from dataclasses import replace

from chatbridge.domain.model.conversation import Conversation, checked_title
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Page, PageRequest
from chatbridge.domain.model.turn import SoFar
from chatbridge.domain.services.turns import Turns
from chatbridge.ports.conversation_repository import ConversationRepository, FeedbackKind


class ConversationHistory:
    """Every call raises NotFound for nobody's conversation and Forbidden for somebody else's."""

    def __init__(self, conversations: ConversationRepository, turns: Turns) -> None:
        self._conversations = conversations
        self._turns = turns

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        """The conversation as it is now."""
        return await self._conversations.get(user_id, id)

    async def list(self, user_id: UserId, request: PageRequest) -> Page[Conversation]:
        """The owner's conversations by latest activity."""
        return await self._conversations.list(user_id, request)

    async def messages(
        self, user_id: UserId, id: ConversationId, request: PageRequest
    ) -> Page[Message]:
        """A page of its messages, at whose end stands what a running turn has said so far.

        A retry that is running hides what it will replace; an answer whose server has gone is
        shown as interrupted.
        """
        # asked first: what is kept meanwhile may be seen twice, and is never missed
        so_far = await self._turns.so_far(user_id, id)
        read = self._forwards if request.order == "asc" else self._backwards
        return await read(user_id, id, request, so_far)

    async def _forwards(
        self, user_id: UserId, id: ConversationId, request: PageRequest, so_far: SoFar
    ) -> Page[Message]:
        running = _beyond(so_far.messages, request.after)
        if running is not None:
            return _joined((), running, request.limit)
        kept = await self._kept(user_id, id, request, so_far)
        return kept if kept.next else _joined(kept.items, so_far.messages, request.limit)

    async def _backwards(
        self, user_id: UserId, id: ConversationId, request: PageRequest, so_far: SoFar
    ) -> Page[Message]:
        newest = so_far.messages[::-1]
        running = newest if request.after is None else _beyond(newest, request.after)
        if running is None:
            return await self._kept(user_id, id, request, so_far)
        room = request.limit - len(running)
        if room <= 0:
            return Page(running[: request.limit], running[request.limit - 1].id)
        from_the_end = replace(request, limit=room, after=None)
        older = await self._kept(user_id, id, from_the_end, so_far)
        return Page((*_not_among(older.items, running), *older.items), older.next)

    async def _kept(
        self, user_id: UserId, id: ConversationId, request: PageRequest, so_far: SoFar
    ) -> Page[Message]:
        page = await self._conversations.messages(user_id, id, request)
        if so_far.replaces is None:
            return page
        return replace(page, items=tuple(m for m in page.items if m.position <= so_far.replaces))

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        """Give it a title. Raises Invalid for one that can't be kept."""
        return await self._conversations.rename(user_id, id, checked_title(title))

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        """Delete it; a running turn is ended and its viewers are told."""
        await self._conversations.delete(user_id, id)
        gone = TurnLost("The conversation was deleted.", code="conversation_deleted")
        self._turns.abandon(user_id, id, gone)

    async def give_feedback(
        self,
        user_id: UserId,
        id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind,
    ) -> None:
        """Keep the owner's verdict on messages. Raises NotFound where one of them is missing."""
        await self._conversations.save_feedback(user_id, id, message_ids, kind)


def _beyond(running: tuple[Message, ...], after: str | None) -> tuple[Message, ...] | None:
    """What follows this one of them; None where it is none of them."""
    ids = [m.id for m in running]
    return running[ids.index(MessageId(after)) + 1 :] if after and after in ids else None


def _joined(kept: tuple[Message, ...], newest: tuple[Message, ...], limit: int) -> Page[Message]:
    """What is kept, and as much of what follows it as there is room for."""
    every = (*kept, *_not_among(kept, newest))
    page = every[:limit]
    return Page(page, page[-1].id if len(every) > limit else None)


def _not_among(kept: tuple[Message, ...], newest: tuple[Message, ...]) -> tuple[Message, ...]:
    known = {m.id for m in kept}
    return tuple(m for m in newest if m.id not in known)
