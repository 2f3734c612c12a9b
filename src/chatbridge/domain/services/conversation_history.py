"""Which history is visible, and what its owner may do with it."""

from collections.abc import Sequence

from chatbridge.domain.model.conversation import Conversation, checked_title
from chatbridge.domain.model.errors import TurnLost
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Page, PageRequest
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
        """A page of its messages; an answer whose server has gone is shown as interrupted."""
        await self._turns.close_stale(user_id, id)
        return await self._conversations.messages(user_id, id, request)

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
