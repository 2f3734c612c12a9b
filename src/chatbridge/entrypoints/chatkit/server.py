"""ChatKit's server over ours: its generators only watch, the turn runs elsewhere."""

from collections.abc import AsyncIterator

from chatkit.server import ChatKitServer
from chatkit.types import (
    FeedbackKind,
    ThreadItem,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
)

from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.chatkit.events import stream_events
from chatbridge.entrypoints.chatkit.store import ConversationStore, TurnStore, Watching


class AnsweringServer(ChatKitServer[UserId]):
    """Serves the operations that answer with JSON."""

    def __init__(self, history: ConversationHistory) -> None:
        super().__init__(ConversationStore(history))
        self._history = history

    def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: UserId,
    ) -> AsyncIterator[ThreadStreamEvent]:
        raise NotImplementedError

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: UserId
    ) -> None:
        await self._history.give_feedback(
            context, ConversationId(thread_id), [MessageId(id) for id in item_ids], feedback
        )


class BridgeServer(ChatKitServer[Watching]):
    """Serves the operations that stream, by watching the turn that was begun for them."""

    def __init__(self) -> None:
        super().__init__(TurnStore())

    async def respond(
        self,
        thread: ThreadMetadata,
        input_user_message: UserMessageItem | None,
        context: Watching,
    ) -> AsyncIterator[ThreadStreamEvent]:
        async for event in stream_events(context.recording):
            context.frame += 1
            yield event

    async def handle_stream_cancelled(
        self, thread: ThreadMetadata, pending_items: list[ThreadItem], context: Watching
    ) -> None:
        """A lost viewer is not a stop."""
