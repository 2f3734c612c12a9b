"""Servers over a memory that they share, with agents that say what the test says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chatbridge.adapters.memory.conversation_repository import MemoryConversationRepository
from chatbridge.adapters.memory.memory import Memory
from chatbridge.adapters.memory.turn_journal import MemoryTurnJournal
from chatbridge.adapters.memory.turn_repository import MemoryTurnRepository
from chatbridge.domain.model import refusals
from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.errors import (
    Unavailable,
)
from chatbridge.domain.model.identifiers import (
    ConversationId,
    TurnId,
    UserId,
    new_message_id,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Ending, Turn, TurnState
from chatbridge.domain.model.turn_event import (
    Numbered,
    TextDelta,
    TurnEvent,
    TurnFailed,
)
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.ports.turn_journal import Entry, Outcome
from chatbridge.ports.turn_repository import TurnRepository
from tests.scripted_agent import Run, ScriptedAgent

ALICE, BOB = UserId("alice"), UserId("bob")
PATIENCE = 10.0


class Outages(MemoryTurnRepository):
    """Is away for the next `away` calls of finish; what it kept before that stays."""

    def __init__(self, store: Memory) -> None:
        super().__init__(store)
        self.away = 0
        self.kept_before_it_went = False

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        if self.away:
            self.away -= 1
            if self.kept_before_it_went:
                await super().finish(turn, ending)
            raise Unavailable("The database is away.")
        return await super().finish(turn, ending)


class Jamming(MemoryTurnJournal):
    """Keeps nothing of the turns that are `jammed`, and can't keep what says `unkeepable`."""

    def __init__(self, store: Memory, *, lease: float = 5.0) -> None:
        super().__init__(store, lease=lease)
        self.jammed: set[TurnId] = set()

    async def keep(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        if any("unkeepable" in text_of(e for _, e in entry.events) for entry in entries):
            raise refusals.not_kept()
        return await super().keep(entries)

    def _keep(self, entry: Entry) -> Outcome:
        # asked where the store is atomic: a keep that was under way must not slip past it
        return "busy" if entry.turn.id in self.jammed else super()._keep(entry)


@dataclass
class World:
    """One server on a store that others may share."""

    store: Memory
    agent: ScriptedAgent
    journal: Jamming
    turns: Turns
    history: ConversationHistory
    conversation: ConversationId

    async def ask(self, text: str = "hello", *, new: bool = True) -> tuple[Recording, Run]:
        recording = await self.turns.ask(ALICE, question(text, self.conversation), new=new)
        return recording, await self.agent.next_run(ALICE)

    async def answered(self, text: str, answer: str, *, new: bool = True) -> Recording:
        recording, run = await self.ask(text, new=new)
        run.finish(answer)
        await ended(recording)
        return recording

    async def messages(self) -> list[Message]:
        page = await self.history.messages(ALICE, self.conversation, PageRequest(limit=100))
        return list(page.items)

    async def answer(self) -> list[tuple[str, str]]:
        return [(m.kind, m.content) for m in await self.messages() if m.role == "assistant"]


Server = Callable[..., Awaitable[World]]


@asynccontextmanager
async def open_world(
    store: Memory,
    conversation: ConversationId,
    *,
    repository: TurnRepository | None = None,
    lease: float = 60.0,
    window: ContextWindow | None = None,
    **options: Any,
) -> AsyncGenerator[World]:
    agent = ScriptedAgent()
    journal = Jamming(store, lease=lease)
    turns = Turns(
        repository or MemoryTurnRepository(store, lease=lease),
        journal,
        agent,
        window=window or ContextWindow(),
        tick=0.001,
        heartbeat=0.01,
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


async def heard(recording: Recording, after: int = 0) -> list[Numbered]:
    """Everything that a viewer sees to the end."""
    async with asyncio.timeout(PATIENCE):
        return [told async for told in recording.show(after)]


async def ended(recording: Recording) -> list[TurnEvent]:
    return [event for _, event in await heard(recording)]


async def shown(recording: Recording, text: str) -> None:
    """Wait until a viewer can see this much."""
    seen = ""
    async with asyncio.timeout(PATIENCE), aclosing(recording.show()) as events:
        async for _, event in events:
            seen += text_of([event])
            if seen == text:
                return
    raise AssertionError(f"{text!r} was never shown, but {seen!r}")


def text_of(events: Iterable[TurnEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, TextDelta))


def failure(events: list[TurnEvent]) -> TurnFailed:
    (found,) = [e for e in events if isinstance(e, TurnFailed)]
    return found
