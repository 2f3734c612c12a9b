"""The product's own store on a database of the benchmark, without a server around it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from benchmarks.problems import Failed
from benchmarks.stand import Stand
from chatbridge.adapters.postgres.store import PostgresStore
from chatbridge.domain.model.identifiers import (
    ConversationId,
    UserId,
    new_message_id,
    new_turn_id,
)
from chatbridge.domain.model.message import Message, Role
from chatbridge.domain.model.turn import Turn
from chatbridge.ports.store import Store, StoreSettings
from chatbridge.ports.turn_repository import Begun, TurnRequest

# as many of the newest as the window needs at most
_NEWEST = 15


@asynccontextmanager
async def opened(stand: Stand, database: str) -> AsyncGenerator[Store]:
    """On one connection."""
    settings = StoreSettings(
        url=stand.database.url(database),
        directory=stand.scratch,
        lease=5.0,
        schema="chatbridge",
        pool_size=1,
    )
    store = PostgresStore(settings)
    async with store.opened():
        yield store


async def begin(store: Store, user: str, conversation: str, *, new: bool = False) -> Turn:
    """A turn that is running."""
    id = ConversationId(conversation)
    request = TurnRequest(
        user_id=UserId(user),
        conversation_id=id,
        turn_id=new_turn_id(),
        message=said(id, "user", "hello there"),
        new=new,
    )
    begun = await store.turns.begin(request, newest=_NEWEST)
    if not isinstance(begun, Begun):
        raise Failed("A turn was begun twice.")
    return begun.turn


def said(conversation: ConversationId, role: Role, content: str) -> Message:
    """A message that is still to be kept."""
    return Message(
        id=new_message_id(),
        conversation_id=conversation,
        role=role,
        kind="text",
        content=content,
        created_at=datetime.now(UTC),
    )
