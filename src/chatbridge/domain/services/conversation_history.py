"""Which history is visible, and what its owner may do with it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from chatbridge.domain.model import refusals
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.conversation import Conversation, Status, checked_title
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_VERDICTS
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import Page, PageRequest, page_of
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import Changed, Removed, Revised, Shown, TurnEvent
from chatbridge.domain.services.turns import Turns
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.inline_files import InlineFiles

_CHANGES = (Shown, Changed, Removed)
_PATIENCE_SECONDS = 3.0
"""How long a change waits for a turn that is about to end or to rest."""

_LOOK_EVERY = 0.05


class ConversationHistory:
    """Every call raises NotFound for nobody's conversation and Forbidden for somebody else's.

    `parted` is called when a conversation may have parted with its counterpart. `files` takes out
    what was shown as data.
    """

    def __init__(
        self,
        conversations: ConversationRepository,
        turns: Turns,
        *,
        parted: Callable[[], None] = lambda: None,
        files: Callable[[], InlineFiles] | None = None,
    ) -> None:
        self._conversations = conversations
        self._turns = turns
        self._parted = parted
        self._files = files

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        """The conversation as it is now."""
        return await self._conversations.get(user_id, id)

    async def list(
        self, user_id: UserId, request: PageRequest, *, waiting: bool = False
    ) -> Page[Conversation]:
        """The owner's conversations by latest activity; with `waiting` those that ask a person."""
        return await self._conversations.list(user_id, request, waiting=waiting)

    async def messages(
        self, user_id: UserId, id: ConversationId, request: PageRequest
    ) -> Page[Message]:
        """A page of its messages, at whose end stands what a running turn has said so far.

        An answer whose server has gone is shown as interrupted.
        """
        return (await self.opened(user_id, id, request))[0]

    async def opened(
        self, user_id: UserId, id: ConversationId, request: PageRequest
    ) -> tuple[Page[Message], TurnId | None]:
        """The same, and the last turn if its answer is not whole: it runs, or was interrupted."""
        # asked first: what is kept meanwhile may be seen twice, and is never missed
        turn, unfinished = await self._turns.seen(user_id, id)
        said = tuple(m for m in turn.said if m.kind != "note")
        read = self._forwards if request.order == "asc" else self._backwards
        page = await read(user_id, id, request, said)
        there = _there(page, turn)
        # what the turn has removed leaves room for what follows
        while page.next and len(there) < request.limit and _removed(page, turn):
            page = await read(user_id, id, replace(request, after=page.next), said)
            there += _there(page, turn)
        return page_of(there, request.limit, page.next), unfinished

    async def message(self, user_id: UserId, id: ConversationId, message_id: MessageId) -> Message:
        """One of its messages as it is now, what a running turn has said and changed included.

        Raises NotFound where it has no such message.
        """
        turn = await self._turns.said_so_far(user_id, id)
        said = turn.message(message_id) or turn.replaced.get(message_id)
        if said is None and message_id in turn.removed:
            raise refusals.no_message()
        return said or await self._conversations.message(user_id, id, message_id)

    async def said_so_far(self, user_id: UserId, id: ConversationId) -> tuple[Message, ...]:
        """What its running turn has said, and what it has made of earlier entries."""
        turn = await self._turns.said_so_far(user_id, id)
        return (*turn.said, *turn.replaced.values())

    async def change(
        self, user_id: UserId, id: ConversationId, events: Sequence[TurnEvent]
    ) -> Sequence[TurnEvent]:
        """Keep what was shown and changed outside of a turn; as it is kept.

        What belongs to a turn that runs or waits is said by that turn; raises Busy where it runs
        elsewhere.
        """
        if self._files:
            events = await self._files().taken_out(user_id, id, events)
        give_up = monotonic() + _PATIENCE_SECONDS
        while of_turn := await self._of_turn(user_id, id, events):
            if await self._turns.amend(user_id, id, of_turn):
                break
            # it is about to end, or to rest: then all that it said is kept
            if monotonic() > give_up:
                raise refusals.turn_running()
            await asyncio.sleep(_LOOK_EVERY)
        changed = Transcript(id, (event for event in events if event not in of_turn))
        if changed.said or Changes.of(changed):
            await self._conversations.change(user_id, id, Changes.of(changed), changed.said)
            self._parted()
        return events

    async def _of_turn(
        self, user_id: UserId, id: ConversationId, events: Sequence[TurnEvent]
    ) -> Sequence[TurnEvent]:
        """Those of the events that change what an open turn has said or changed."""
        turn = await self._turns.said_so_far(user_id, id)
        own = {m.id for m in turn.messages} | turn.replaced.keys()
        return [e for e in events if isinstance(e, _CHANGES) and e.message_id in own]

    async def _forwards(
        self, user_id: UserId, id: ConversationId, request: PageRequest, said: tuple[Message, ...]
    ) -> Page[Message]:
        rest = _beyond(said, request.after)
        if rest is not None:
            return page_of(rest, request.limit)
        kept = await self._conversations.messages(user_id, id, request)
        if kept.next:
            return kept
        return page_of((*kept.items, *_not_among(kept.items, said)), request.limit)

    async def _backwards(
        self, user_id: UserId, id: ConversationId, request: PageRequest, said: tuple[Message, ...]
    ) -> Page[Message]:
        newest = said[::-1]
        rest = newest if request.after is None else _beyond(newest, request.after)
        if rest is None:
            return await self._conversations.messages(user_id, id, request)
        first = page_of(rest, request.limit)
        room = request.limit - len(rest)
        if first.next or not room:
            return Page(first.items, first.items[-1].id)
        from_the_end = replace(request, limit=room, after=None)
        kept = await self._conversations.messages(user_id, id, from_the_end)
        every = (*_not_among(kept.items, rest), *kept.items)
        return page_of(every, request.limit, kept.next)

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        """Give it a title. Raises Invalid for one that can't be kept."""
        return await self._conversations.rename(user_id, id, checked_title(title))

    async def revise(
        self,
        user_id: UserId,
        id: ConversationId,
        *,
        title: str | None = None,
        status: Status | None = None,
        reason: str | None = None,
    ) -> Conversation:
        """Give it a title; lock, close or reopen it, for a reason that people read; or both.

        Raises Invalid for a title that can't be kept.
        """
        if status is None:
            return await self.rename(user_id, id, title or "")
        revised = Revised(
            title=None if title is None else checked_title(title),
            status=status,
            status_reason=(reason or "").strip() or None,
        )
        await self._conversations.change(user_id, id, Changes(revised=revised))
        return await self._conversations.get(user_id, id)

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        """Delete it; a running turn is ended and its viewers are told."""
        await self._conversations.delete(user_id, id)
        self._turns.abandon(user_id, id, refusals.conversation_deleted())
        self._parted()

    async def give_feedback(
        self,
        user_id: UserId,
        id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind | None,
    ) -> None:
        """Keep the owner's verdict on messages; None takes it back.

        Raises NotFound where one of them is missing.
        """
        await self._conversations.save_feedback(user_id, id, message_ids, kind)

    async def feedback(
        self, user_id: UserId, id: ConversationId
    ) -> Mapping[MessageId, FeedbackKind]:
        """The owner's verdicts in a conversation, the latest of very many."""
        return await self._conversations.feedback(user_id, id, MAX_VERDICTS)

    async def standing_approvals(
        self, user_id: UserId, id: ConversationId
    ) -> tuple[StandingApproval, ...]:
        """What is approved for the whole conversation, the oldest first."""
        return await self._conversations.standing_approvals(user_id, id)

    async def revoke(self, user_id: UserId, id: ConversationId, approval: ApprovalId) -> None:
        """Have the tool ask again, at the latest in the next turn. Raises NotFound."""
        await self._conversations.revoke(user_id, id, approval)


def _there(page: Page[Message], turn: Transcript) -> tuple[Message, ...]:
    """What a turn has left of the page, as it is now."""
    return tuple(_present(m, turn) for m in page.items if m.id not in turn.removed)


def _removed(page: Page[Message], turn: Transcript) -> bool:
    return any(message.id in turn.removed for message in page.items)


def _present(message: Message, turn: Transcript) -> Message:
    new = turn.replaced.get(message.id)
    if new is None:
        return message
    return replace(
        new,
        position=message.position,
        created_at=message.created_at,
        feedback=message.feedback,
    )


def _beyond(said: tuple[Message, ...], after: str | None) -> tuple[Message, ...] | None:
    """What follows this one of them; None where it is none of them."""
    ids = [m.id for m in said]
    return said[ids.index(MessageId(after)) + 1 :] if after and after in ids else None


def _not_among(kept: tuple[Message, ...], newest: tuple[Message, ...]) -> tuple[Message, ...]:
    known = {m.id for m in kept}
    return tuple(m for m in newest if m.id not in known)
