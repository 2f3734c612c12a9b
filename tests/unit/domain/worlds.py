"""Servers over a memory that they share, with agents that say what the test says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.store import MemoryStore
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import (
    Unavailable,
)
from chatbridge.domain.model.identifiers import (
    ConversationId,
    UserId,
    new_message_id,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Recording, TurnState
from chatbridge.domain.model.turn_event import (
    EndState,
    TextDelta,
    TurnEvent,
    TurnFailed,
)
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.turns import Turns
from chatbridge.ports.turn_repository import TurnRepository
from tests.scripted_agent import Run, ScriptedAgent

ALICE, BOB = UserId("alice"), UserId("bob")
PATIENCE = 10.0


class Outages(MemoryTurnRepository):
    """Is away for the next `away` calls of finish; what it kept before that stays."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.away = 0
        self.kept_before_it_went = False

    async def finish(
        self, recording: Recording, state: EndState, messages: tuple[Message, ...]
    ) -> TurnState:
        if self.away:
            self.away -= 1
            if self.kept_before_it_went:
                await super().finish(recording, state, messages)
            raise Unavailable("The database is away.")
        return await super().finish(recording, state, messages)


@dataclass
class World:
    """One server on a store that others may share."""

    store: MemoryStore
    agent: ScriptedAgent
    journal: MemoryTurnJournal
    turns: Turns
    history: ConversationHistory
    conversation: ConversationId

    async def ask(self, text: str = "hello", *, new: bool = True) -> tuple[LiveTurn, Run]:
        live = await self.turns.ask(ALICE, question(text, self.conversation), new=new)
        return live, await self.agent.next_run(ALICE)

    async def answered(self, text: str, answer: str, *, new: bool = True) -> LiveTurn:
        live, run = await self.ask(text, new=new)
        run.finish(answer)
        await ended(live)
        return live

    async def messages(self) -> list[Message]:
        page = await self.history.messages(ALICE, self.conversation, PageRequest(limit=100))
        return list(page.items)

    async def answer(self) -> list[tuple[str, str]]:
        return [(m.kind, m.content) for m in await self.messages() if m.role == "assistant"]


Server = Callable[..., Awaitable[World]]


@asynccontextmanager
async def open_world(
    store: MemoryStore,
    conversation: ConversationId,
    *,
    repository: TurnRepository | None = None,
    lease: float = 60.0,
    **options: Any,
) -> AsyncGenerator[World]:
    agent = ScriptedAgent()
    journal = MemoryTurnJournal(store, tick=0.001, heartbeat=0.01, lease=lease)
    turns = Turns(
        repository or MemoryTurnRepository(store, lease=lease),
        journal,
        agent,
        window=ContextWindow(),
        **options,
    )
    history = ConversationHistory(MemoryConversationRepository(store), turns)
    async with turns.running():
        yield World(store, agent, journal, turns, history, conversation)


def question(text: str, conversation: ConversationId) -> Message:
    return Message(
        id=new_message_id(),
        conversation_id=conversation,
        role="user",
        kind="text",
        content=text,
        created_at=datetime.now(UTC),
    )


async def heard(live: LiveTurn, after: int = 0) -> list[tuple[int, TurnEvent]]:
    """Everything that a viewer sees to the end."""
    async with asyncio.timeout(PATIENCE):
        return [told async for told in live.follow(after)]


async def ended(live: LiveTurn) -> list[TurnEvent]:
    return [event for _, event in await heard(live)]


async def shown(live: LiveTurn, text: str) -> None:
    """Wait until a viewer can see this much."""
    async with asyncio.timeout(PATIENCE):
        await live.until(lambda r: text_of(r.events[: r.durable]) == text)


def text_of(events: list[TurnEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def failure(events: list[TurnEvent]) -> TurnFailed:
    (found,) = [e for e in events if isinstance(e, TurnFailed)]
    return found
