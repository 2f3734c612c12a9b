"""How often a turn asks the database: counted on the wire, with a warm pool."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import pytest

from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model.identifiers import ConversationId, MessageId, TurnId
from chatbridge.domain.model.page import PageRequest
from chatbridge.ports.task_repository import TaskRepository
from tests.contracts.steps import answers, ending, exchange
from tests.contracts.store import ALICE, C1, Store, ask, message, said
from tests.integration.postgres.stores import SCHEMA, postgres_replica
from tests.round_trips import Report, Trips, asked, described, whole_turns
from tests.tcp_proxy import proxied


@pytest.fixture(params=["", "?pgbouncer=true"], ids=["direct", "pooled"])
async def line(
    request: pytest.FixtureRequest, fresh_database: str
) -> AsyncGenerator[tuple[Trips, str]]:
    """A counted line to a database, as a direct one and as one through a pooler is treated."""
    async with proxied(fresh_database) as (proxy, url):
        yield Trips(proxy), url + request.param


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Iterator[Report]:
    made = Report()
    yield made
    with capsys.disabled():
        print(f"\n{request.node.name}: " + "; ".join(made.lines))


async def test_begin_and_finish_are_one_round_trip_each(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    engine = postgres_engine(url, 1)
    turns = PostgresTurnRepository(engine, SCHEMA)
    try:
        for n in range(4):
            request = ask(f"turn_{n}", conversation_id=ConversationId("conv_1"), new=n == 0)
            trips.since()
            begun = await turns.begin(request, 15)
            beginning = trips.since()
            said_so = said(f"says_{n}", "Hello ", "there")
            await turns.finish(begun.turn, ending(begun.turn, said_so))
            finishing = trips.since()
    finally:
        await engine.dispose()
    report.add(f"begin {beginning.total()}, finish {finishing.total()}")
    assert beginning == {"begin": 1}
    assert finishing == {"finish": 1}


async def test_every_other_call_is_one_round_trip(line: tuple[Trips, str], report: Report) -> None:
    """Twice each: the first use of a statement asks for its description too."""
    trips, url = line
    engine = postgres_engine(url, 1)
    store = postgres_replica(engine)(5.0)
    tasks = PostgresTaskRepository(engine, SCHEMA)
    counted: dict[str, int] = {}
    try:
        for n in range(2):
            await exchange(store, message(f"msg_{n}"), *answers(f"says_{n}"))
            task = await tasks.add(ALICE, "milk")
            for name, ask_it in calls(store, tasks, n, task.number).items():
                trips.since()
                await ask_it()
                counted[name] = trips.since().total()
    finally:
        await engine.dispose()
    report.add(", ".join(f"{name} {n}" for name, n in counted.items()))
    assert counted == dict.fromkeys(counted, 1)


def calls(
    store: Store, tasks: TaskRepository, n: int, task: int
) -> dict[str, Callable[[], Awaitable[object]]]:
    """What is asked of a conversation of two messages, its turn and the owner's tasks."""
    conversations, turns, whole = store.conversations, store.turns, PageRequest()
    turn, asked, says = TurnId(f"turn_of_msg_{n}_in_{C1}"), f"msg_{n}", MessageId(f"says_{n}")
    return {
        "get": lambda: conversations.get(ALICE, C1),
        "list": lambda: conversations.list(ALICE, whole),
        "rename": lambda: conversations.rename(ALICE, C1, "Milk"),
        "messages": lambda: conversations.messages(ALICE, C1, whole),
        "messages after": lambda: conversations.messages(ALICE, C1, PageRequest(after=asked)),
        "feedback": lambda: conversations.save_feedback(ALICE, C1, [says], "positive"),
        "turn": lambda: turns.turn(ALICE, turn),
        "last": lambda: turns.last(ALICE, C1),
        "progress": lambda: turns.progress(ALICE, turn),
        "stop": lambda: turns.ask_cancel(ALICE, C1),
        "stale": turns.stale,
        "abandon": turns.abandon_running,
        "add": lambda: tasks.add(ALICE, "tea", key=f"add_{n}"),
        "tasks": lambda: tasks.list(ALICE),
        "change": lambda: tasks.update(ALICE, task, done=True),
        "change by key": lambda: tasks.update(ALICE, task, done=True, key=f"change_{n}"),
        "drop": lambda: tasks.delete(ALICE, task, key=f"drop_{n}"),
        "delete": lambda: conversations.delete(ALICE, C1),
    }


async def test_a_plain_turn_costs_two_round_trips_and_one_before_the_model(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    for name, turns in (await whole_turns(trips, url)).items():
        report.add(f"{name}: {described([whole for _, whole in turns])}")
        for before, whole in turns:
            assert asked(before) == {"begin": 1}
            assert asked(whole) == {"begin": 1, "finish": 1}
