"""What the store contracts do over and over, in one line each."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatbridge.domain.model.context_window import ContextWindow
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import TurnId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.page import Order, Page, PageRequest
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Ending, Turn, TurnState
from chatbridge.domain.model.turn_event import EndState, TurnEvent
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.turn_journal import Entry, Outcome
from chatbridge.ports.turn_repository import Begun, Claimed, TurnRequest
from tests.contracts.store import ALICE, C1, Store, ask, message, said

WINDOW = ContextWindow()
NOT_COMPLETED: tuple[EndState, ...] = ("failed", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Alice's conversation with its messages, to be compared with a later one."""

    conversation: Conversation
    messages: list[Message]


async def exchange(store: Store, *messages: Message, user_id: UserId = ALICE) -> None:
    """A turn of these messages: the first is asked, and the others are the answer."""
    asked, *answer = messages
    request = TurnRequest(
        user_id=user_id,
        conversation_id=asked.conversation_id,
        turn_id=TurnId(f"turn_of_{asked.id}_in_{asked.conversation_id}"),
        message=asked,
        new=True,
    )
    begun = await begin(store, request)
    await store.turns.finish(begun.turn, Ending(state="completed", messages=tuple(answer)))


def answers(*ids: str) -> list[Message]:
    """Messages of the assistant's."""
    return [message(id, role="assistant") for id in ids]


async def messages_of(repository: ConversationRepository) -> list[Message]:
    return list((await repository.messages(ALICE, C1, PageRequest(limit=100))).items)


async def snapshot(store: Store) -> Snapshot:
    return Snapshot(
        conversation=await store.conversations.get(ALICE, C1),
        messages=await messages_of(store.conversations),
    )


async def listed(repository: ConversationRepository, order: Order) -> list[str]:
    return [c.id for c in (await repository.list(ALICE, PageRequest(order=order))).items]


async def walk(
    read: Callable[[PageRequest], Awaitable[Page[Any]]], limit: int, order: Order
) -> list[str]:
    """The ids on all pages of 12 entries, of which none may be empty and none too many."""
    seen: list[str] = []
    after: str | None = None
    for _ in range(math.ceil(12 / limit)):
        page = await read(PageRequest(limit=limit, after=after, order=order))
        assert 1 <= len(page.items) <= limit
        seen += [entry.id for entry in page.items]
        after = page.next
    assert after is None, "a page promised where nothing follows"
    return seen


async def begin(store: Store, request: TurnRequest) -> Begun:
    begun = await store.turns.begin(request, WINDOW.high)
    assert isinstance(begun, Begun)
    return begun


async def refused(
    store: Store, request: TurnRequest, error: type[ChatbridgeError], code: str
) -> None:
    with pytest.raises(error) as raised:
        await store.turns.begin(request, WINDOW.high)
    assert (type(raised.value), raised.value.code) == (error, code)
    assert raised.value.detail.endswith("."), "a detail is a sentence"


def ending(
    turn: Turn, events: Sequence[TurnEvent], state: EndState = "completed", *, kept: int = 0
) -> Ending:
    """The end of a turn that has said this, the first `kept` events of which are kept."""
    tail = tuple(enumerate(events, 1))[kept:]
    return Ending.of(Transcript(turn.conversation.id, events), state, tail)


async def finish(
    store: Store,
    begun: Begun | Claimed,
    events: tuple[TurnEvent, ...],
    state: EndState = "completed",
) -> TurnState:
    return await store.turns.finish(begun.turn, ending(begun.turn, events, state))


async def answered(store: Store, turn: str = "turn_1", *, new: bool = True) -> None:
    begun = await begin(store, ask(turn, new=new))
    await finish(store, begun, said(f"{turn}_says", "Hi"))


def entry(turn: Turn, *events: TurnEvent, after: int = 0) -> Entry:
    return Entry(turn=turn, events=tuple(enumerate(events, after + 1)))


async def keep(store: Store, turn: Turn, *events: TurnEvent, after: int = 0) -> Outcome:
    """Keep events of a turn that runs, from number `after` + 1 on."""
    (outcome,) = await store.journal.keep([entry(turn, *events, after=after)])
    return outcome


async def claim(store: Store) -> Claimed:
    await store.turns.abandon_running()
    claimed = await store.turns.claim_stale(ALICE, C1)
    assert claimed is not None
    return claimed


async def readable(store: Store) -> list[Message]:
    """All that there is, notes too."""
    request = PageRequest(limit=100)
    first = await store.conversations.messages(ALICE, C1, request, notes=True)
    if first.next is None:
        return list(first.items)
    request = replace(request, after=first.next)
    rest = await store.conversations.messages(ALICE, C1, request, notes=True)
    return [*first.items, *rest.items]
