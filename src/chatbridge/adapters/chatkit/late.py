"""What is still said when its turn is over: kept as it comes, and shown to who looks next."""

import asyncio
from collections.abc import Sequence

from chatbridge.adapters.chatkit.host_loop import across
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.ports.conversation_repository import ConversationRepository


async def keep_late(
    conversations: ConversationRepository,
    where: Conversation,
    home: asyncio.AbstractEventLoop,
    events: Sequence[TurnEvent],
) -> None:
    """Keep it, by a task that has outlived its turn and may run in another loop than `home`."""
    told = Transcript(where.id, events)
    keeping = conversations.change(where.user_id, where.id, Changes.of(told), told.said)
    await across(home, keeping)
