"""What is still said when its turn is over: kept as it comes, and shown to who looks next."""

import asyncio
from collections.abc import Sequence

from chatbridge.adapters.chatkit.host_loop import across
from chatbridge.adapters.chatkit.inline_files import ItemFiles
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Changes
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.ports.conversation_repository import ConversationRepository


async def keep_late(
    conversations: ConversationRepository,
    files: MadeFiles,
    where: Conversation,
    home: asyncio.AbstractEventLoop,
    events: Sequence[TurnEvent],
) -> None:
    """Keep it, by a task that has outlived its turn and may run in another loop than `home`."""

    async def keeping() -> None:
        taken_out = await ItemFiles(files).taken_out(where.user_id, where.id, events)
        told = Transcript(where.id, taken_out)
        await conversations.change(where.user_id, where.id, Changes.of(told), told.said)

    await across(home, keeping())
