"""Conversations and their messages, each call scoped to an owner and its own transaction."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import Page, PageRequest
from chatbridge.domain.model.turn import Changes


class ConversationRepository(Protocol):
    """Every call but `list` raises NotFound where the conversation is nobody's, and
    Forbidden where it is somebody else's; every call raises Unavailable when the store is away.
    """

    async def get(self, user_id: UserId, id: ConversationId) -> Conversation:
        """The conversation as it is now."""
        ...

    async def list(
        self, user_id: UserId, request: PageRequest, *, waiting: bool = False
    ) -> Page[Conversation]:
        """The owner's conversations by latest activity; `desc` begins with the newest. With
        `waiting` only those in which a turn waits for a person.

        Raises Invalid for a cursor that no earlier page gave.
        """
        ...

    async def rename(self, user_id: UserId, id: ConversationId, title: str) -> Conversation:
        """Give it a title; a rename is no activity. An open turn is told as `change` does."""
        ...

    async def delete(self, user_id: UserId, id: ConversationId) -> None:
        """Delete it with all that belongs to it."""
        ...

    async def message(
        self, user_id: UserId, conversation_id: ConversationId, id: MessageId
    ) -> Message:
        """One of its messages, notes too. Raises NotFound where it has no such message."""
        ...

    async def change(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        changes: Changes,
        added: Sequence[Message] = (),
    ) -> None:
        """Keep what was changed outside of a turn, and what was added at the end.

        What is added under the id of a kept message takes its place; what is replaced or removed
        and is not there changes nothing. What is revised is told to a turn that runs or waits, by
        its journal; when that ends, it stays over what the turn had revised before.
        """
        ...

    async def messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        request: PageRequest,
        *,
        notes: bool = False,
    ) -> Page[Message]:
        """A page of its messages in order of position, each with the owner's verdict on it, notes
        left out unless they are asked for.

        The cursor is a message's id. Raises Invalid for one that the conversation has not.
        """
        ...

    async def save_feedback(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind | None,
    ) -> None:
        """Keep the owner's verdict on each message, in place of an earlier one; None takes it back.

        Raises NotFound, and changes nothing, where the conversation lacks one of the messages.
        """
        ...

    async def feedback(
        self, user_id: UserId, conversation_id: ConversationId, limit: int
    ) -> Mapping[MessageId, FeedbackKind]:
        """The owner's verdicts in it, so many of the latest."""
        ...

    async def standing_approvals(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[StandingApproval, ...]:
        """What is approved for the whole conversation, the oldest first."""
        ...

    async def revoke(
        self, user_id: UserId, conversation_id: ConversationId, id: ApprovalId
    ) -> None:
        """Let it stand no more: the tool asks again in every turn that begins, or goes on, from
        now on. Raises NotFound where it does not stand.
        """
        ...
