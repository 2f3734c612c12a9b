"""What a turn asks of the database, counted on the wire.

The journal's ticks and the sweeps for stale turns belong to the server, not to a turn, and are
counted apart; so is the first
use of a statement on a connection, whose types the driver asks for once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agents.items import TResponseStreamEvent
from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.models import Endpoint
from chatbridge.container import Container
from tests.chatkit_client import add, create, say
from tests.serving import served, settings_for
from tests.tcp_proxy import RoundTrip, TcpProxy

STATEMENTS = {
    "begin_turn": "begin",
    "finish_turn": "finish",
    "wait_turn": "wait",
    "answer_turn": "answer",
    "conversation_created_at": "opened",
    "delete from": "withdraw",
    "keep_turns": "tick",
    "claim_stale_turn": "claim",
    "stale_turns": "sweep",
    "counterparts.conversation_id is null": "sweep",
}

APART = ("tick", "sweep", "first use")


@dataclass
class Trips:
    """The proxy's round trips by what was asked."""

    proxy: TcpProxy
    _names: dict[tuple[int, bytes], str] = field(default_factory=dict)
    _read: int = 0

    def since(self) -> Counter[str]:
        """What was asked since the last time."""
        new, self._read = self.proxy.trips[self._read :], len(self.proxy.trips)
        return Counter(self._label(trip) for trip in new)

    def _label(self, trip: RoundTrip) -> str:
        kind, body = trip.data[:1], trip.data[5:]
        if kind == b"P":
            name, _, rest = body.partition(b"\0")
            sql = rest.partition(b"\0")[0].decode()
            label = next((known for part, known in STATEMENTS.items() if part in sql.lower()), sql)
            if "chatbridge" not in sql:  # the driver's own questions, about types
                label = "first use"
            self._names[trip.connection, name] = label
            described = trip.data[1 + int.from_bytes(trip.data[1:5]) :][:1] == b"D"
            return "first use" if described else label
        if kind == b"B":
            name = body.split(b"\0", 2)[1]
            return self._names.get((trip.connection, name), "unknown")
        return f"other {kind!r}"


class MarkingModel(OfflineModel):
    """Notes what had been asked of the database when it was called."""

    def __init__(self, trips: Trips) -> None:
        super().__init__(delay=0)
        self._trips = trips
        self.before: Counter[str] = Counter()

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        self.before = self._trips.since()
        async for event in super().stream_response(*args, **kwargs):
            yield event


@dataclass
class Report:
    """The figures, printed at the end of a test whatever pytest captures."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.lines.append(line)


async def fill(engine: AsyncEngine) -> None:
    """Let the pool open all its connections."""
    async with AsyncExitStack() as connections:
        for _ in range(5):
            await connections.enter_async_context(engine.connect())


def asked(counted: Counter[str]) -> Counter[str]:
    """What the turn itself asked."""
    return Counter({name: n for name, n in counted.items() if name not in APART})


def described(counted: Sequence[Counter[str]]) -> str:
    turns = [asked(c).total() for c in counted]
    apart = ", ".join(f"{name} {[c[name] for c in counted]}" for name in APART)
    return f"{turns}, apart from it: {apart}"


async def _nothing_to_close() -> None: ...


def at_once(container: Container, model: OfflineModel | None = None) -> None:
    """Let this model answer, or one that takes no time."""
    found = model or OfflineModel(delay=0)
    container.endpoint.override(Endpoint(found, _nothing_to_close))


async def whole_turns(trips: Trips, url: str) -> dict[str, list[tuple[Counter[str], Counter[str]]]]:
    """What plain turns ask, each before the model is called and in all, once the pool is warm."""
    model = MarkingModel(trips)
    counted: dict[str, list[tuple[Counter[str], Counter[str]]]] = {}
    async with served(settings_for(url), partial(at_once, model=model)) as service:
        client = service.as_user("alice")
        conversation, _ = await say(client, create("hello"))
        await fill(service.container.store().engine)
        for name, request, times in (
            ("warm up", add(conversation, "hello"), 8),
            ("add a message", add(conversation, "hello"), 5),
            ("threads.create", create("hello"), 5),
        ):
            for _ in range(times):
                trips.since()
                await say(client, request)
                turn = (model.before, model.before + trips.since())
                counted.setdefault(name, []).append(turn)
    del counted["warm up"]
    return counted
