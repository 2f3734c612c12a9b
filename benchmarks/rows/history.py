"""What a turn costs Postgres in a short conversation and in a long one, in a small table and in a
large one: the product's own statements, without the server around them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.seeds import BY_SIZE, LARGE, SIZES, Crowd, history, large
from benchmarks.sheet import Row
from benchmarks.stand import Stand
from benchmarks.stores import begin, opened, said
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Ending
from chatbridge.ports.store import Store

_CALLS = 60
_WARM = 8

Call = Callable[[Store, Crowd, int], Awaitable[None]]


async def a_turn(store: Store, crowd: Crowd, number: int) -> None:
    """Begin it and finish it, with a question and an answer."""
    turn = await begin(store, crowd.user(number), crowd.id(number))
    answer = said(turn.conversation.id, "assistant", "some words of it " * 15)
    await store.turns.finish(turn, Ending(state="completed", messages=(answer,)))


async def the_last_turn(store: Store, crowd: Crowd, number: int) -> None:
    """What every read of a conversation asks for."""
    await store.turns.last(UserId(crowd.user(number)), ConversationId(crowd.id(number)))


async def a_page(store: Store, crowd: Crowd, number: int) -> None:
    """The newest 20 messages."""
    request = PageRequest(limit=20, order="desc")
    user, conversation = UserId(crowd.user(number)), ConversationId(crowd.id(number))
    await store.conversations.messages(user, conversation, request)


_CALLED: dict[str, tuple[str, Call]] = {
    "turn": ("Begin and finish a turn", a_turn),
    "last": ("The last turn", the_last_turn),
    "page": ("A page of 20 messages", a_page),
}


def by_length(stand: Stand, name: str) -> None:
    """In conversations of 10, 1,000 and 100,000 messages."""
    stand.database.require_readable()
    database = history(stand.database)
    places = {f"{size}": (database, BY_SIZE[size], f"conversation of {size:,}") for size in SIZES}
    growth = ("10", "100000", "100,000 messages to 10")
    _compare(stand, name, places, growth)


def by_table(stand: Stand, name: str) -> None:
    """In a table of 60,000 messages and in one of 10 million of 100,000 users."""
    stand.database.require_readable()
    small, full = history(stand.database), large(stand.database)
    places = {
        "small": (small, BY_SIZE[10], "small table"),
        "full": (full, LARGE, "table of 10 million messages"),
    }
    _compare(stand, name, places, ("small", "full", "10 million messages to few"))


def _compare(
    stand: Stand,
    name: str,
    places: dict[str, tuple[str, Crowd, str]],
    growth: tuple[str, str, str],
) -> None:
    smallest, largest, words = growth
    for called, (title, call) in _CALLED.items():
        for number in stand.rounds(full=5, quick=3):
            taken: dict[str, float] = {}
            for place, (database, crowd, where) in places.items():
                cpu, wall, others = asyncio.run(_timed(stand, database, crowd, call, number))
                taken[place] = cpu
                row = Row(f"{name}.{called}.{place}", f"{title}, {where}, Postgres's CPU", "ms")
                stand.sheet.add(row, "postgres", cpu, others)
                row = Row(f"{name}.{called}_wall.{place}", f"{title}, {where}, by the clock", "ms")
                stand.sheet.add(row, "postgres", wall, others)
            row = Row(f"{name}.{called}.growth", f"{title}, {words}", "times")
            stand.sheet.add(row, "postgres", taken[largest] / taken[smallest], others)


async def _timed(
    stand: Stand, database: str, crowd: Crowd, call: Call, number: int
) -> tuple[float, float, float]:
    """Milliseconds of Postgres's CPU and of the clock a call; and the machine's other load."""
    # spread over the whole table, and each conversation grows as little as can be
    count = crowd.last - crowd.first + 1
    first = number * _CALLS
    numbers = [crowd.first + n * 7919 % count for n in range(first, first + _CALLS)]
    async with opened(stand, database) as store:
        # a function's plan is kept from its sixth call on
        for number in numbers[:_WARM]:
            await call(store, crowd, number)
        with stand.spent_by(None) as meter:
            begun = time.perf_counter()
            for number in numbers:
                await call(store, crowd, number)
            wall = time.perf_counter() - begun
    return meter.spent.database / _CALLS * 1e3, wall / _CALLS * 1e3, meter.spent.others
