"""Conversations in a dict: what tests and demos run on, and the measure for every other store."""

from asyncio import sleep
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from chatbridge.adapters.memory.memory import (
    KeptConversation,
    Memory,
    conversation_copy,
)
from chatbridge.adapters.memory.turns import mark_shown
from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import (
    Page,
    PageRequest,
    activity_cursor,
    page_of,
    read_activity_cursor,
)
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import Revised
from chatbridge.ports.conversation_repository import ConversationRepository

T = TypeVar("T")
K = TypeVar("K", int, tuple[datetime, str])


class MemoryConversationRepository(ConversationRepository):
    """Every call yields to the loop once, like a database would, and is atomic after that."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        kept = await self._memory.find(user_id, id)
        return conversation_copy(kept.conversation)

    async def list(
        self, user_id: UserId, request: PageRequest, *, waiting: bool = False
    ) -> Page[Conversation]:
        await sleep(0)
        after = None if request.after is None else read_activity_cursor(request.after)
        every = self._memory.conversations.values()
        listed = (
            replace(kept.conversation, waits=kept.asks_now)
            for kept in every
            if kept.asks_now or not waiting
        )
        mine = [conversation_copy(c) for c in listed if c.user_id == user_id]
        following = _following(mine, after, _rank, request)
        return _page(following, request, lambda c: activity_cursor(*_rank(c)))

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        kept = await self._memory.find(user_id, id)
        kept.conversation = replace(kept.conversation, title=title)
        kept.tell(Revised(title=title))
        return conversation_copy(kept.conversation)

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        self._memory.part(await self._memory.find(user_id, id))
        del self._memory.conversations[user_id, id]

    async def message(
        self, user_id: UserId, conversation_id: ConversationId, id: MessageId
    ) -> Message:
        kept = await self._memory.find(user_id, conversation_id)
        return kept.rated(kept.message(id))

    async def change(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        changes: Changes,
        added: Sequence[Message] = (),
    ) -> None:
        kept = await self._memory.find(user_id, conversation_id)
        if touched := kept.places(changes, added):
            self._memory.part(kept, min(touched))
        for message in added:
            kept.put(message)
        mark_shown(self._memory, user_id, (*added, *changes.replaced))
        kept.change(changes)
        kept.tell(changes.revised)
        kept.touch(self._memory.now())

    async def messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        request: PageRequest,
        *,
        notes: bool = False,
    ) -> Page[Message]:
        kept = await self._memory.find(user_id, conversation_id)
        after = None if request.after is None else _position_of(kept, MessageId(request.after))
        shown = [m for m in kept.messages.values() if notes or m.kind != "note"]
        page = page_of(_following(shown, after, lambda m: m.position, request), request.limit)
        return replace(page, items=tuple(map(kept.rated, page.items)))

    async def save_feedback(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind | None,
    ) -> None:
        kept = await self._memory.find(user_id, conversation_id)
        for id in [kept.message(id).id for id in message_ids]:
            kept.rate(id, kind)

    async def feedback(
        self, user_id: UserId, conversation_id: ConversationId, limit: int
    ) -> Mapping[MessageId, FeedbackKind]:
        kept = await self._memory.find(user_id, conversation_id)
        return dict(list(kept.feedback.items())[::-1][:limit])

    async def standing_approvals(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[StandingApproval, ...]:
        kept = await self._memory.find(user_id, conversation_id)
        return tuple(kept.standing.values())

    async def revoke(
        self, user_id: UserId, conversation_id: ConversationId, id: ApprovalId
    ) -> None:
        kept = await self._memory.find(user_id, conversation_id)
        if kept.standing.pop(id, None) is None:
            raise refusals.no_approval()


def _following(
    entries: Sequence[T], after: K | None, key: Callable[[T], K], request: PageRequest
) -> list[T]:
    descending = request.order == "desc"
    ordered = sorted(entries, key=key, reverse=descending)
    if after is None:
        return ordered
    return [e for e in ordered if (key(e) < after if descending else key(e) > after)]


def _page(following: Sequence[T], request: PageRequest, cursor: Callable[[T], str]) -> Page[T]:
    chosen = tuple(following[: request.limit])
    return Page(chosen, cursor(chosen[-1]) if len(following) > request.limit else None)


def _rank(conversation: Conversation) -> tuple[datetime, str]:
    return conversation.updated_at, conversation.id


def _position_of(kept: KeptConversation, cursor: MessageId) -> int:
    message = kept.messages.get(cursor)
    if message is None:
        raise refusals.invalid_cursor()
    return message.position
