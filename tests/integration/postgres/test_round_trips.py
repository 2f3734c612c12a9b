"""How often a turn asks the database: counted on the wire, with a warm pool."""

from collections.abc import AsyncGenerator, Iterator

import pytest

from chatbridge.adapters.postgres.engine import postgres_engine
from chatbridge.adapters.postgres.task_repository import PostgresTaskRepository
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model.identifiers import ConversationId, UserId
from tests.contracts.steps import ending
from tests.contracts.store import ask, said
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
    turns = PostgresTurnRepository(engine, "chatbridge")
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


async def test_a_call_of_the_task_tools_is_one_round_trip(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    engine = postgres_engine(url, 1)
    tasks = PostgresTaskRepository(engine, "chatbridge")
    try:
        for key in ("call_1", "call_2"):
            trips.since()
            await tasks.add(UserId("alice"), "milk", key=key)
            counted = trips.since().total()
    finally:
        await engine.dispose()
    report.add(f"add {counted}")
    assert counted == 1


async def test_a_plain_turn_costs_two_round_trips_and_one_before_the_model(
    line: tuple[Trips, str], report: Report
) -> None:
    trips, url = line
    for name, turns in (await whole_turns(trips, url)).items():
        report.add(f"{name}: {described([whole for _, whole in turns])}")
        for before, whole in turns:
            assert asked(before) == {"begin": 1}
            assert asked(whole) == {"begin": 1, "finish": 1}
